"""Effects: what a claim comes down to, one value a seed, and the arithmetic that leads there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

#: one value a seed
Values = Mapping[int, float]


@dataclass(frozen=True)
class Effect:
    """A measured effect and from where on it speaks for the claim.

    Arguments:
        name: What it is, e.g. "fid of the best other family over that of the best GAN, log".
        values: One value a seed; none where nothing has been measured.
        bar: The smallest effect of interest: on one side of it the claim holds, on the other not.
        wanted: On which side of the bar the claim holds.
        unit: Of the values, "" for pure numbers.
        exact: The value is no draw (a closed form, a count), so that one seed says all.
        judged: Whether the verdict rests on it; others are shown beside.
    """

    name: str
    values: Values
    bar: float = 0.0
    wanted: Literal["above", "below"] = "above"
    unit: str = ""
    exact: bool = False
    judged: bool = True


def difference(a: Values, b: Values) -> dict[int, float]:
    """Returns a - b over the seeds that both have."""
    return _pairs(a, b, lambda x, y: x - y)


def log_ratio(a: Values, b: Values) -> dict[int, float]:
    """Returns log(a / b) over the seeds that both have with positive values."""
    return _pairs(a, b, lambda x, y: math.log(x / y) if x > 0 and y > 0 else math.nan)


def mapped(function: Callable[[float], float], values: Values) -> dict[int, float]:
    """Returns a function of every value."""
    return {seed: function(value) for seed, value in values.items()}


def best(
    rows: Mapping[str, Values], better: Literal["lower", "higher"]
) -> tuple[dict[int, float], str]:
    """Returns the values of the best of several, chosen without looking, and whose they are.

    For every seed the row with the best mean over the *other* seeds gives the value, so that no
    value takes part in its own selection and the best of many equals is no better than one.

    Arguments:
        rows: By name, one value a seed; rows of fewer than two seeds are no candidates.
        better: Which way is better.

    Returns:
        One value a seed, where the chosen row has one; and the name chosen most often, or "".
    """
    sign = 1.0 if better == "lower" else -1.0
    rows = {name: values for name, values in rows.items() if len(values) > 1}
    values: dict[int, float] = {}
    chosen: list[str] = []
    for seed in sorted({seed for row in rows.values() for seed in row}):
        mean = {n: fmean(v for s, v in row.items() if s != seed) for n, row in rows.items()}
        name = min(mean, key=lambda n: sign * mean[n])
        chosen.append(name)
        if seed in rows[name]:
            values[seed] = rows[name][seed]
    return values, max(chosen, key=chosen.count, default="")


def _pairs(a: Values, b: Values, law: Callable[[float, float], float]) -> dict[int, float]:
    found = {seed: law(a[seed], b[seed]) for seed in sorted(a) if seed in b}
    return {seed: value for seed, value in found.items() if math.isfinite(value)}
