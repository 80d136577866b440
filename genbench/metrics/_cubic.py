"""The unbiased squared MMD under a cubic kernel, of all points and of many subsets at once."""

from __future__ import annotations

import math

import numpy
import torch
from torch import Tensor

from genbench.metrics import _tiles

#: the row numbers of the subsets' points in `real` and in `fake`, each of shape (subsets, size)
Chosen = tuple[Tensor, Tensor]
#: real and fake points
Points = tuple[Tensor, Tensor]


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
        (lift(real), lift(fake)),
        (chosen[0].to(real.device), chosen[1].to(real.device)),
    )
    if _together_is_cheaper(points, chosen):
        real_sums, fake_sums, across = sums_by_tiles(points, chosen)
    else:
        each = ((points[0][a], points[1][b]) for a, b in zip(*chosen, strict=True))
        sums = [sums_of(points), *(sums_of(subset) for subset in each)]
        real_sums, fake_sums, across = torch.stack(sums, dim=1)
    n, m = (
        torch.tensor([len(x), *[rows.shape[1]] * len(rows)], device=x.device)
        for x, rows in zip(points, chosen, strict=True)
    )
    own_real, own_fake = (_own(x, rows) for x, rows in zip(points, chosen, strict=True))
    within = (real_sums - own_real) / (n * (n - 1)) + (fake_sums - own_fake) / (m * (m - 1))
    return (within - 2 * across / (n * m)).tolist()


def lift(x: Tensor) -> Tensor:
    """Appends a coordinate, so that x'y/F + 1 is a plain inner product."""
    return torch.cat([x / math.sqrt(x.shape[1]), x.new_ones(len(x), 1)], dim=1)


def _own(x: Tensor, rows: Tensor) -> Tensor:
    """The kernel between each point and itself, summed over all points and over each subset."""
    cubes = _tiles.squared_norms(x).pow(3)
    return torch.cat([cubes.sum().unsqueeze(0), cubes[rows].sum(dim=1)])


def _seconds_by_moments(n: int, m: int, size: int) -> float:
    """A rough count, fitted on one core; above 256 dimensions moments take too much memory."""
    return 5.5e-11 * (n + m) * size**3 if size <= 256 else math.inf


def _seconds_by_tiles(n: int, m: int, size: int, subsets: int = 0) -> float:
    """A rough count: a pair costs its cube, its inner product and its part in each subset."""
    return (n * n / 2 + m * m / 2 + n * m) * (1.5e-9 + 4e-11 * size + 9e-11 * subsets)


def _together_is_cheaper(points: Points, chosen: Chosen) -> bool:
    """Whether one pass over all pairs, for all subsets at once, costs less than each on its own."""
    n, m, size = len(points[0]), len(points[1]), points[0].shape[1]
    subsets, rows = chosen[0].shape
    whole, each = (
        min(_seconds_by_moments(a, b, size), _seconds_by_tiles(a, b, size))
        for a, b in ((n, m), (rows, rows))
    )
    return _seconds_by_tiles(n, m, size, subsets) < whole + subsets * each


def sums_of(points: Points) -> Tensor:
    """Returns the sums of (x'y)^3 over all pairs, shape (3,): real, fake, across."""
    n, m, size = len(points[0]), len(points[1]), points[0].shape[1]
    if _seconds_by_moments(n, m, size) < _seconds_by_tiles(n, m, size):
        return sums_by_moments(points)
    return torch.cat(sums_by_tiles(points, subsets_of((n, m), 0, 2, 0)))


def sums_by_moments(points: Points) -> Tensor:
    """The same as inner products of third moments: O(N F^3), not O(N^2 F)."""
    real, fake = (torch.cat([m.flatten() for m in _third_moments(x)]) for x in points)
    return torch.stack([real @ real, fake @ fake, real @ fake])


def _third_moments(x: Tensor) -> list[Tensor]:
    """For each b the sums of x_a x_b x_c over points, shape (F, F - b), c >= b.

    Those with c > b stand for two, (b, c) and (c, b), and so are sqrt(2) times as large.
    """
    moments = []
    for b in range(x.shape[1]):
        moment = (x * x[:, b : b + 1]).T @ x[:, b:]
        moment[:, 1:] *= math.sqrt(2)
        moments.append(moment)
    return moments


def sums_by_tiles(points: Points, chosen: Chosen) -> tuple[Tensor, Tensor, Tensor]:
    """The same sums, of all points and each subset, each of shape (1 + subsets,), by one pass.

    A subset's is w' K w with w its indicator.
    """
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
