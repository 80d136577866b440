"""Search spaces: what `genbench tune` may choose, as data, sampled from a seed."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Dimension(ABC):
    """What one option may be, at equal chances along [0, 1)."""

    @abstractmethod
    def at(self, share: float) -> Any:
        """Returns the value at a share of the way, in [0, 1)."""

    @abstractmethod
    def describe(self) -> list[Any]:
        """Returns what it is as JSON, which is hashed."""


@dataclass(frozen=True)
class Uniform(Dimension):
    """A number in [low, high), all equally likely."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """Returns a number, to four digits."""
        return _rounded(self.low + share * (self.high - self.low))

    def describe(self) -> list[Any]:
        """Returns its name and ends."""
        return ["uniform", self.low, self.high]


@dataclass(frozen=True)
class LogUniform(Dimension):
    """A positive number in [low, high), all orders of magnitude equally likely."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """Returns a number, to four digits."""
        return _rounded(self.low * math.exp(share * math.log(self.high / self.low)))

    def describe(self) -> list[Any]:
        """Returns its name and ends."""
        return ["log-uniform", self.low, self.high]


@dataclass(frozen=True)
class Choice(Dimension):
    """One of a few values, all equally likely; None in `training.` leaves what the model does."""

    values: tuple[Any, ...]

    def at(self, share: float) -> Any:
        """Returns a value."""
        return self.values[int(share * len(self.values))]

    def describe(self) -> list[Any]:
        """Returns its name and values."""
        return ["choice", *self.values]


#: by name what may be chosen: an option of the model, or `training.` and a field of a cell's training
#: (`training.rates.` and a player's name)
Space = Mapping[str, Dimension]


def draw_point(space: Space, *purpose: str | int) -> dict[str, Any]:
    """Returns a value per dimension, independent and at random.

    A dimension's value depends on its name and on the purpose alone: another dimension moves none.

    References:
        | Random Search for Hyper-Parameter Optimization (Bergstra and Bengio, 2012)

    Arguments:
        space: The dimensions.
        purpose: What the draw is for: a model, a data set, the number of the trial.
    """
    return {name: space[name].at(draw_share(*purpose, name)) for name in sorted(space)}


def draw_share(*purpose: str | int) -> float:
    """Returns a number in [0, 1) that the purpose decides: 53 bits of its sha256."""
    digest = hashlib.sha256("/".join(map(str, purpose)).encode()).digest()
    return (int.from_bytes(digest[:8], "little") >> 11) / 2**53


def split_point(point: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the options of the model and the fields of a cell's training that a point means."""
    options: dict[str, Any] = {}
    training: dict[str, Any] = {}
    for name, value in point.items():
        first, _, rest = name.partition(".")
        if first != "training":
            options[name] = value
        elif rest.startswith("rates."):
            training.setdefault("rates", {})[rest.removeprefix("rates.")] = value
        elif value is not None:
            training[rest] = value
    return options, training


def describe_space(space: Space) -> dict[str, list[Any]]:
    """Returns a space as JSON."""
    return {name: space[name].describe() for name in sorted(space)}


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
