"""The gate's test: is a mean worse, beyond what seeds do?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from genbench.statistics.intervals import ENOUGH, find_unit


def worsening_p(
    base: Mapping[int, float],
    candidate: Mapping[int, float],
    sign: float,
    *,
    resolution: float = 0.0,
) -> float | None:
    """Returns the one-sided p that the candidate is no worse, or None with fewer than five seeds.

    It is the best of up to three t tests, at that many times its p. The pooled test sees shifts of
    chaotic training. The paired one, over five common seeds or more, sees small shifts of what the seed
    decides. The third is pooled on the scale asinh((v - mean) / spread) of the baseline, where values
    do not repeat: it sees seeds that collapse, which inflate the spread that the others divide by.
    Variances are pooled since unchanged code, which must raise no alarm, has equal ones.

    Arguments:
        base: One value per seed.
        candidate: The other's.
        sign: 1 where lower values are better, -1 where higher ones are.
        resolution: Where values repeat, as counts do, no standard deviation is taken to be smaller:
            five seeds that happen to agree do not make a count certain.
    """
    if min(len(base), len(candidate)) < ENOUGH:
        return None
    unit = sign * find_unit([*base.values(), *candidate.values()])
    b, c = ([v / unit for v in values.values()] for values in (base, candidate))
    repeat = len(set(b)) < len(b) or len(set(c)) < len(c)
    least = (resolution / unit) ** 2 if repeat else 0.0
    ps = [_pooled(b, c, least)]
    shifts = [candidate[seed] / unit - base[seed] / unit for seed in base if seed in candidate]
    if len(shifts) >= ENOUGH:
        error = math.sqrt(max(variance(shifts), least) / len(shifts))
        ps.append(_tail(fmean(shifts), error, len(shifts) - 1))
    mean, spread = fmean(b), math.sqrt(variance(b))
    if not repeat and spread > 0:
        folded = [[math.asinh((v - mean) / spread) for v in values] for values in (b, c)]
        ps.append(_pooled(folded[0], folded[1]))
    return min(1.0, len(ps) * min(ps))


def mean_of(values: Sequence[float]) -> float:
    """Returns the mean over seeds, also of values whose sum has no number."""
    unit = find_unit(values)
    return fmean(v / unit for v in values) * unit


def deviation(values: Sequence[float]) -> float:
    """Returns the standard deviation over seeds, also of values whose squares have no number."""
    unit = find_unit(values)
    return math.sqrt(variance([v / unit for v in values])) * unit


def variance(values: Sequence[float]) -> float:
    """Returns the unbiased variance; of a single value 0."""
    mean = fmean(values)
    return math.fsum((v - mean) ** 2 for v in values) / max(1, len(values) - 1)


def _pooled(b: Sequence[float], c: Sequence[float], least: float = 0.0) -> float:
    """The one-sided p of Student's test that the mean of c is no larger than that of b."""
    freedom = len(b) + len(c) - 2
    within = (variance(b) * (len(b) - 1) + variance(c) * (len(c) - 1)) / freedom
    error = math.sqrt(max(within, least) * (1 / len(b) + 1 / len(c)))
    return _tail(fmean(c) - fmean(b), error, freedom)


def _tail(shift: float, error: float, freedom: int) -> float:
    """The upper tail of Student's t; a shift that never varies is sure."""
    if error <= 1e-12 * abs(shift):
        return 0.0 if shift > 0 else 1.0
    from scipy.special import stdtr

    return float(stdtr(freedom, -shift / error))
