"""Failed seeds that would count in their own favour: the worst that completed satisfies the bar."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from genbench.core.effect import Contest, Effect, Values, failures_of, fill_failed, fill_row

#: an end of the interval of ours against theirs that may lie anywhere: below (-1) or above (1)
OpenEnd = tuple[str, str, int]


def find_flattered_sides(effect: Effect) -> set[int]:
    """Returns the sides on which one row's failed seeds lie farther than they count, across the bar.

    A failed seed is worse than all that completed and counts as the worst of them. Where that lies on the
    good side of the bar, as where one side need only be no worse than the other, it would be a success.
    """
    counted = fill_row(effect.values)
    return {
        side
        for seed, side in failures_of(effect.values)
        if seed in counted and side * (counted[seed] - effect.bar) <= 0
    }


def find_flattered_pairs(effect: Effect, contest: Contest) -> set[OpenEnd]:
    """Returns, for a contest, the pairs with the end of their difference that failed seeds leave open.

    Where both of a pair failed with a seed that they share, nothing says which is worse, and both ends are.
    """
    ours, theirs = fill_failed(*contest.sides)
    return {
        (a, b, side)
        for a in ours
        for b in theirs
        for side, counted in _list_failures(contest, a, b, ours[a], theirs[b])
        if side * (counted - effect.bar) <= 0
    }


def _list_failures(
    contest: Contest, a: str, b: str, ours: Values, theirs: Values
) -> Iterator[tuple[int, float]]:
    """For every failed seed of two rows, where their true difference lies, and as what it counts."""
    one, other = failures_of(contest.sides[0][a]), failures_of(contest.sides[1][b])
    if contest.independent:
        yield from ((side, ours[seed] - _mean(theirs)) for seed, side in one)
        yield from ((-side, _mean(ours) - theirs[seed]) for seed, side in other)
        return
    moved = {*one, *((seed, -side) for seed, side in other)}
    for seed, side in moved:
        if seed in ours and seed in theirs:
            yield side, ours[seed] - theirs[seed]


def _mean(row: Mapping[int, float]) -> float:
    return math.fsum(v / len(row) for v in row.values())
