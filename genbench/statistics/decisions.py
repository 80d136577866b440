"""Decides effects look by look: on which side of its bar each lies, all of them together at 5 %."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from functools import partial

from genbench.core.claim import Outcome
from genbench.core.effect import Effect
from genbench.statistics.contests import LEAST, estimate, find_contest, find_unbounded
from genbench.statistics.flattered import OpenEnd, find_flattered_pairs, find_flattered_sides
from genbench.statistics.intervals import LEVEL, Estimate
from genbench.statistics.looks import ALPHA, Looks
from genbench.statistics.subsets import keep_seeds

#: the effects as they are read of so many first seeds
Read = Callable[[int], Sequence[Effect]]


def decide(
    effects: Sequence[Effect], looks: Looks | None = None, read: Read | None = None
) -> list[tuple[Outcome, int | None]]:
    """Returns what every effect says after all looks, and at how many seeds that was decided.

    A look waits for the seeds that it asks of a part, and the other parts do not wait with it. A part that is
    open is judged again at its last look as others are decided, whose share of the error it gets.

    Arguments:
        effects: Of all seeds.
        looks: When they are judged; None for once.
        read: Gives them, in this order, as they are read of the first seeds of a look; without it seeds are
            left out of what all gave.
    """
    outcomes: list[Outcome] = ["inconclusive"] * len(effects)
    at: list[int | None] = [None] * len(effects)
    sequences = [looks and looks.of(effect.planned) for effect in effects]
    counts = sorted({count for own in sequences if own is not None for count in own.counts})
    for count in counts or (None,):
        own = [_last_look(e, looks, count) for e, looks in zip(effects, sequences, strict=True)]
        early = {k for k, look in enumerate(own) if look == 0}
        if len(early) == len(effects):
            continue
        parts = _parts_at(effects, own, read)
        now = holm_outcomes(parts, partial(_level_of, sequences, own), outcomes, early)
        for k, (old, new) in enumerate(zip(outcomes, now, strict=True)):
            if new != old:
                tried = len(effects[k].values if effects[k].exact else effects[k].tried_seeds)
                at[k] = min(own[k] or tried, tried)
        outcomes = now
    return list(zip(outcomes, at, strict=True))


def find_deciding_intervals(
    effects: Sequence[Effect],
    outcomes: Sequence[Outcome],
    looks: Looks | None = None,
    read: Read | None = None,
) -> list[tuple[float, Estimate] | None]:
    """Returns by which interval, and at which coverage, each part that is left open was judged last.

    It is wider than the one at 95 % that tables show, since parts and looks share the error. None of parts
    that are decided, or that wait for seeds.

    Arguments:
        effects: Of all seeds.
        outcomes: What `decide` gave of them.
        looks: As for `decide`.
        read: As for `decide`.
    """
    open_ = [k for k, outcome in enumerate(outcomes) if outcome == "inconclusive"]
    sequences = [looks and looks.of(effect.planned) for effect in effects]
    own = [
        _last_look(e, looks, looks and looks.last)
        for e, looks in zip(effects, sequences, strict=True)
    ]
    found: list[tuple[float, Estimate] | None] = [None] * len(effects)
    if not open_:
        return found
    parts = _parts_at(effects, own, read)
    for k in open_:
        if own[k] != 0:
            level = _level_of(sequences, own, k, ALPHA / len(open_))
            found[k] = level, decide_by(parts[k], level)
    return found


def _last_look(effect: Effect, looks: Looks | None, count: int | None) -> int | None:
    """The last of a part's looks up to a count whose seeds were tried; 0 before the first, None for all."""
    if looks is None or count is None:
        return None
    return max((c for c in looks.counts if c <= count and has_tried(effect, c)), default=0)


def _level_of(
    sequences: Sequence[Looks | None], own: Sequence[int | None], place: int, alpha: float
) -> float:
    """The coverage by which a part is decided at its last look, if it may err so often in all."""
    looks, count = sequences[place], own[place]
    if looks is None or count is None:
        return 1 - alpha
    return looks.level(looks.counts.index(count), alpha)


def _parts_at(
    effects: Sequence[Effect], own: Sequence[int | None], read: Read | None
) -> list[Effect]:
    """The effects of the first seeds of their own looks, read anew where there are more."""
    whole: dict[int | None, Sequence[Effect]] = {None: effects}
    for count in {count for count in own if count is not None}:
        if read is None or all(max(e.tried_seeds, default=-1) < count for e in effects):
            whole[count] = [keep_seeds(effect, range(count)) for effect in effects]
        else:
            whole[count] = read(count)
    return [whole[count][k] for k, count in enumerate(own)]


def has_tried(effect: Effect, count: int) -> bool:
    """Returns whether an effect was tried with so many first seeds; of an exact one the first says all."""
    return effect.exact or effect.tried_seeds.issuperset(range(count))


def say_tried(effects: Sequence[Effect], count: int) -> str:
    """Returns how many of the first seeds effects were tried with, the least of them."""
    some = min(len(effect.tried_seeds.intersection(range(count))) for effect in effects)
    return f"{some} of {count} seeds so far"


def holm_outcomes(
    effects: Sequence[Effect],
    level_of: Callable[[int, float], float] = lambda place, alpha: 1 - alpha,
    before: Sequence[Outcome] | None = None,
    early: Container[int] = (),
) -> list[Outcome]:
    """Returns what every effect says: as parts are decided, the others' intervals may be narrower.

    Arguments:
        effects: The parts.
        level_of: Maps a part's place and the error that it may make to the coverage of its interval.
        before: What was decided at earlier looks, and stays.
        early: Places of parts that wait for seeds; they keep their share of the error.
    """
    outcomes: list[Outcome] = ["inconclusive"] * len(effects)
    outcomes = list(before) if before is not None else outcomes
    while open_ := [k for k, outcome in enumerate(outcomes) if outcome == "inconclusive"]:
        share = ALPHA / len(open_)
        decided: dict[int, Outcome] = {
            k: outcome_of(effects[k], level_of(k, share)) for k in open_ if k not in early
        }
        if set(decided.values()) <= {"inconclusive"}:
            break
        for k, outcome in decided.items():
            outcomes[k] = outcome
    return outcomes


def outcome_of(effect: Effect, level: float = LEVEL) -> Outcome:
    """Returns what one effect says by itself at a level."""
    few = len(effect.values) < LEAST and not (effect.exact and effect.values)
    if few or effect.waits_for:
        return "inconclusive"
    interval = decide_by(effect, level)
    if interval.low is None or interval.high is None:
        return "inconclusive"
    if interval.n < LEAST and not effect.exact:  # of values some of which are not a number
        return "inconclusive"
    if interval.low == interval.high and not effect.exact:
        return "inconclusive"
    unsafe = effect.beyond | (
        find_flattered_sides(effect) if find_contest(effect) is None else set()
    )
    if interval.low > effect.bar and -1 not in unsafe:
        return "supported" if effect.wanted == "above" else "refuted"
    if interval.high < effect.bar and 1 not in unsafe:
        return "refuted" if effect.wanted == "above" else "supported"
    return "inconclusive"


def decide_by(effect: Effect, level: float) -> Estimate:
    """Returns the interval that decides an effect.

    It is without an end that rows of equal values would give it, or seeds that failed in their own favour.
    """
    contest = find_contest(effect)
    if contest is None:
        return estimate(effect, level)
    ends = find_unbounded(effect, contest) | find_flattered_pairs(effect, contest)
    return estimate(effect, level, ends)


def is_flattered(effect: Effect) -> bool:
    """Returns whether seeds that failed count as values on the good side of the bar."""
    contest = find_contest(effect)
    if contest is None:
        return bool(find_flattered_sides(effect))
    return bool(find_flattered_pairs(effect, contest))


def seeds_are_alike(effect: Effect, interval: Estimate) -> bool:
    """Returns whether values that are all equal, and random, leave an interval no width, or no end."""
    if effect.exact or interval.low is None or interval.high is None:
        return False
    contest = find_contest(effect)
    ends = set[OpenEnd]() if contest is None else find_unbounded(effect, contest)
    decisive = estimate(effect, LEVEL, ends)
    endless = any(end is not None and math.isinf(end) for end in (decisive.low, decisive.high))
    return interval.low == interval.high or endless
