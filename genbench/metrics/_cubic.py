"""The unbiased squared MMD under a cubic kernel, of all points and of many subsets at once."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy
import torch
from torch import Tensor

from genbench.points import memmap
from genbench.points.pairwise import STRIP, Cloud, Look, Steps

#: the row numbers of the subsets' points in `real` and in `fake`, each of shape (subsets, size)
Chosen = tuple[Tensor, Tensor]
#: the most coordinates for moments, which take F^3 / 2 numbers a set
MOMENTS = 256
#: points, at least, and numbers, about, that third moments are summed of at once: they stay in a cache
FEW, CACHED = 512, 2**15
#: rows of a set that are multiplied with the rest of it at once
ROWS = 128


def subsets_of(lengths: tuple[int, int], subsets: int, size: int, seed: int) -> Chosen:
    """Returns subsets of real and of generated points without replacement.

    Generated points are drawn first, as torch-fidelity draws its first input's.
    """
    draws = numpy.random.RandomState(seed)
    rows: tuple[list[numpy.ndarray], list[numpy.ndarray]] = ([], [])
    for _ in range(subsets):
        for kind, length in ((rows[1], lengths[1]), (rows[0], lengths[0])):
            kind.append(draws.choice(length, size, replace=False))
    real, fake = (
        torch.as_tensor(numpy.array(kind, dtype=numpy.int64).reshape(subsets, size))
        for kind in rows
    )
    return real, fake


def cubic_mmd(real: Cloud, fake: Cloud, chosen: Chosen) -> Steps[list[float]]:
    """Returns the unbiased squared MMD under (x'y/F + 1)^3 of all points, then of each subset.

    Arguments:
        real: Features, shape (N, F).
        fake: Features, shape (M, F).
        chosen: The subsets.
    """
    chosen = (chosen[0].to(real.x.device), chosen[1].to(real.x.device))
    if together_is_cheaper(len(real), len(fake), real.size, chosen):
        real_sums, fake_sums, across = yield from sums_by_tiles(real, fake, chosen)
    else:
        # plain numbers: tensors that stay would keep the heap from giving back what comes between them
        sums = [(yield from sums_of(real, fake)).tolist()]
        largest = max(rows.shape[1] for rows in chosen) if chosen[0].numel() else 0
        memory = real.centre.new_empty(largest**2)
        for rows in zip(*chosen, strict=True):
            a, b = (lift(memmap.take(x.x, r)) for x, r in zip((real, fake), rows, strict=True))
            sums.append(_sums_of_few(a, b, memory).tolist())
        real_sums, fake_sums, across = real.centre.new_tensor(sums).T
    n, m = (
        torch.tensor([len(x), *[rows.shape[1]] * len(rows)], device=x.x.device)
        for x, rows in zip((real, fake), chosen, strict=True)
    )
    own_real, own_fake = (_own(x, rows) for x, rows in zip((real, fake), chosen, strict=True))
    within = (real_sums - own_real) / (n * (n - 1)) + (fake_sums - own_fake) / (m * (m - 1))
    return (within - 2 * across / (n * m)).tolist()


def lift(x: Tensor) -> Tensor:
    """Appends a coordinate, so that x'y/F + 1 is a plain inner product."""
    return torch.cat([x / math.sqrt(x.shape[1]), x.new_ones(len(x), 1)], dim=1)


def squares(x: Cloud) -> Tensor:
    """Returns x'x/F + 1 of each point, shape (N,)."""
    squared = memmap.joined(
        memmap.blocks(x.x), len(x), lambda part: torch.linalg.vecdot(part, part)
    )
    return squared / x.size + 1


def _own(x: Cloud, rows: Tensor) -> Tensor:
    """The kernel between each point and itself, summed over all points and over each subset."""
    cubes = squares(x).pow(3)
    return torch.cat([cubes.sum().unsqueeze(0), cubes[rows].sum(dim=1)])


def _seconds_by_moments(n: int, m: int, size: int) -> float:
    """A rough count, fitted on one core; above 256 dimensions moments take too much memory."""
    return 2.5e-11 * (n + m) * (size + 1) ** 3 if size < MOMENTS else math.inf


def _seconds_by_tiles(n: int, m: int, size: int, subsets: int = 0) -> float:
    """A rough count: a pair costs its cube, its inner product and its part in each subset."""
    return (n * n / 2 + m * m / 2 + n * m) * (1.5e-9 + 4e-11 * (size + 1) + 9e-11 * subsets)


def together_is_cheaper(n: int, m: int, size: int, chosen: Chosen) -> bool:
    """Whether one pass over all pairs, for all subsets at once, costs less than each on its own."""
    subsets, rows = chosen[0].shape
    whole, single = (
        min(_seconds_by_moments(a, b, size), _seconds_by_tiles(a, b, size))
        for a, b in ((n, m), (rows, rows))
    )
    return _seconds_by_tiles(n, m, size, subsets) < whole + subsets * single


def sums_of(real: Cloud, fake: Cloud) -> Steps[Tensor]:
    """Returns the sums of (x'y/F + 1)^3 over all pairs, shape (3,): real, fake, across."""
    n, m, size = len(real), len(fake), real.size
    if _seconds_by_moments(n, m, size) < _seconds_by_tiles(n, m, size):
        return sums_by_moments(*(map(lift, memmap.blocks(x.x)) for x in (real, fake)))
    none = subsets_of((n, m), 0, 2, 0)
    return torch.cat((yield from sums_by_tiles(real, fake, none)))


def _sums_of_few(real: Tensor, fake: Tensor, memory: Tensor) -> Tensor:
    """The same of lifted points that are few, whose products lie in the memory, (N^2,) or more."""
    n, m, size = len(real), len(fake), real.shape[1] - 1
    if _seconds_by_moments(n, m, size) < _seconds_by_tiles(n, m, size):
        return sums_by_moments([real], [fake])
    within = (_sum_within(x, memory) for x in (real, fake))
    return torch.stack([*within, _sum_of_cubes(real, fake, memory)])


def _sum_within(x: Tensor, memory: Tensor) -> Tensor:
    """The same of pairs of one set, of which it computes little more than half."""
    total = x.new_zeros(())
    for i in range(0, len(x), ROWS):
        part = x[i : i + ROWS]
        own = _sum_of_cubes(part, part, memory)
        total += own + 2 * _sum_of_cubes(part, x[i + len(part) :], memory)
    return total


def _sum_of_cubes(x: Tensor, y: Tensor, memory: Tensor) -> Tensor:
    """The sum of the cubed inner products of lifted points (N, F) and (M, F).

    In memory that is used again, and a few rows at a time: fresh pages would cost more than the products.
    """
    cubes = torch.mm(x, y.T, out=memory[: len(x) * len(y)].view(len(x), len(y)))
    for part in cubes.split(STRIP):
        # as a product: pow(3) is several times slower
        part *= part.square()
    return cubes.sum()


def sums_by_moments(real: Iterable[Tensor], fake: Iterable[Tensor]) -> Tensor:
    """The same as inner products of third moments: O(N F^3), not O(N^2 F); of lifted points by parts."""
    pairs = zip(_third_moments(real), _third_moments(fake), strict=True)
    parts = [torch.stack([(x * x).sum(), (y * y).sum(), (x * y).sum()]) for x, y in pairs]
    return torch.stack(parts).sum(dim=0)


def _third_moments(parts: Iterable[Tensor]) -> list[Tensor]:
    """For each b the sums of x_a x_b x_c over points, a and c >= b, shape (F - b, F - b).

    Their squares stand for those of all orders of a, b and c: three times where b stands alone, one
    and a half times where it stands twice, since there (b, c) and (c, b) are both at hand.
    """
    moments: list[Tensor] = []
    for part in parts:
        size = part.shape[1]
        moments = moments or [part.new_zeros(size - b, size - b) for b in range(size)]
        for x in part.split(max(FEW, CACHED // size)):
            columns = x.T.contiguous()
            for b, moment in enumerate(moments):
                rest = columns[b:]
                moment.addmm_(rest * rest[:1], rest.T)
    for moment in moments:
        moment[1:, 1:] *= math.sqrt(3)
        moment[1:, 0] *= math.sqrt(1.5)
        moment[0, 1:] *= math.sqrt(1.5)
    return moments


def sums_by_tiles(
    real: Cloud, fake: Cloud, chosen: Chosen
) -> Steps[tuple[Tensor, Tensor, Tensor]]:
    """The same sums, of all points and each subset, each of shape (1 + subsets,), by one pass."""
    w, v = (_indicators(x, rows) for x, rows in zip((real, fake), chosen, strict=True))
    a, b = _offsets(real), _offsets(fake)
    sums = (Cubes(a, a, w, w, True), Cubes(b, b, v, v, True), Cubes(a, b, w, v, False))
    pairs = ((real, real), (fake, fake), (real, fake))
    yield [Look(x, y, cubes.see) for (x, y), cubes in zip(pairs, sums, strict=True)]
    return sums[0].total, sums[1].total, sums[2].total


def _indicators(x: Cloud, rows: Tensor) -> Tensor:
    """Rows of 0 and 1: first all points, then each subset's; shape (1 + subsets, N)."""
    # single bytes where they would else take more than the points' own blocks
    kind = torch.float64 if 8 * (1 + len(rows)) * len(x) <= memmap.HELD else torch.uint8
    inside = torch.zeros(1 + len(rows), len(x), dtype=kind, device=x.x.device)
    inside[0] = 1
    inside[1:].scatter_(1, rows, 1)
    return inside


def _offsets(x: Cloud) -> tuple[Tensor, int]:
    """What is left of x'y/F + 1 when the squared distance, over -2F, is taken from it; and F."""
    return squares(x) / 2, x.size


class Cubes:
    """Sums of (x'y/F + 1)^3 from squared distances, of all points and of each subset.

    A subset's is w' K w with w its indicator.

    Arguments:
        first: Of the rows, half of x'x/F + 1, (N,), and F.
        second: The same of the columns.
        w: Indicators of the rows, shape (1 + subsets, N).
        v: Indicators of the columns.
        within: Whether both are one set.
    """

    def __init__(
        self,
        first: tuple[Tensor, int],
        second: tuple[Tensor, int],
        w: Tensor,
        v: Tensor,
        within: bool,
    ) -> None:
        self.first, self.second, self.w, self.v, self.within = first[0], second[0], w, v, within
        self.scale = -1 / (2 * first[1])
        self.total = torch.zeros(len(w), dtype=torch.float64, device=w.device)

    def see(self, row: int, column: int, tile: Tensor) -> None:
        """Looks at a tile."""
        rows, columns = (
            slice(at, at + n) for at, n in zip((row, column), tile.shape, strict=True)
        )
        products = (
            (tile * self.scale).add_(self.first[rows].unsqueeze(1)).add_(self.second[columns])
        )
        cubes = products.square().mul_(products)
        part = ((self.w[:, rows].double() @ cubes) * self.v[:, columns].double()).sum(dim=1)
        self.total += 2 * part if self.within and column > row else part
