"""How many seeds decide a part."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from genbench.core.effect import Contest, Effect, Values, noise_of
from genbench.statistics.contests import (
    LEAST,
    compare_pairs,
    find_contest,
    noise_between,
    scale_down,
    summarise_row,
    summarise_sides,
)
from genbench.statistics.flattered import find_flattered_pairs, find_flattered_sides
from genbench.statistics.moments import (
    RowMoments,
    lengthen,
    quantile,
    skewness_of,
    skewness_variance,
)
from genbench.statistics.rooms import find_rooms

#: the chance of deciding that a number of seeds is to give
POWER = 0.8
#: more than this is as good as never
MOST = 9999
#: quantiles of the normal distribution that stand for all of it, each for an equal share
POINTS = 15


@dataclass(frozen=True)
class Gap:
    """What has to be told from the bar.

    Arguments:
        moments: Of a row, or of two of which the second is taken from the first.
        beyond: How far their mean is beyond the bar.
        room: Maps a number of seeds to how far rare events may lead their mean towards the bar.
    """

    moments: Sequence[RowMoments]
    beyond: float
    room: Callable[[int], float]


def count_needed_seeds(effect: Effect, alpha: float) -> int | None:
    """Returns how many seeds decide a part four times in five, were its moments the true ones.

    The chance is that of the arms that decide (`moments.mean_arms`): Student's t of so many seeds, made
    longer by the skewness that is known and by what so many seeds show of it by chance. In a contest one of
    ours has to beat all of theirs: the chances of its pairs are multiplied, which promises too little
    rather than too much, since they share a row. None where no number of seeds up to 9,999 decides, where
    what seeds cannot reduce hides it, where seeds may lie across the bar from what they count as, where seeds
    are all alike and the measure's resolution is not declared, or where nothing is known.

    Arguments:
        effect: The part.
        alpha: The two-sided error that it may make.
    """
    effect, _ = scale_down(effect)
    contest = find_contest(effect)
    if contest is None:
        row = summarise_row(effect)
        if row is None or row.n < 2:
            return None
        beyond = row.mean - effect.bar
        if -math.copysign(1, beyond) in effect.beyond | find_flattered_sides(effect):
            return None
        if effect.exact:
            return None if beyond == 0 else 1
        sign = math.copysign(1, beyond)
        ways = [[Gap(_orient([row], sign), abs(beyond), _leave_room(effect, sign, effect.values))]]
        noise = noise_of(effect.values)
    else:
        ways, alpha = _list_ways(effect, contest, alpha)
        noise = noise_between(contest)
    able = [way for way in ways if all(gap.beyond > 0 and _varies(gap.moments) for gap in way)]

    def decides(n: int) -> bool:
        return any(
            math.prod(_chance(g.moments, g.beyond - g.room(n), noise, alpha, n) for g in way)
            >= POWER
            for way in able
        )

    return _find_least(decides) if able else None


def _list_ways(effect: Effect, contest: Contest, alpha: float) -> tuple[list[list[Gap]], float]:
    """For each entrant of the side that is ahead, its gaps to all of the other; and the error of each."""
    ours, theirs = summarise_sides(effect, contest)
    rows = (*ours.values(), *theirs.values())
    if contest.ours not in ours or contest.theirs not in theirs or min(m.n for m in rows) < 2:
        return [], alpha
    pairs = {} if contest.independent else compare_pairs(effect, contest)
    above = ours[contest.ours].mean - theirs[contest.theirs].mean > effect.bar
    if (-1 if above else 1) in effect.beyond:
        return [], alpha
    own, others = (ours, theirs) if above else (theirs, ours)

    def gap(one: str, other: str) -> Gap:
        a, b = (one, other) if above else (other, one)
        moments = [pairs[a, b]] if pairs else [ours[a], theirs[b]]
        sign, beyond = 1 if above else -1, ours[a].mean - theirs[b].mean - effect.bar
        room = _leave_room(effect, sign, contest.sides[0][a], contest.sides[1][b])
        return Gap(_orient(moments, sign), sign * beyond, room)

    side, flattered = -1 if above else 1, find_flattered_pairs(effect, contest)

    def is_open(one: str) -> bool:
        pairs = ((one, other) if above else (other, one) for other in others)
        return any((*pair, side) in flattered for pair in pairs)

    ways = [[gap(one, other) for other in others] for one in own if not is_open(one)]
    return ways, alpha / len(own)


def _orient(rows: Sequence[RowMoments], sign: float) -> list[RowMoments]:
    """Moments of rows whose values are turned where the sign is negative, but for their means."""
    return [replace(m, skewness=sign * m.skewness) for m in rows]


def _leave_room(effect: Effect, sign: float, *rows: Values) -> Callable[[int], float]:
    """How far rare events may lead rows' mean to the side that is nearer to the bar, by seeds."""
    side = 0 if sign > 0 else 1
    return lambda n: find_rooms(*rows, jump=effect.jump, seeds=n)[side]


def _varies(rows: Sequence[RowMoments]) -> bool:
    return sum(m.variance for m in rows) > 0


def _chance(rows: Sequence[RowMoments], gap: float, noise: float, alpha: float, n: int) -> float:
    """The chance that n seeds tell a gap from 0, by the normal approximation to Student's noncentral t.

    References:
        | Handbook of Mathematical Functions (Abramowitz and Stegun, 1964), equation 26.7.10
    """
    rows = [replace(m, n=n, freedom=max(m.freedom + n - m.n, 1)) for m in rows]
    parts = [m.variance / n for m in rows]
    total = sum(parts) + noise**2
    below = sum(part**2 / m.freedom for part, m in zip(parts, rows, strict=True))
    freedom = total**2 / below if below > 0 else math.inf
    student, shift = quantile(1 - alpha, freedom), gap / math.sqrt(total)
    skewness = skewness_of(rows, total)
    spread = math.sqrt(sum((part / total) ** 3 for part in parts) * skewness_variance(n) / n)

    def decided(z: float) -> float:
        arm = student * lengthen(-skewness - spread * z)
        return _normal((shift - arm * (1 - 0.25 / freedom)) / math.sqrt(1 + arm**2 / 2 / freedom))

    return sum(map(decided, _points())) / POINTS


def _normal(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


@lru_cache
def _points() -> tuple[float, ...]:
    from scipy.special import ndtri

    return tuple(float(ndtri((k + 0.5) / POINTS)) for k in range(POINTS))


def _find_least(decides: Callable[[int], bool]) -> int | None:
    """The least number of seeds that decides, of those that may; None above the most."""
    low, high = LEAST - 1, LEAST
    while not decides(high):
        low, high = high, 2 * high
        if low >= MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high if high <= MOST else None
