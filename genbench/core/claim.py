"""Claims: sentences from the literature, the runs they need and a judge. The contract alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from genbench.core.registry import Registry

Outcome = Literal["supported", "refuted", "mixed", "inconclusive"]


@dataclass(frozen=True)
class Run:
    """Cells that a claim reads: one model on one data set, for a number of seeds and a budget."""

    model: str
    dataset: str
    seeds: int = 8
    steps: int = 4000
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What the measurements say: an outcome, the effect with its 95 % interval, and a sentence."""

    outcome: Outcome
    effect: float | None = None
    interval: tuple[float, float] | None = None
    seeds: int = 0
    because: str = ""


#: maps (run, column) to one value a seed, keyed by seed; empty where cells are missing
Scores = Callable[[Run, str], Mapping[int, float]]


@dataclass(frozen=True)
class Claim:
    """A registered claim; its function judges scores and types no verdict in."""

    name: str
    function: Callable[[Scores], Verdict]
    statement: str
    paper: str
    runs: tuple[Run, ...]


CLAIMS: Registry[Claim] = Registry("claim", "genbench.claims")


def claim(
    name: str, *, statement: str, paper: str, runs: tuple[Run, ...]
) -> Callable[[Callable[[Scores], Verdict]], Callable[[Scores], Verdict]]:
    """Returns a decorator that registers a judge under a name, its file's name."""

    def register(function: Callable[[Scores], Verdict]) -> Callable[[Scores], Verdict]:
        CLAIMS.add(name, Claim(name, function, statement, paper, runs))
        return function

    return register
