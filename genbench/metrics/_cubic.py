"""The unbiased squared MMD under a cubic kernel, of all points and of many subsets at once."""

from __future__ import annotations

import math

import numpy
import torch
from torch import Tensor

from genbench.metrics import _tiles

#: the row numbers of the subsets' points in `real` and in `fake`, each of shape (subsets, size)
Chosen = tuple[Tensor, Tensor]


def subsets_of(lengths: tuple[int, int], subsets: int, size: int, seed: int) -> Chosen:
    """Returns subsets without replacement, in the order in which torch-fidelity draws them."""
    draws = numpy.random.RandomState(seed)
    rows: tuple[list[numpy.ndarray], list[numpy.ndarray]] = ([], [])
    for _ in range(subsets):
        for kind, length in zip(rows, lengths, strict=True):
            kind.append(draws.choice(length, size, replace=False))
    first, second = (
        torch.as_tensor(numpy.array(kind, dtype=numpy.int64).reshape(subsets, size))
        for kind in rows
    )
    return first, second


def cubic_mmd(real: Tensor, fake: Tensor, chosen: Chosen | None = None) -> list[float]:
    """Returns the unbiased squared MMD under (x'y/F + 1)^3 of all points, then of each subset.

    Arguments:
        real: Features, float64, shape (N, F).
        fake: Features, float64, shape (M, F).
        chosen: The subsets, or None for none.
    """
    chosen = subsets_of((len(real), len(fake)), 0, 2, 0) if chosen is None else chosen
    points, chosen = (
        (_lift(real), _lift(fake)),
        (chosen[0].to(real.device), chosen[1].to(real.device)),
    )
    sums = _sums_by_moments if _moments_are_cheaper(points, chosen) else _sums_by_tiles
    real_sums, fake_sums, across = sums(points, chosen)
    n, m = (
        torch.tensor([len(x), *[rows.shape[1]] * len(rows)], device=x.device)
        for x, rows in zip(points, chosen, strict=True)
    )
    own_real, own_fake = (_own(x, rows) for x, rows in zip(points, chosen, strict=True))
    within = (real_sums - own_real) / (n * (n - 1)) + (fake_sums - own_fake) / (m * (m - 1))
    return (within - 2 * across / (n * m)).tolist()


def _lift(x: Tensor) -> Tensor:
    """Appends a coordinate, so that x'y/F + 1 is a plain inner product."""
    return torch.cat([x / math.sqrt(x.shape[1]), x.new_ones(len(x), 1)], dim=1)


def _own(x: Tensor, rows: Tensor) -> Tensor:
    """The kernel between each point and itself, summed over all points and over each subset."""
    cubes = _tiles.squared_norms(x).pow(3)
    return torch.cat([cubes.sum().unsqueeze(0), cubes[rows].sum(dim=1)])


def _moments_are_cheaper(points: tuple[Tensor, Tensor], chosen: Chosen) -> bool:
    """Whether third moments take fewer operations than tiles, by a rough count of both."""
    size, subsets = points[0].shape[1], len(chosen[0])
    n, m = len(points[0]), len(points[1])
    by_moments = (n + m + chosen[0].numel() + chosen[1].numel()) * size**3
    # a tile's element costs its inner product, two subset products' share and about 30 for its cube
    by_tiles = (n * n / 2 + m * m / 2 + n * m) * (2 * size + 2 * subsets + 30)
    return size <= 256 and by_moments < by_tiles


def _sums_by_moments(
    points: tuple[Tensor, Tensor], chosen: Chosen
) -> tuple[Tensor, Tensor, Tensor]:
    """Sums of (x'y)^3 over pairs, as inner products of third moments: O(N F^3), not O(N^2 F)."""
    size = points[0].shape[1]
    first, second = torch.triu_indices(size, size, device=points[0].device)
    # each pair b < c stands for (b, c) and (c, b)
    weight = torch.where(first == second, 1.0, 2.0).to(points[0])
    rows = max(1, 2**21 // len(first))

    def moment(x: Tensor) -> Tensor:
        total = x.new_zeros(size, len(first))
        for part in x.split(rows):
            total.addmm_(part.T, part[:, first] * part[:, second])
        return total

    def products(real: Tensor, fake: Tensor) -> Tensor:
        a, b = moment(real), moment(fake)
        return torch.stack([(p * q * weight).sum() for p, q in ((a, a), (b, b), (a, b))])

    real, fake = points
    sums = [products(real, fake)]
    sums += [products(real[a], fake[b]) for a, b in zip(*chosen, strict=True)]
    return tuple(torch.stack(sums, dim=1))  # type: ignore[return-value]


def _sums_by_tiles(points: tuple[Tensor, Tensor], chosen: Chosen) -> tuple[Tensor, Tensor, Tensor]:
    """The same sums in one pass over all pairs: a subset's is w' K w with w its indicator."""
    real, fake = points
    w, v = (_indicators(x, rows) for x, rows in zip(points, chosen, strict=True))
    return _weighted(real, real, w, w), _weighted(fake, fake, v, v), _weighted(real, fake, w, v)


def _indicators(x: Tensor, rows: Tensor) -> Tensor:
    """Rows of 0 and 1: first all points, then each subset's; shape (1 + subsets, N)."""
    inside = x.new_zeros(1 + len(rows), len(x))
    inside[0] = 1
    inside[1:].scatter_(1, rows, 1)
    return inside


def _weighted(x: Tensor, y: Tensor, w: Tensor, v: Tensor) -> Tensor:
    total = x.new_zeros(len(w))
    for row, column, tile in _tiles.products(x, y, symmetric=x is y):
        # the cube as a product: pow(3) is several times slower
        left = w[:, row : row + len(tile)] @ (tile.square() * tile)
        part = (left * v[:, column : column + tile.shape[1]]).sum(dim=1)
        total += 2 * part if x is y and column > row else part
    return total
