"""Ranks over seeds: who is significantly better than whom, and which ranks that leaves open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Literal

from genbench.statistics.intervals import ENOUGH, LEVEL, holm, mean_interval
from genbench.statistics.moments import HIDDEN, LONGEST, ROUNDING, SKEW

if TYPE_CHECKING:
    import numpy as np

#: differences that are in memory at once, so that many rows of many seeds need no gigabytes
AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Ranking:
    """Which of some names are significantly better than which others.

    A name's rank lies between one more than the number of names that are significantly better, and
    the number of names that are not significantly worse. Where the pairs were tested together at
    5 %, all true ranks lie within these ends in 95 % of tables.

    References:
        | Inference for Ranks with Applications to Mobility across Neighbourhoods and Academic
        | Achievement across Countries (Mogstad, Romano, Shaikh and Wilhelm, 2024)

    Arguments:
        order: The names from the best mean to the worst.
        above: For every name, those that are significantly better.
    """

    order: tuple[str, ...]
    above: Mapping[str, frozenset[str]]

    @cached_property
    def below(self) -> dict[str, frozenset[str]]:
        """For every name, those that are significantly worse."""
        return {
            name: frozenset(other for other in self.order if name in self.above[other])
            for name in self.order
        }

    def ends(self, name: str) -> tuple[int, int]:
        """Returns the best and the worst rank that the data leave open."""
        return 1 + len(self.above[name]), len(self.order) - len(self.below[name])

    def alike(self, name: str) -> list[str]:
        """Returns the names that cannot be distinguished from one, in order, without it."""
        apart = self.above[name] | self.below[name]
        return [other for other in self.order if other != name and other not in apart]

    def cliques(self, most: int = 12) -> list[tuple[str, ...]] | None:
        """Returns the critical-difference groups: largest sets of names of which no two differ.

        Names that differ from all others are in none. They are sorted by their best names; None
        where there are more than `most`, which nobody could read.

        References:
            | Statistical Comparisons of Classifiers over Multiple Data Sets (Demšar, 2006)
        """
        alike = {name: set(self.alike(name)) for name in self.order}
        cliques = list(islice(_maximal(set(), set(self.order), set(), alike), most + 1))
        if len(cliques) > most:
            return None
        place = {name: i for i, name in enumerate(self.order)}
        places = [sorted(place[name] for name in clique) for clique in cliques if len(clique) > 1]
        return [tuple(self.order[i] for i in clique) for clique in sorted(places)]


def make_ranking(
    scores: Mapping[str, Mapping[int, float]],
    better: Literal["lower", "higher"],
    noise: Callable[[float, float], float] | None = None,
    *,
    resolution: float = 0.0,
) -> Ranking:
    """Returns who is significantly better than whom: paired t tests, Holm's correction, 5 %.

    Skewed differences leave room as they do in verdicts (`moments.mean_arms`).
    All pairs are one family, over the seeds that both have; pairs of fewer than five common seeds
    are not distinguished, nor are pairs whose differences are all alike where the measure's resolution is
    not known. So a row with a huge spread differs from nothing, and changes the rank of no other row.
    Names without a value are left out.

    Arguments:
        scores: For every name, one value per seed.
        better: Whether lower or higher values are better.
        noise: Maps two means to the standard deviation that test set and extractor leave between them.
        resolution: The finest step that the measure can tell, or 0 where it is not known.
    """
    sign = 1.0 if better == "lower" else -1.0
    means = {name: mean_interval(list(values.values())).mean for name, values in scores.items()}
    order = [name for _, name in sorted((sign * m, n) for n, m in means.items() if m is not None)]
    above: dict[str, set[str]] = {name: set() for name in order}
    if len(order) > 1:
        first, second, p, difference = pairwise([scores[name] for name in order], resolution)
        if noise is not None:
            p = _with_noise(p, [means[name] or 0.0 for name in order], first, second, noise)
        for i, j, adjusted, d in zip(first, second, holm(p.tolist()), difference, strict=True):
            if adjusted < 1 - LEVEL:
                winner, loser = (i, j) if sign * d < 0 else (j, i)
                above[order[loser]].add(order[winner])
    return Ranking(tuple(order), {name: frozenset(names) for name, names in above.items()})


def _with_noise(
    p: np.ndarray,
    means: Sequence[float],
    first: np.ndarray,
    second: np.ndarray,
    noise: Callable[[float, float], float],
) -> np.ndarray:
    """The p of differences whose error has a part that seeds do not show: never less than that part's own.

    A difference has to stand out against seeds and against noise together: z-values of both add as
    errors do, 1/z² = 1/z_seeds² + 1/z_noise².
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    x = np.asarray(means)
    spread = np.array(
        [noise(float(x[i]), float(x[j])) for i, j in zip(first, second, strict=True)]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        seeds = -ndtri(p / 2)
        other = np.abs(x[first] - x[second]) / spread
        z = 1 / np.sqrt(1 / seeds**2 + 1 / other**2)
    return np.where(spread > 0, 2 * ndtr(-np.nan_to_num(z)), p)


def pairwise(
    rows: Sequence[Mapping[int, float]], resolution: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns for all pairs i < j: i, j, the two-sided p of the paired t test, the mean difference.

    The error of the mean is the longer by the skewness of the differences, as in `moments.mean_arms`. The
    variance of differences is at least what `moments.summarise` takes of this resolution. p is 1 with fewer
    than five common seeds, and for differences that are all alike where no resolution is known: that seeds
    agree does not say how far another would. Mean differences are scaled to at most 1 in size.

    Arguments:
        rows: One value per seed.
        resolution: The finest step that the measure can tell, or 0 where it is not known.
    """
    import numpy as np

    seeds = sorted({seed for row in rows for seed in row})
    x = np.array([[row.get(seed, np.nan) for seed in seeds] for row in rows], dtype=float)
    first, second = np.triu_indices(len(rows), 1)
    pieces = max(1, -(-len(first) * max(1, len(seeds)) // AT_ONCE))
    parts = [
        _paired(x[i], x[j], resolution)
        for i, j in zip(np.array_split(first, pieces), np.array_split(second, pieces), strict=True)
    ]
    p, difference = (np.concatenate(column) for column in zip(*parts, strict=True))
    return first, second, p, difference


def _paired(a: np.ndarray, b: np.ndarray, resolution: float) -> tuple[np.ndarray, np.ndarray]:
    """The p and the mean of scaled differences over the last axis, values that are not finite left out."""
    import numpy as np
    from scipy.special import stdtr

    with np.errstate(all="ignore"):
        d = a - b
        finite = np.isfinite(d)
        n = finite.sum(-1)
        d = np.where(finite, d, 0.0)
        largest = np.where(finite, np.maximum(np.abs(a), np.abs(b)), 0.0).max(-1, initial=0.0)
        size = np.abs(d).max(-1, initial=0.0)
        size = np.where(size > 0, size, 1.0)
        d = d / size[:, None]
        mean = d.sum(-1) / np.maximum(n, 1)
        high = np.where(finite, d, -np.inf).max(-1, initial=-np.inf)
        low = np.where(finite, d, np.inf).min(-1, initial=np.inf)
        spread = np.where(finite, d - mean[:, None], 0.0)
        variance = (spread**2).sum(-1) / np.maximum(n - 1, 1)
        alike = high - low <= ROUNDING * largest / size
        rare = 1 - HIDDEN ** (1 / np.maximum(n, 1))
        least = np.where(alike, np.maximum(rare * (1 - rare), 1 / 12), 1 / 12)
        error = np.sqrt(np.maximum(variance, (resolution / size) ** 2 * least) / np.maximum(n, 1))
        skewness = _mean_skewness(spread, error, n)
        longer = np.clip(1 - SKEW * np.sign(mean) * skewness, 1.0, LONGEST)
        p = 2 * stdtr(np.maximum(n - 1, 1), -np.abs(mean) / error / longer)
    untold = (n < ENOUGH) | (alike & (not resolution > 0))
    return np.where(untold, 1.0, p), mean


def _mean_skewness(spread: np.ndarray, error: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The skewness of means of n values, by their deviations and the means' standard errors."""
    import numpy as np

    deviation = (error * np.sqrt(n))[:, None]
    third = ((spread / deviation) ** 3).sum(-1) * n / np.maximum((n - 1) * (n - 2), 1)
    return np.nan_to_num(third / np.sqrt(np.maximum(n, 1)))


def _maximal(
    clique: set[str], rest: set[str], done: set[str], alike: Mapping[str, set[str]]
) -> Iterator[set[str]]:
    """All maximal cliques, by Bron and Kerbosch with a pivot."""
    if not rest and not done:
        yield clique
        return
    pivot = max(rest | done, key=lambda name: (len(alike[name] & rest), name))
    for name in sorted(rest - alike[pivot]):
        yield from _maximal(clique | {name}, rest & alike[name], done & alike[name], alike)
        rest = rest - {name}
        done = done | {name}
