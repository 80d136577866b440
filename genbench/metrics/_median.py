"""The median distance between points, exact, in bounded memory."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from genbench.points import memmap
from genbench.points.pairwise import Cloud, Look, Steps, together

#: the most distances that are held and sorted at once to find their median
HELD = 2**21
#: points, and ranks to either side in shares, from which the median is guessed where pairs are many
GUESSED, MARGIN = 2048, 0.02
BINS = 4096


def median_distance(x: Tensor) -> float:
    """Returns the median distance over all pairs of points (N, D), exactly, in bounded memory.

    Of an even number of pairs it is the mean of the middle two distances.
    """
    return together([median_of(Cloud(x))])[0][0]


def median_of(x: Cloud) -> Steps[float]:
    """The same, by looks at all pairs."""
    pairs = len(x) * (len(x) - 1) // 2
    ranks = ((pairs - 1) // 2, pairs // 2)
    # rounding may take the longest distance beyond its bound
    top = 4 * float(x.norms.max()) * (1 + 1e-9) + 1e-300
    low, high = (0.0, top) if pairs <= HELD else _guess(x)
    while True:
        bracket = Bracket(low, high, x.x.device)
        yield [Look(x, x, bracket.see)]
        if not bracket.below <= ranks[0] < bracket.below + bracket.inside:
            low, high = 0.0, top  # the guess was wrong
        elif bracket.inside <= HELD or high - low <= 1e-13 * top:
            return sum(math.sqrt(value) for value in bracket.at(ranks)) / 2
        else:
            low, high = bracket.narrowed(ranks[0])


class Bracket:
    """Squared distances of pairs i < j in an interval: their number, a histogram, and, if few, all.

    Arguments:
        low: The interval's lower end.
        high: Its upper end.
        device: Where the distances are.
    """

    def __init__(self, low: float, high: float, device: torch.device) -> None:
        self.low, self.high = low, high
        self.below, self.inside, self.above = 0, 0, math.inf
        self.counts = torch.zeros(BINS, dtype=torch.float64, device=device)
        #: those inside as long as they are few; once they are not, they are counted instead
        self.distances: list[Tensor] = []

    def see(self, row: int, column: int, tile: Tensor) -> None:
        """Looks at a tile of a set with itself."""
        if row == column:
            rows, columns = torch.triu_indices(*tile.shape, offset=1, device=tile.device)
            tile = tile[rows, columns]
        squares = tile.clamp_min(0)
        if not squares.numel():
            return
        # of numbers, not of truth values, comparisons are vectorised
        self.below += int(torch.lt(squares, self.low, out=torch.empty_like(squares)).sum())
        beyond = functional.threshold(squares, self.high, math.inf)
        self.above = min(self.above, float(beyond.amin()))
        inside = squares.masked_select(squares.clamp(self.low, self.high) == squares)
        self.inside += len(inside)
        self.distances.append(inside)
        if self.inside > HELD:
            self._count()

    def _count(self) -> None:
        """Takes those at hand into the histogram."""
        if self.high > self.low:
            for part in self.distances:
                self.counts += torch.histc(part, BINS, self.low, self.high)
        self.distances.clear()

    def narrowed(self, rank: int) -> tuple[float, float]:
        """Returns an interval of three bins around a rank."""
        ends = self.counts.cumsum(0) + self.below
        # one bin of slack either way, since histc and a comparison may round an edge differently
        at = min(int(torch.searchsorted(ends, rank + 0.5)), BINS - 1)
        step = (self.high - self.low) / BINS
        first, last = max(at - 1, 0), min(at + 1, BINS - 1)
        return self.low + first * step, min(self.high, self.low + (last + 1) * step)

    def at(self, ranks: tuple[int, ...]) -> list[float]:
        """Returns the squared distances of these ranks among all."""
        ordered = torch.cat(self.distances).sort().values if self.distances else None
        # more than can be held are left only when all are one number, up to rounding
        middle = (self.low + self.high) / 2
        return [
            self.above
            if rank >= self.below + self.inside
            else (middle if ordered is None else float(ordered[rank - self.below]))
            for rank in ranks
        ]


def _guess(x: Cloud) -> tuple[float, float]:
    """The interval in which a few points would have the median."""
    step = -(-len(x) // GUESSED)
    few = Cloud(memmap.take(x.x, torch.arange(0, len(x), step)))
    rows, columns = torch.triu_indices(len(few), len(few), offset=1, device=x.x.device)
    squares = (few.left(0, len(few)) @ few.right(0, len(few)).T)[rows, columns]
    ordered = squares.clamp_min_(0).sort().values
    middle, reach = len(ordered) // 2, math.ceil(MARGIN * len(ordered))
    low, high = max(0, middle - reach), min(len(ordered) - 1, middle + reach)
    return float(ordered[low]), float(ordered[high])
