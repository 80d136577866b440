"""Search spaces: what `genbench tune` may choose, as data, sampled from a seed."""

from __future__ import annotations

import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genbench.core.spec import Training


class Dimension(ABC):
    """What one option may be, at equal chances along [0, 1)."""

    @abstractmethod
    def at(self, share: float) -> Any:
        """Returns the value at a share of the way, in [0, 1)."""

    @abstractmethod
    def describe(self) -> list[Any]:
        """Returns what it is as JSON, which is hashed."""

    @property
    @abstractmethod
    def sound(self) -> bool:
        """Whether every share of the way has a value that a file can hold."""


@dataclass(frozen=True)
class Uniform(Dimension):
    """A number in [low, high), all equally likely."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """Returns a number, to four digits."""
        return round_within(self.low + share * (self.high - self.low), self.low, self.high)

    def describe(self) -> list[Any]:
        """Returns its name and ends."""
        return ["uniform", self.low, self.high]

    @property
    def sound(self) -> bool:
        """Whether both ends are numbers, the first the lower, and their distance is one."""
        return _rise(self.low, self.high) and math.isfinite(self.high - self.low)


@dataclass(frozen=True)
class LogUniform(Dimension):
    """A positive number in [low, high), all orders of magnitude equally likely."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """Returns a number, to four digits."""
        value = self.low * math.exp(share * math.log(self.high / self.low))
        return round_within(value, self.low, self.high)

    def describe(self) -> list[Any]:
        """Returns its name and ends."""
        return ["log-uniform", self.low, self.high]

    @property
    def sound(self) -> bool:
        """Whether both ends are positive numbers, the first the lower, and their ratio is one."""
        return _rise(self.low, self.high) and self.low > 0 and math.isfinite(self.high / self.low)


@dataclass(frozen=True)
class Choice(Dimension):
    """One of a few values, all equally likely; None in `training.` leaves what the model does.

    They have an order, by which they are drawn: a tuple, a list or a range.
    """

    values: Sequence[Any]

    def at(self, share: float) -> Any:
        """Returns a value."""
        return self.values[int(share * len(self.values))]

    def describe(self) -> list[Any]:
        """Returns its name and values."""
        return ["choice", *self.values]

    @property
    def sound(self) -> bool:
        """Whether there is a value, all in an order that stays, and of a kind that JSON has."""
        if not isinstance(self.values, (tuple, list, range)):
            return False  # a set has no order, a text is no list of its letters
        try:
            json.dumps(self.describe(), allow_nan=False)
        except (TypeError, ValueError):
            return False
        return len(self.values) > 0


#: by name what may be chosen: an option of the model, or `training.` and a field of a cell's training
#: (`training.rates.` and a player's name)
Space = Mapping[str, Dimension]

#: what a model's `search` needs to be, in words
SPACE = (
    "what tuning may choose, {name of an option, or training.FIELD or training.rates.PLAYER: "
    "Uniform(low, high), LogUniform(low, high) with low above 0, or Choice of a tuple of values}"
)


def is_space(value: object) -> bool:
    """Returns whether a value is a search space all of whose points can be drawn, written and trained by."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(one, Dimension) and one.sound and _trains(name, one)
        for name, one in value.items()
    )


def list_values(dimension: Dimension) -> Sequence[Any]:
    """Returns all values of a choice, or some of an interval: both ends, and three that are not whole."""
    if isinstance(dimension, Choice):
        return dimension.values
    return tuple(dimension.at(share) for share in (0.0, 2**-20, 0.382, 0.618, 1 - 2**-53))


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


def round_within(value: float, low: float, high: float) -> float:
    """Returns a number to four digits, or the end of a range that it would leave by that."""
    return min(max(float(f"{value:.4g}"), float(low)), float(high))


def _trains(name: str, one: Dimension) -> bool:
    """Whether a dimension is an option of the model, or a field of training that takes all of its values."""
    try:
        return all(Training(**split_point({name: value})[1]) for value in list_values(one))
    except ValueError:
        return False


def _rise(low: object, high: object) -> bool:
    """Whether two ends are finite numbers that a file can hold, the first the lower."""
    if not (isinstance(low, (int, float)) and isinstance(high, (int, float))):
        return False
    try:
        return -math.inf < float(f"{low:.4g}") < float(f"{high:.4g}") < math.inf
    except OverflowError:  # of whole numbers that no float holds
        return False
