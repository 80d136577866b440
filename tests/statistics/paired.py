"""The paired test of two rows of values, one pair at a time: what the ranking's must agree with."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.special import stdtr
from scipy.stats import skew, ttest_1samp

from genbench.statistics.intervals import ENOUGH, Estimate, mean_interval
from genbench.statistics.moments import LONGEST, ROUNDING, SKEW


@dataclass(frozen=True)
class Difference:
    """A paired difference a - b over common seeds, with the two-sided p of the paired t test.

    `p` is None with fewer than five common seeds: too few to tell.
    """

    estimate: Estimate
    p: float | None


def paired_difference(a: Mapping[int, float], b: Mapping[int, float]) -> Difference:
    """Returns a - b over the seeds that both have, with interval and p.

    Arguments:
        a: One value per seed, keyed by seed.
        b: The other's values.
    """
    differences = _differences(a, b)
    return Difference(mean_interval(differences), _p(differences))


def _differences(a: Mapping[int, float], b: Mapping[int, float]) -> list[float]:
    seeds = sorted(s for s in a if s in b and math.isfinite(a[s]) and math.isfinite(b[s]))
    return [d for seed in seeds if math.isfinite(d := a[seed] - b[seed])]


def _p(differences: Sequence[float]) -> float | None:
    """The two-sided p of the one-sample t test, t smaller where a skewed mean asks for a longer arm.

    Differences that are all equal say nothing.
    """
    n = len(differences)
    if n < ENOUGH:
        return None
    size = max(map(abs, differences))
    if max(differences) - min(differences) <= ROUNDING * size:
        return 1.0
    differences = [d / size for d in differences]
    mean, t = statistics.fmean(differences), ttest_1samp(differences, 0.0).statistic
    longer = 1 - SKEW * math.copysign(1, mean) * skew(differences, bias=False) / math.sqrt(n)
    return float(2 * stdtr(n - 1, -abs(t) / min(max(longer, 1.0), LONGEST)))
