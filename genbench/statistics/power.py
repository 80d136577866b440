"""How many seeds decide a part."""

from __future__ import annotations

import math
from statistics import fmean, variance

from genbench.core.effect import Effect, noise_of
from genbench.statistics.contests import (
    LEAST,
    compare_pairs,
    find_contest,
    summarise_sides,
    unseen_chance,
)

#: the chance of deciding that a number of seeds is to give
POWER = 0.8
#: more than this is as good as never
MOST = 9999


def count_needed_seeds(effect: Effect, alpha: float) -> int | None:
    """Returns how many seeds decide a part four times in five, were its mean and spread the true ones.

    Normal quantiles with Guenther's correction for Student's; None where the mean is so near the bar that
    no number of seeds up to 9,999 does, or what seeds cannot reduce hides it, or nothing is known.

    References:
        | Sample Size Formulas for Normal Theory t Tests (Guenther, 1981)

    Arguments:
        effect: The part.
        alpha: The two-sided error that it may make.
    """
    from scipy.special import ndtri

    about = _describe(effect)
    if about is None:
        return None
    mean, spread, noise, choices = about
    apart = abs(mean - effect.bar)
    sure, power = float(-ndtri(alpha / choices / 2)), float(ndtri(POWER))
    room = apart**2 / (sure + power) ** 2 - noise**2
    if effect.exact or room <= 0:
        return 1 if effect.exact and apart else None
    needed = spread / room + sure**2 / (2 if find_contest(effect) is None else 4)
    while (
        needed <= MOST and effect.jump and unseen_chance(math.ceil(needed)) * effect.jump >= apart
    ):
        needed += 1
    return max(LEAST, math.ceil(needed)) if needed <= MOST else None


def _describe(effect: Effect) -> tuple[float, float, float, int] | None:
    """The mean, a seed's variance, the noise and among how many it was chosen; None without values."""
    contest = find_contest(effect)
    if contest is not None:
        sides = summarise_sides(effect, contest)
        pair = sides[0].get(contest.ours), sides[1].get(contest.theirs)
        ours, theirs = pair
        if ours is None or theirs is None or min(ours.n, theirs.n) < 2:
            return None
        noise = max(noise_of(row) for side in contest.sides for row in side.values())
        mean = ours.mean - theirs.mean
        choices = len(sides[0]) if mean > effect.bar else len(sides[1])
        pairs = {} if contest.independent else compare_pairs(effect, contest)
        both = pairs.get((contest.ours, contest.theirs))
        spread = both.variance if both is not None else ours.variance + theirs.variance
        return mean, spread, noise, choices
    values = [v for v in effect.values.values() if math.isfinite(v)]
    if len(values) < 2:
        return None
    spread = max(variance(values), effect.resolution**2 / 12)
    return fmean(values), spread, noise_of(effect.values), 1
