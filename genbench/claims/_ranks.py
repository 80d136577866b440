"""The best and the worst of several ways, chosen without looking at what is measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import permutations
from statistics import fmean

from genbench.core.effect import Contest, Values, compare_best, fill_failed, log_ratio


def fill_rows(rows: Mapping[str, Values]) -> dict[str, Values]:
    """Returns rows in which a failure has the worst value of all of them; as they are where all failed."""
    (filled,) = fill_failed(rows)
    return {name: filled.get(name, row) for name, row in rows.items()}


def compare_extremes(rows: Mapping[str, Values]) -> Contest:
    """Compares the worst row with the best: the largest of the log ratios of two rows.

    The interval is simultaneous over the choice of both, as a contest's is. A seed that failed has the worst
    value of all rows.
    """
    rows = fill_rows(rows)
    ratios = {
        f"{one} over {other}": log_ratio(rows[one], rows[other])
        for one, other in permutations(rows, 2)
    }
    seeds = sorted(set().union(*rows.values()))
    return compare_best(ratios, {"no difference": dict.fromkeys(seeds, 0.0)}, "higher")


def choose_by_half(rows: Mapping[str, Values]) -> tuple[str, list[int]]:
    """Returns the least row by the even seeds, and the odd seeds, which are left to measure.

    Seeds that are measured do not choose, and those that choose are not measured, so that the values of the
    odd ones are independent and an interval of theirs is right, whatever is chosen. Nothing is chosen where
    either half has no seed that all rows have.

    Arguments:
        rows: By name, of values above 0.
    """
    seeds = sorted(set.intersection(*map(set, rows.values()))) if rows else []
    even, odd = ([s for s in seeds if s % 2 == half] for half in (0, 1))
    if not even or not odd:
        return "", []
    return min(rows, key=lambda name: fmean(math.log(rows[name][s]) for s in even)), odd
