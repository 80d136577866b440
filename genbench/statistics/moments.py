"""Moments of rows of seeds, and the arms of intervals of their means, which leave room for skewed values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, variance

from genbench.core.effect import Values

#: the arm towards which values are drawn out is longer by so many times the skewness of the mean, and at most
#: so many times as long; by simulation (`tests/proof/judge.py`)
SKEW, LONGEST = 3.5, 2.0
#: with fewer degrees of freedom between rows their spreads have little in common
LEAST_FREEDOM = 4.0
#: fewer rows than this say too little of how much spreads differ
LEAST_ROWS = 4
#: a row whose variance is above this quantile of what the others' lead to expect keeps its own
WIDE = 0.99
#: half the chance with which values all alike may hide an event of one resolution
HIDDEN = 0.025
#: values that differ by no more than this share of their size are equal but for rounding
ROUNDING = 1e-12


@dataclass(frozen=True)
class RowMoments:
    """What is needed of a row for the interval of its mean.

    Arguments:
        mean: The mean.
        variance: Of a seed.
        n: How many seeds.
        freedom: The variance's degrees of freedom.
        skewness: Of a seed's values, in standard deviations.
    """

    mean: float
    variance: float
    n: int
    freedom: float
    skewness: float = 0.0


def summarise(row: Values, resolution: float = 0.0) -> RowMoments:
    """Returns a row's moments; the variance is at least that of a rounding error of the resolution.

    Of values all alike it is at least that of a step of one resolution as rare as these may hide: eight
    outcomes of 1 come of a chance of .63 once in forty times.
    """
    values = list(row.values())
    n, mean = len(values), fmean(values)
    own = math.fsum((v - mean) ** 2 for v in values) / (n - 1) if n > 1 else math.inf
    if are_equal(values):
        rare = 1 - HIDDEN ** (1 / n)
        own = resolution**2 * rare * (1 - rare)
    spread, skewness = max(own, resolution**2 / 12), 0.0
    if n > 2 and spread > 0:
        deviation = math.sqrt(spread)
        cubes = math.fsum(((v - mean) / deviation) ** 3 for v in values)
        skewness = cubes * n / ((n - 1) * (n - 2))
    return RowMoments(mean, spread, n, max(n - 1, 0), skewness)


def are_equal(values: Sequence[float]) -> bool:
    """Returns whether several numbers are equal but for rounding; infinite ones and a single one are not."""
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return False
    return max(values) - min(values) <= ROUNDING * max(map(abs, values))


def moderate(rows: Sequence[RowMoments]) -> list[RowMoments]:
    """Returns rows whose variances and skewnesses lean on each other as far as they vary by chance.

    Empirical Bayes: true variances are taken to follow a scaled inverse chi-square distribution, whose
    centre and degrees of freedom are those of the rows; small variances grow towards it. Skewnesses are
    drawn towards their mean. Rows are left as they are where they are fewer than four or spreads differ
    widely, and so is a row that is too wide for the others.

    References:
        | Linear Models and Empirical Bayes Methods for Assessing Differential Expression (Smyth, 2004),
        | sections 6.1 and 6.2
    """
    from scipy.special import fdtri

    able = [m for m in rows if 0 < m.variance < math.inf]
    if len(able) < LEAST_ROWS or len(able) < len(rows):
        return list(rows)
    centre, freedom = _fit_spreads(able)
    if freedom < LEAST_FREEDOM:
        return list(rows)
    total, common = sum(m.freedom for m in able), min(freedom, 1e9)
    wide = [m.variance > centre * float(fdtri(m.freedom, common, WIDE)) for m in rows]
    others = iter(_draw_skewness([m for m, own in zip(rows, wide, strict=True) if not own]))
    return [
        m if own else _shrink(next(others), centre, freedom, total)
        for m, own in zip(rows, wide, strict=True)
    ]


def _fit_spreads(rows: Sequence[RowMoments]) -> tuple[float, float]:
    """The centre of rows' variances and its degrees of freedom, endless where they differ by chance alone."""
    from scipy.optimize import brentq
    from scipy.special import digamma, polygamma

    halves = [m.freedom / 2 for m in rows]
    logs = [
        math.log(m.variance) - float(digamma(h)) + math.log(h)
        for m, h in zip(rows, halves, strict=True)
    ]
    excess = variance(logs) - fmean(float(polygamma(1, h)) for h in halves)
    if excess <= 0:
        return math.exp(fmean(logs)), math.inf
    half = brentq(lambda h: float(polygamma(1, h)) - excess, 1e-4, 1e8)
    assert isinstance(half, float)
    return math.exp(fmean(logs) + float(digamma(half)) - math.log(half)), 2 * half


def _draw_skewness(rows: Sequence[RowMoments]) -> list[RowMoments]:
    """Rows whose skewnesses lie between their own and the mean one."""
    if len(rows) < LEAST_ROWS or min(m.n for m in rows) < 3:
        return list(rows)
    mean = fmean(m.skewness for m in rows)
    chance = fmean(skewness_variance(m.n) for m in rows)
    excess = max(variance([m.skewness for m in rows]) - chance, 0.0)
    share = excess / (excess + chance)
    return [replace(m, skewness=mean + share * (m.skewness - mean)) for m in rows]


def skewness_variance(n: int) -> float:
    """Returns the variance of the skewness that n normal values show."""
    return 6 * n * (n - 1) / ((n - 2) * (n + 1) * (n + 3))


def _shrink(m: RowMoments, centre: float, freedom: float, most: float) -> RowMoments:
    """A row with a variance between its own and the common one, but no less than its own.

    A row that is wider than others by chance alone cannot be told from one that is wide; it has no more
    freedom than all rows have.
    """
    if math.isinf(freedom):
        return replace(m, variance=max(centre, m.variance), freedom=most)
    both = freedom + m.freedom
    mixed = (freedom * centre + m.freedom * m.variance) / both
    return replace(m, variance=max(mixed, m.variance), freedom=min(both, most))


def mean_arms(rows: Sequence[RowMoments], noise: float, level: float) -> tuple[float, float]:
    """Returns both arms of the interval of a mean, or of a difference of means: below and above.

    Student's arms, or Welch's with Satterthwaite's degrees of freedom. Means of few skewed values err in
    one direction: where no seed has come out far on the drawn-out side, mean and spread are both
    too small. As in Johnson's test the arm on that side grows with the skewness of the mean; by a multiple
    of it, since few seeds show a part of their skewness alone.

    References:
        | The Generalization of "Student's" Problem (Welch, 1947)
        | Modified t Tests and Confidence Intervals for Asymmetrical Populations (Johnson, 1978)

    Arguments:
        rows: The one row, or the two of which the second is taken from the first.
        noise: A standard deviation that does not fall with seeds and is known.
        level: The two-sided coverage.
    """
    parts = [(m.variance / m.n, m.freedom) for m in rows]
    total = sum(part for part, _ in parts) + noise**2
    below = sum(part**2 / df for part, df in parts if df)
    freedom = total**2 / below if below > 0 else math.inf
    arm = quantile(level, freedom) * math.sqrt(total)
    skewness = skewness_of(rows, total)
    return arm * lengthen(-skewness), arm * lengthen(skewness)


def skewness_of(rows: Sequence[RowMoments], total: float) -> float:
    """Returns the skewness of a mean, or of a difference of means, whose variance is given."""
    if not total > 0:
        return 0.0
    shares = [m.skewness / math.sqrt(m.n) * (m.variance / m.n / total) ** 1.5 for m in rows]
    return shares[0] - sum(shares[1:])


def lengthen(skewness: float) -> float:
    """Returns how many times as long an arm is towards which the mean has this skewness."""
    return min(max(1 + SKEW * skewness, 1.0), LONGEST)


def quantile(level: float, freedom: float) -> float:
    """The quantile of Student's t, or of the normal distribution for endless degrees of freedom."""
    from scipy.special import ndtri, stdtrit

    tail = (1 + level) / 2
    return float(ndtri(tail) if math.isinf(freedom) else stdtrit(freedom, tail))
