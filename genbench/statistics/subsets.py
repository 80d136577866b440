"""Effects of some of their seeds."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from genbench.core.effect import Effect, Scores, Values


def keep_seeds(effect: Effect, seeds: Container[int]) -> Effect:
    """Returns an effect of those of its seeds that are among these, its contest and its sides likewise."""

    def rest(values: Values) -> Scores:
        some = {s: v for s, v in values.items() if s in seeds}
        sides = getattr(values, "sides", None)
        both = (rest(sides[0]), rest(sides[1])) if sides is not None else None
        beyond = {(s, side) for s, side in getattr(values, "beyond", ()) if s in seeds}
        return Scores(some, getattr(values, "noise", 0.0), sides=both, beyond=beyond)

    contest = effect.contest
    if contest is not None:
        pairs = {pair: rest(values) for pair, values in contest.pairs.items()}
        ours, theirs = ({n: rest(row) for n, row in side.items()} for side in contest.sides)
        contest = replace(contest, pairs=pairs, sides=(ours, theirs))
    tried = None if effect.tried is None else frozenset(s for s in effect.tried if s in seeds)
    return replace(effect, values=rest(effect.values), contest=contest, tried=tried)


def drop_seed(effect: Effect, seed: int) -> Effect:
    """Returns an effect without a seed's values, as if that had been tried and given none."""
    rest = keep_seeds(effect, effect.tried_seeds - {seed})
    return replace(rest, tried=effect.tried_seeds)
