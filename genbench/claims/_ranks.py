"""The best and the worst of several ways, chosen without looking at what is measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean

from genbench.core.effect import Values, fill_failed


def fill_rows(rows: Mapping[str, Values]) -> dict[str, Values]:
    """Returns rows in which a failure has the worst value of all of them; as they are where all failed."""
    (filled,) = fill_failed(rows)
    return {name: filled.get(name, row) for name, row in rows.items()}


def rank_across_seeds(rows: Mapping[str, Values]) -> dict[int, float]:
    """Returns for each seed the log ratio of the worst row to the best, as the other seeds rank them.

    The seed that is measured does not choose, so that chance makes no difference where there is none. A seed
    that failed has the worst value of all rows; where all failed throughout the ratios do, too.
    """
    ratios, rows = {}, fill_rows(rows)
    for seed, means in rank_by_others(rows).items():
        worst, best = (rows[pick(means, key=means.__getitem__)][seed] for pick in (max, min))
        ratios[seed] = compare_logs(worst, best)
    return ratios


def compare_logs(one: float, other: float) -> float:
    """Returns log(one / other), infinite where both are, as all that failed throughout are."""
    return one if math.isinf(one) and one == other else math.log(one / other)


def rank_by_others(rows: Mapping[str, Values]) -> dict[int, dict[str, float]]:
    """Returns for each seed the rows' mean logarithms over the other seeds; nothing for fewer than two."""
    seeds = sorted(set.intersection(*(set(row) for row in rows.values())))
    return {
        seed: {
            key: fmean(math.log(row[s]) for s in seeds if s != seed) for key, row in rows.items()
        }
        for seed in (seeds if len(seeds) > 1 else [])
    }
