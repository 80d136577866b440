"""The best and the worst of several ways, chosen without looking at what is measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean

from genbench.core.effect import Values


def rank_across_seeds(rows: Mapping[str, Values]) -> dict[int, float]:
    """Returns for each seed the log ratio of the worst row to the best, as the other seeds rank them.

    The seed that is measured does not choose, so that chance makes no difference where there is none.
    """
    ratios = {}
    for seed, means in rank_by_others(rows).items():
        worst, best = (rows[pick(means, key=means.__getitem__)][seed] for pick in (max, min))
        ratios[seed] = math.log(worst / best)
    return ratios


def rank_by_others(rows: Mapping[str, Values]) -> dict[int, dict[str, float]]:
    """Returns for each seed the rows' mean logarithms over the other seeds; nothing for fewer than two."""
    seeds = sorted(set.intersection(*(set(row) for row in rows.values())))
    return {
        seed: {
            key: fmean(math.log(row[s]) for s in seeds if s != seed) for key, row in rows.items()
        }
        for seed in (seeds if len(seeds) > 1 else [])
    }
