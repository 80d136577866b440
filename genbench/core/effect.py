"""Effects: what a claim comes down to, one value per seed, and the arithmetic that leads there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

#: one value per seed
Values = Mapping[int, float]


@dataclass(frozen=True)
class Contest:
    """The best of one side against the best of the other.

    Arguments:
        ours: Who has our side's best mean, or "" without values.
        theirs: Who has the other's.
        pairs: For each of ours and theirs, by how much ours is better, one value per seed.
    """

    ours: str
    theirs: str
    pairs: Mapping[tuple[str, str], Values]

    @property
    def values(self) -> Values:
        """By how much our best is better than theirs."""
        return self.pairs.get((self.ours, self.theirs), {})

    @property
    def who(self) -> str:
        """Who they are, in brackets."""
        return f" ({self.ours} against {self.theirs})" if self.values else ""


@dataclass(frozen=True)
class Effect:
    """A measured effect, and the bar beyond which it supports the claim.

    Arguments:
        name: What it is, e.g. "fid of the best other family over that of the best GAN, log".
        values: One value per seed; none where nothing has been measured.
        bar: The smallest effect of interest: the claim holds on one side of it and not on the other.
        wanted: On which side of the bar the claim holds.
        unit: Of the values, "" for pure numbers.
        exact: The value is not random (a closed form, a count), so that one seed says all.
        judged: Whether the verdict rests on it; others are listed beside.
        contest: Where the values are of the best of several, all of them, so that the interval
            accounts for the choice.
    """

    name: str
    values: Values
    bar: float = 0.0
    wanted: Literal["above", "below"] = "above"
    unit: str = ""
    exact: bool = False
    judged: bool = True
    contest: Contest | None = None


def difference(a: Values, b: Values) -> dict[int, float]:
    """Returns a - b over the seeds that both have."""
    return _pairs(a, b, lambda x, y: x - y)


def log_ratio(a: Values, b: Values) -> dict[int, float]:
    """Returns log(a / b) over the seeds that both have with positive values."""
    return _pairs(a, b, lambda x, y: math.log(x / y) if x > 0 and y > 0 else math.nan)


def map_values(function: Callable[[float], float], values: Values) -> dict[int, float]:
    """Returns a function of every value, by seed."""
    return {seed: function(value) for seed, value in values.items()}


def compare_best(
    ours: Mapping[str, Values],
    theirs: Mapping[str, Values],
    better: Literal["lower", "higher"],
    *,
    log: bool = False,
) -> Contest:
    """Compares the best of one side with the best of the other; positive where ours is better.

    Arguments:
        ours: By name, one value per seed; rows without values are left out.
        theirs: The other side's.
        better: Which way is better.
        log: Whether differences are of logarithms, so that they are ratios.
    """
    take = log_ratio if log else difference
    sign = 1.0 if better == "higher" else -1.0
    pairs = {
        (a, b): map_values(lambda v: sign * v, take(ours[a], theirs[b]))
        for a in ours
        for b in theirs
        if ours[a] and theirs[b]
    }
    return Contest(_best(ours, sign), _best(theirs, sign), pairs)


def _best(rows: Mapping[str, Values], sign: float) -> str:
    means = {name: sign * fmean(row.values()) for name, row in rows.items() if row}
    return max(means, key=means.__getitem__, default="")


def _pairs(a: Values, b: Values, combine: Callable[[float, float], float]) -> dict[int, float]:
    values = {seed: combine(a[seed], b[seed]) for seed in sorted(a) if seed in b}
    return {seed: value for seed, value in values.items() if math.isfinite(value)}
