"""Rare events: how far one run in many lies off its like, which few seeds need not show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from genbench.core.noise import find_number


@dataclass(frozen=True)
class RareEvent:
    """An event that any seed of a row may have, as runs of the same family have had on the same data.

    Arguments:
        share: Which share of those runs had it.
        plain: By how much it moves a seed's value, on average.
        log: By how much it moves the logarithm.
        side: To which side: 1 up, -1 down, 0 to one that nobody knows.
    """

    share: float
    plain: float
    log: float
    side: int

    def turned(self, sign: int) -> RareEvent:
        """Returns the event of values whose order is kept (1), reversed (-1), or neither (0)."""
        return replace(self, side=sign * self.side)

    def mapped(
        self, function: Callable[[float], float], values: Iterable[float], way: int
    ) -> RareEvent:
        """Returns the event of a function of values, by how far and where it would move that of each of them.

        Arguments:
            function: The function.
            values: The values.
            way: Whether it rises with the values (1), falls (-1), or does neither (0), where it has no number
                so far off.
        """
        moves = [
            (before, after)
            for v in values
            for side in self.sides
            if (before := find_number(function, v)) is not None
            and (after := find_number(function, v + side * self.plain)) is not None
        ]
        if not moves:
            return self.turned(way)
        plain, log = (
            math.fsum(size(*pair) for pair in moves) / len(moves) for size in (_distance, log_size)
        )
        signs = {math.copysign(1, after - before) for before, after in moves if after != before}
        return RareEvent(self.share, plain, log, int(signs.pop()) if len(signs) == 1 else 0)

    @property
    def sides(self) -> tuple[int, ...]:
        """The sides to which it may lead."""
        return (self.side,) if self.side else (-1, 1)

    def of_logs(self) -> RareEvent:
        """Returns the event of logarithms of the values; both sizes are the same then."""
        return replace(self, plain=self.log)

    def beside(self, level: float) -> RareEvent:
        """Returns the event of a difference of such values, whose logarithm moves as its level has it."""
        share = self.plain / level
        return replace(
            self, log=-math.log1p(-share) if self.side < 0 and share < 1 else math.log1p(share)
        )

    def shrunk(self, unit: float) -> RareEvent:
        """Returns the event of values that were divided by a unit."""
        return replace(self, plain=self.plain / unit, log=self.log / unit)


def log_size(value: float, after: float) -> float:
    """Returns how far a logarithm moves with its value; without one, the value's move over its size."""
    if value > 0 and after > 0:
        return abs(math.log(after) - math.log(value))
    return math.log1p(abs(after - value) / abs(value)) if value else 0.0


def _distance(value: float, after: float) -> float:
    return abs(after - value)


def rare_of(values: Mapping[int, float], sign: int = 1) -> tuple[RareEvent, ...]:
    """Returns the rare events that values know of, of the same values times a sign."""
    events: Iterable[RareEvent] = getattr(values, "rare", ())
    return tuple(event.turned(sign) for event in events)
