"""How many seeds decide a part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, variance

from genbench.core.effect import Contest, Effect, noise_of
from genbench.statistics.contests import (
    LEAST,
    RowMoments,
    compare_pairs,
    find_contest,
    quantile,
    summarise_sides,
    unseen_chance,
)
from genbench.statistics.intervals import LEVEL, mean_interval

#: the chance of deciding that a number of seeds is to give
POWER = 0.8
#: more than this is as good as never
MOST = 9999


def count_needed_seeds(effect: Effect, alpha: float) -> int | None:
    """Returns how many seeds decide a part four times in five, were its mean and spread the true ones.

    Normal quantiles with Guenther's correction for Student's. Of skewed values the spread is the one that
    the arm of their interval towards the bar stands for; in a contest every pair that has to be decided
    counts, as in `contests.compare_sides`. None where the mean is so near the bar that no number of seeds
    up to 9,999 does, where what seeds cannot reduce hides it, where seeds are all alike and the measure's
    resolution is not declared, or where nothing is known.

    References:
        | Sample Size Formulas for Normal Theory t Tests (Guenther, 1981)

    Arguments:
        effect: The part.
        alpha: The two-sided error that it may make.
    """
    contest = find_contest(effect)
    needed = (
        _count_for_row(effect, alpha)
        if contest is None
        else _count_for_contest(effect, contest, alpha)
    )
    return max(1 if effect.exact else LEAST, math.ceil(needed)) if needed <= MOST else None


def _count_for_row(effect: Effect, alpha: float) -> float:
    """Seeds that decide one row of values, not rounded; infinite where no number does."""
    values = [v for v in effect.values.values() if math.isfinite(v)]
    if len(values) < 2:
        return math.inf
    mean = fmean(values)
    if effect.exact:
        return 1 if mean != effect.bar else math.inf
    own = mean_interval(values)
    end = own.low if mean > effect.bar else own.high
    assert end is not None
    deviation = abs(mean - end) / quantile(LEVEL, own.n - 1)
    spread = max(variance(values), own.n * deviation**2, effect.resolution**2 / 12)
    return _count(effect, mean - effect.bar, spread, noise_of(effect.values), alpha)


def _count_for_contest(effect: Effect, contest: Contest, alpha: float) -> float:
    """Seeds with which one of ours beats all of theirs by the bar, or one of theirs keeps ours below."""
    ours, theirs = summarise_sides(effect, contest)
    rows = (*ours.values(), *theirs.values())
    if contest.ours not in ours or contest.theirs not in theirs or min(m.n for m in rows) < 2:
        return math.inf
    pairs = {} if contest.independent else compare_pairs(effect, contest)
    noise = max(noise_of(row) for side in contest.sides for row in side.values())
    above = ours[contest.ours].mean - theirs[contest.theirs].mean > effect.bar
    own_side, others = (ours, theirs) if above else (theirs, ours)

    def count(one: str, other: str) -> float:
        pair = (one, other) if above else (other, one)
        moments: Sequence[RowMoments] = (
            (pairs[pair],) if pairs else (ours[pair[0]], theirs[pair[1]])
        )
        apart = ours[pair[0]].mean - theirs[pair[1]].mean - effect.bar
        if (apart > 0) != above:
            return math.inf
        spread = sum(m.variance for m in moments)
        return _count(effect, apart, spread, noise, alpha / len(own_side), len(moments))

    return min(max(count(one, other) for other in others) for one in own_side)


def _count(
    effect: Effect, apart: float, spread: float, noise: float, alpha: float, rows: int = 1
) -> float:
    """Seeds that tell a mean from the bar, not rounded; infinite where no number does.

    Arguments:
        effect: The part, whose rare events leave room.
        apart: How far the mean is from the bar.
        spread: The variance of a seed's value, of rows together.
        noise: A standard deviation that does not fall with seeds.
        alpha: The two-sided error.
        rows: 2 for a difference of independent rows, whose degrees of freedom are twice as many.
    """
    from scipy.special import ndtri

    sure, power = float(-ndtri(alpha / 2)), float(ndtri(POWER))
    room = apart**2 / (sure + power) ** 2 - noise**2
    if room <= 0 or not spread:
        return math.inf
    needed = spread / room + sure**2 / (2 * rows)
    jump = effect.jump
    while needed <= MOST and jump and unseen_chance(math.ceil(needed)) * jump >= abs(apart):
        needed += 1
    return needed
