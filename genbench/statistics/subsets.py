"""Effects of some of their seeds."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import replace

from genbench.core.effect import Effect, Scores, Values, match_effects


def keep_values(values: Values, seeds: Container[int]) -> Scores:
    """Returns values of those of their seeds that are among these; they know what they knew."""
    sides = getattr(values, "sides", None)
    return Scores(
        {s: v for s, v in values.items() if s in seeds},
        getattr(values, "noise", 0.0),
        independent=getattr(values, "independent", False),
        sides=None
        if sides is None
        else (keep_values(sides[0], seeds), keep_values(sides[1], seeds)),
        beyond={(s, side) for s, side in getattr(values, "beyond", ()) if s in seeds},
        origin=getattr(values, "origin", None),
        failed={(s, side) for s, side in getattr(values, "failed", ()) if s in seeds},
        rare=getattr(values, "rare", ()),
    )


def keep_seeds(effect: Effect, seeds: Container[int]) -> Effect:
    """Returns an effect of those of its seeds that are among these, its contest and its sides likewise."""
    contest = effect.contest
    if contest is not None:
        pairs = {pair: keep_values(values, seeds) for pair, values in contest.pairs.items()}
        ours, theirs = (
            {n: keep_values(row, seeds) for n, row in side.items()} for side in contest.sides
        )
        contest = replace(contest, pairs=pairs, sides=(ours, theirs))
    tried = None if effect.tried is None else frozenset(s for s in effect.tried if s in seeds)
    return replace(effect, values=keep_values(effect.values, seeds), contest=contest, tried=tried)


def look_back(
    effects: Sequence[Effect], read: Callable[[int], Sequence[Effect]], count: int
) -> list[Effect]:
    """Returns effects as they were when only so many first seeds were there.

    Arguments:
        effects: Of all seeds.
        read: Reads the effects anew of that many first seeds, as what failed counts as the worst of those
            that are there, and who is best may be chosen by other seeds.
        count: The seeds.
    """
    own, seeds = read(count), range(count)
    rest = [keep_seeds(effect, seeds) for effect in effects]
    return [
        old if k is None else replace(old, values=own[k].values, contest=own[k].contest)
        for old, k in zip(rest, match_effects(effects, own), strict=True)
    ]


def drop_seed(effect: Effect, seed: int) -> Effect:
    """Returns an effect without a seed's values, as if that had been tried and given none."""
    rest = keep_seeds(effect, effect.tried_seeds - {seed})
    return replace(rest, tried=effect.tried_seeds)
