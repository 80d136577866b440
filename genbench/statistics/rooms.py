"""The room that intervals leave for a rare event that so few seeds need not show."""

from __future__ import annotations

from functools import lru_cache

from genbench.core.effect import Values
from genbench.core.rare import rare_of

#: the chance with which a rare event, of which room is left for one, would have been seen
UNSEEN = 0.05
#: the chance with which a model of a family is more prone to an event than room is left for
PRONE = 0.025
#: half an event: how unlike models of a family are in how often they fail, the first parameter of a beta
#: distribution, as in Jeffreys' prior; `make judge` tries families that are more unlike, and less
UNLIKE = 0.5


def unseen_chance(n: int) -> float:
    """Returns the largest chance of an event that n seeds fail to show once in twenty times."""
    return 1 - UNSEEN ** (1 / n) if n else 1.0


def likely_chance(n: int, share: float) -> float:
    """Returns the largest chance that a row of n seeds which show no event is likely to have.

    A model's chance is taken to be one of its family's, which are beta distributed; the family's share is
    their mean, and n seeds without an event make large ones less likely (the posterior's upper quantile).

    Arguments:
        n: How many seeds.
        share: The share of the family's runs with an event.
    """
    if not share > 0:
        return 0.0
    return _quantile(UNLIKE, UNLIKE * (1 - share) / share + n, 1 - PRONE)


@lru_cache(maxsize=4096)
def _quantile(a: float, b: float, chance: float) -> float:
    from scipy.special import betaincinv

    return float(betaincinv(a, b, chance))


def find_rooms(
    row: Values, other: Values | None = None, *, jump: float = 0.0, seeds: int | None = None
) -> tuple[float, float]:
    """Returns how far rare events may lead a mean below and above what its seeds show.

    Arguments:
        row: The row of values.
        other: Where a difference of means is estimated, the row that is taken from it.
        jump: How far an event that was declared for all may move a seed, to either side.
        seeds: Of how many seeds the rows are taken to be; of as many as they have if None.
    """
    rows = [(row, 1), *([(other, -1)] if other is not None else [])]
    counts = [seeds or len(values) for values, _ in rows]
    declared = unseen_chance(min(counts)) * jump
    rooms = {-1: 0.0, 1: 0.0}
    for (values, sign), n in zip(rows, counts, strict=True):
        for event in rare_of(values, sign):
            for side in event.sides:
                rooms[side] += likely_chance(n, event.share) * event.plain
    return max(declared, rooms[-1]), max(declared, rooms[1])
