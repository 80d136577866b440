"""Intervals of the best of one side against the best of the other, and of single effects."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, variance

from genbench.core.effect import Contest, Effect, Scores, Values, fill_failed, noise_of
from genbench.statistics.intervals import LEVEL, Estimate, mean_interval
from genbench.statistics.ranking import ROUNDING

#: fewer seeds than this decide nothing: no rank test of five reaches 5 %
LEAST = 6
#: the chance with which a rare event, of which room is left for one, would have been seen
UNSEEN = 0.05


#: above 95 % the arms of few seeds are longer by so many n-ths, for the sake of skewed values; by simulation
SKEW = 2.0
#: with fewer degrees of freedom between rows their spreads have little in common
ALIKE = 4.0
#: fewer rows than this say too little of how much spreads differ
ROWS = 4


@dataclass(frozen=True)
class RowMoments:
    """A row's mean, the variance of a seed, the number of seeds, and the variance's degrees of freedom."""

    mean: float
    variance: float
    n: int
    freedom: float


def estimate(effect: Effect, level: float = LEVEL) -> Estimate:
    """Returns an effect's mean over seeds with its interval at a level.

    It is a bootstrap-t interval of one row of values, or Welch's where the best of two sides are compared;
    wider by what more seeds do not reduce (`Noise`), by a rare event that so few seeds need not show
    (`jump`), and never narrower than the measure's resolution allows. A seed that failed counts as the
    worst of all that completed. An exact effect is its own interval. Values that are all equal have an
    interval without width, unless the measure's resolution is known: how far another seed would be is not.
    """
    contest = find_contest(effect)
    if contest is not None:
        return compare_sides(effect, contest, level)
    values = [v for v in effect.values.values() if math.isfinite(v)]
    filled = [_fill(v, values) for v in effect.values.values()] if values else []
    own = mean_interval(filled, level=level)
    if effect.exact and own.mean is not None and (own.low is None or own.method == "constant"):
        return Estimate(own.n, own.mean, own.mean, own.mean, "constant")
    if own.mean is None or own.low is None or own.high is None:
        return own
    if own.method == "constant" and not effect.resolution:
        return own
    floor = quantile(level, own.n - 1) * effect.resolution / math.sqrt(12 * own.n)
    extra = quantile(level, math.inf) * noise_of(effect.values)
    room = unseen_chance(own.n) * effect.jump

    longer = 1 + SKEW / own.n if level > LEVEL else 1.0

    def arm(length: float) -> float:
        return math.hypot(max(longer * length, floor), extra) + room

    low, high = own.mean - arm(own.mean - own.low), own.mean + arm(own.high - own.mean)
    return replace(own, low=low, high=high)


def find_contest(effect: Effect) -> Contest | None:
    """Returns the contest that an effect's values are of; a difference of independent rows is one, too."""
    if effect.contest is not None:
        return effect.contest if any(effect.contest.sides) else None
    sides = getattr(effect.values, "sides", None)
    if sides is None or not all(sides):
        return None
    noise = noise_of(effect.values)
    ours, theirs = (Scores(row, noise) for row in sides)
    return Contest("ours", "theirs", {}, ({"ours": ours}, {"theirs": theirs}))


def compare_sides(
    effect: Effect,
    contest: Contest,
    level: float = LEVEL,
    untold: Container[tuple[str, str]] = (),
) -> Estimate:
    """Returns the interval of our best less their best, both chosen by the same data.

    Below: one of ours beats all of theirs, by Welch's intervals each with Bonferroni's level for the choice
    among ours; there is none for theirs, since all of them have to be beaten. Above: the same from their
    side. Rows are independent, so that seeds are not paired; their variances lean on each other as far as
    they are alike (`moderate`).

    References:
        | The Generalization of "Student's" Problem (Welch, 1947)
        | Multiparameter Hypothesis Testing and Acceptance Sampling (Berger, 1982), for the intersection

    Arguments:
        effect: The effect.
        contest: Its contest.
        level: The two-sided coverage.
        untold: Pairs whose difference is not known to any end.
    """
    ours, theirs = summarise_sides(effect, contest)
    paired = {} if contest.independent else compare_pairs(effect, contest)
    n = min((m.n for side in (ours, theirs) for m in side.values()), default=0)
    if contest.ours not in ours or contest.theirs not in theirs:
        return Estimate(n)
    mean = ours[contest.ours].mean - theirs[contest.theirs].mean
    if n < LEAST:
        return Estimate(n, mean)
    noise = max((noise_of(row) for side in contest.sides for row in side.values()), default=0.0)
    room = unseen_chance(n) * effect.jump

    def arm(a: str, b: str, choices: int) -> float:
        rows = (paired[a, b],) if paired else (ours[a], theirs[b])
        if (a, b) in untold:
            return math.inf
        return welch_arm(rows, noise, 1 - (1 - level) / choices) + room

    def gap(a: str, b: str) -> float:
        return ours[a].mean - theirs[b].mean

    low = max(min(gap(a, b) - arm(a, b, len(ours)) for b in theirs) for a in ours)
    high = min(max(gap(a, b) + arm(a, b, len(theirs)) for a in ours) for b in theirs)
    return Estimate(n, mean, low, high, "welch")


def find_alike(effect: Effect, contest: Contest) -> set[tuple[str, str]]:
    """Returns the pairs of which a row is the same in all seeds, or the difference where seeds share data.

    There are none where the measure's resolution is known; a row that failed throughout is known to be worst.
    """
    if effect.resolution:
        return set()
    ours, theirs = contest.sides
    if not contest.independent:
        x, y = fill_failed(ours, theirs)
        gaps = {(a, b): [x[a][s] - y[b][s] for s in x[a] if s in y[b]] for a in x for b in y}
        return {(a, b) for (a, b), gap in gaps.items() if _is_constant(gap)}
    return {
        (a, b)
        for a, one in ours.items()
        for b, other in theirs.items()
        if _is_constant(list(one.values())) or _is_constant(list(other.values()))
    }


def _is_constant(values: Sequence[float]) -> bool:
    """Whether several numbers are all equal but for rounding."""
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return False
    return max(values) - min(values) <= ROUNDING * max(map(abs, values))


def summarise_sides(effect: Effect, contest: Contest) -> list[dict[str, RowMoments]]:
    """Returns the moments of both sides' rows, failures filled in and variances moderated.

    Rows that failed throughout say nothing of how others vary.
    """
    sides = [
        {name: summarise(row, effect.resolution) for name, row in side.items()}
        for side in fill_failed(*contest.sides)
    ]
    places = [
        (k, name)
        for k, side in enumerate(sides)
        for name in side
        if any(map(math.isfinite, contest.sides[k][name].values()))
    ]
    moderated = moderate([sides[k][name] for k, name in places])
    for (k, name), moments in zip(places, moderated, strict=True):
        sides[k][name] = moments
    return sides


def all_failed(effect: Effect) -> bool:
    """Returns whether seeds were tried, on both sides of a contest, and none completed."""
    contest = find_contest(effect)
    sides = [{"": effect.values}] if contest is None else contest.sides
    rows = [[v for row in side.values() for v in row.values()] for side in sides]
    return all(rows) and not any(math.isfinite(v) for row in rows for v in row)


def summarise(row: Values, resolution: float = 0.0) -> RowMoments:
    """Returns a row's moments; the variance is at least that of a rounding error of the resolution."""
    values = list(row.values())
    spread = variance(values) if len(values) > 1 else math.inf
    n = len(values)
    return RowMoments(fmean(values), max(spread, resolution**2 / 12), n, max(n - 1, 0))


def moderate(rows: Sequence[RowMoments]) -> list[RowMoments]:
    """Returns rows whose variances are drawn towards each other as far as they vary by chance alone.

    Empirical Bayes: true variances are taken to follow a scaled inverse chi-square distribution, whose
    centre and degrees of freedom are those of the rows; spreads that differ widely are left as they are.
    Fewer than four rows are left as they are, and rows of which one is out of all proportion.

    References:
        | Linear Models and Empirical Bayes Methods for Assessing Differential Expression (Smyth, 2004),
        | sections 6.1 and 6.2
    """
    from scipy.optimize import brentq
    from scipy.special import digamma, polygamma

    able = [m for m in rows if 0 < m.variance < math.inf]
    if len(able) < ROWS or len(able) < len(rows):
        return list(rows)
    halves = [m.freedom / 2 for m in able]
    logs = [
        math.log(m.variance) - float(digamma(h)) + math.log(h)
        for m, h in zip(able, halves, strict=True)
    ]
    chance = fmean(float(polygamma(1, h)) for h in halves)
    excess = variance(logs) - chance
    if excess <= 0:
        freedom, centre = math.inf, math.exp(fmean(logs))
    else:
        half = brentq(lambda h: float(polygamma(1, h)) - excess, 1e-4, 1e8)
        assert isinstance(half, float)
        freedom = 2 * half
        if freedom < ALIKE:
            return list(rows)
        centre = math.exp(fmean(logs) + float(digamma(half)) - math.log(half))
    return [_shrink(m, centre, freedom, sum(m.freedom for m in able)) for m in rows]


def _shrink(m: RowMoments, centre: float, freedom: float, most: float) -> RowMoments:
    """A row's variance between its own and the common one; no more freedom than all rows have."""
    if math.isinf(freedom):
        return replace(m, variance=centre, freedom=most)
    both = freedom + m.freedom
    mixed = (freedom * centre + m.freedom * m.variance) / both
    return replace(m, variance=mixed, freedom=min(both, most))


def compare_pairs(effect: Effect, contest: Contest) -> dict[tuple[str, str], RowMoments]:
    """Returns the moments of every pair's differences by seed, where seeds share data."""
    ours, theirs = fill_failed(*contest.sides)
    return {
        (a, b): summarise({s: x[s] - y[s] for s in x if s in y}, effect.resolution)
        for a, x in ours.items()
        for b, y in theirs.items()
    }


def welch_arm(rows: Sequence[RowMoments], noise: float, level: float) -> float:
    """Returns half of Welch's interval of a difference of means, Satterthwaite's degrees of freedom.

    Arguments:
        rows: The two rows, or the one of differences.
        noise: A standard deviation that does not fall with seeds and is known.
        level: The two-sided coverage.
    """
    parts = [(m.variance / m.n, m.freedom) for m in rows]
    total = sum(part for part, _ in parts) + noise**2
    below = sum(part**2 / df for part, df in parts if df)
    freedom = total**2 / below if below > 0 else math.inf
    return quantile(level, freedom) * math.sqrt(total)


def unseen_chance(n: int) -> float:
    """Returns the largest chance of an event that n seeds fail to show once in twenty times."""
    return 1 - UNSEEN ** (1 / n) if n else 1.0


def _fill(value: float, completed: Sequence[float]) -> float:
    """A value; a failure on either side is the farthest that was measured there."""
    if math.isfinite(value):
        return value
    return max(completed) if value > 0 else min(completed)


def quantile(level: float, freedom: float) -> float:
    """The quantile of Student's t, or of the normal distribution for endless degrees of freedom."""
    from scipy.special import ndtri, stdtrit

    tail = (1 + level) / 2
    return float(ndtri(tail) if math.isinf(freedom) else stdtrit(freedom, tail))
