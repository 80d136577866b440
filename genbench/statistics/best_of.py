"""The best of several draws: what a search is expected to find after so many trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from genbench.statistics.intervals import LEVEL

RESAMPLES = 9999


@dataclass(frozen=True)
class ExpectedBest:
    """The expected best of k trials, and its bootstrap interval over trials.

    Arguments:
        k: How many trials.
        value: The expectation.
        low: The interval's lower end.
        high: The interval's upper end.
    """

    k: int
    value: float
    low: float
    high: float


def weights(n: int, k: int, *, replacement: bool = False) -> list[float]:
    r"""Returns what each of n values counts in the expected least of k draws, the least value first.

    .. math::
        w_i = \binom{n-i}{k-1} \Big/ \binom{n}{k} \quad\text{or}\quad
        w_i = \Big(\frac{n-i+1}{n}\Big)^k - \Big(\frac{n-i}{n}\Big)^k

    Without replacement the expectation over samples of n is exactly that of the least of k new draws;
    with replacement (Dodge's estimator) it is too pessimistic, the more so the nearer k is to n.

    References:
        | Show Your Work: Improved Reporting of Experimental Results (Dodge et al., 2019), section 3
        | Showing Your Work Doesn't Always Work (Tang et al., 2020), section 3
        | Are GANs Created Equal? A Large-Scale Study (Lucic et al., 2018), section 5

    Arguments:
        n: How many values.
        k: How many draws; without replacement at most n.
        replacement: Whether a value may be drawn twice.

    Raises:
        ValueError: If k is below 1, or above n without replacement.
    """
    if k < 1 or (k > n and not replacement):
        raise ValueError(f"k must be in 1 … {n}, got {k}")
    if replacement:
        return [((n - i + 1) / n) ** k - ((n - i) / n) ** k for i in range(1, n + 1)]
    return [math.comb(n - i, k - 1) / math.comb(n, k) for i in range(1, n + 1)]


def expected_best(values: Sequence[float], k: int, *, replacement: bool = False) -> float:
    """Returns the expected least of k draws of values.

    Arguments:
        values: Finite scores of independent trials, the lower the better.
        k: How many draws.
        replacement: As in `weights`.
    """
    counts = weights(len(values), k, replacement=replacement)
    return math.fsum(w * v for w, v in zip(counts, sorted(values), strict=True))


def expected_best_curve(
    values: Sequence[float], ks: Sequence[int], *, level: float = LEVEL
) -> list[ExpectedBest]:
    """Returns the expected best of k trials for several k, with percentile bootstrap intervals.

    Trials are resampled, 9,999 times from a fixed rng. Near k = n hardly more than the best trial counts,
    and an interval there is too narrow: it cannot know of better trials than were made.

    Arguments:
        values: Finite scores of independent trials, the lower the better.
        ks: How many trials; those above the number of values are left out.
        level: The nominal coverage.
    """
    import numpy as np

    n = len(values)
    ks = [k for k in ks if k <= n]
    x = np.sort(np.asarray(values, dtype=float))
    again = np.sort(x[np.random.default_rng(0).integers(0, n, (RESAMPLES, n))], axis=1)
    tails = [(1 - level) / 2, (1 + level) / 2]
    curve = []
    for k in ks:
        low, high = np.quantile(again @ np.asarray(weights(n, k)), tails)
        curve.append(ExpectedBest(k, expected_best(values, k), float(low), float(high)))
    return curve
