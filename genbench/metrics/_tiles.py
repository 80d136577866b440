"""Pairwise work in pieces of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

#: rows and columns of a tile; in float64 a tile is 1 MiB, which stays in a core's cache
TILE = 362


def products(
    left: Tensor, right: Tensor, *, symmetric: bool = False
) -> Iterator[tuple[int, int, Tensor]]:
    """Yields (row, column, tile) of left @ right.T; the next tile overwrites the last.

    Arguments:
        left: Shape (N, F).
        right: Shape (M, F).
        symmetric: Whether to leave out the tiles below the diagonal; then every tile with column >
            row stands for two.
    """
    buffer = left.new_empty(TILE * TILE)
    for row in range(0, len(left), TILE):
        a = left[row : row + TILE]
        for column in range(row if symmetric else 0, len(right), TILE):
            b = right[column : column + TILE]
            tile = buffer[: len(a) * len(b)].view(len(a), len(b))
            yield row, column, torch.mm(a, b.T, out=tile)


def squared_norms(x: Tensor) -> Tensor:
    """Returns the squared length of each point, shape (N,)."""
    return x.square().sum(dim=1)


def square_factors(x: Tensor) -> tuple[Tensor, Tensor]:
    """Returns (left, right), both (N, D + 2), with left_i . right_j = |x_i - x_j|^2."""
    norms, ones = squared_norms(x).unsqueeze(1), x.new_ones(len(x), 1)
    return torch.cat([-2 * x, norms, ones], dim=1), torch.cat([x, ones, norms], dim=1)
