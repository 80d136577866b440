"""The median distance between points, exact, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from genbench.metrics import _tiles

#: the most distances that are held and sorted at once to find their median
HELD = 2**21


def median_distance(x: Tensor) -> float:
    """Returns the median distance over all pairs of points (N, D), exactly, in bounded memory.

    Of an even number of pairs it is the mean of the middle two distances.
    """
    left, right = _tiles.square_factors(x)
    pairs = len(x) * (len(x) - 1) // 2
    lower, upper = (pairs - 1) // 2, pairs // 2
    top = 4 * float(_tiles.squared_norms(x).max()) + 1e-300
    low, high, inside = 0.0, top, pairs
    while inside > HELD and high - low > 1e-13 * top:
        low, high, inside = _narrow(left, right, lower, low, high)
    below, above, within, held = 0, math.inf, 0, []
    for squares in _squares(left, right):
        below += int((squares < low).sum())
        above = min(above, float(torch.where(squares > high, squares, math.inf).min()))
        found = squares[(squares >= low) & (squares <= high)]
        within += len(found)
        # more than can be held are left only when all are one number, up to rounding
        held.append(found if inside <= HELD else found.new_tensor([(low + high) / 2]))
    ordered = torch.cat(held).sort().values
    values = (
        above if rank >= below + within else float(ordered[min(rank - below, len(ordered) - 1)])
        for rank in (lower, upper)
    )
    return sum(math.sqrt(value) for value in values) / 2


def _narrow(
    left: Tensor, right: Tensor, rank: int, low: float, high: float, bins: int = 4096
) -> tuple[float, float, int]:
    """An interval of three bins around a rank, and how many squared distances it holds."""
    counts, below = torch.zeros(bins, dtype=torch.float64, device=left.device), 0
    for squares in _squares(left, right):
        counts += torch.histc(squares, bins, low, high)
        below += int((squares < low).sum())
    ends = counts.cumsum(0) + below
    # one bin of slack either way, since histc and a comparison may round an edge differently
    at = min(int(torch.searchsorted(ends, rank + 0.5)), bins - 1)
    first, last = max(at - 1, 0), min(at + 1, bins - 1)
    step = (high - low) / bins
    return low + first * step, low + (last + 1) * step, int(counts[first : last + 1].sum())


def _squares(left: Tensor, right: Tensor) -> Iterator[Tensor]:
    """Yields the squared distances of all pairs i < j, a flat piece at a time."""
    for row, column, tile in _tiles.products(left, right, symmetric=True):
        pairs = tile.flatten()
        if row == column:
            rows, columns = torch.triu_indices(*tile.shape, offset=1, device=tile.device)
            pairs = tile[rows, columns]
        if len(pairs):
            yield pairs.clamp_min_(0)
