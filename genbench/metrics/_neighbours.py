"""Distances to nearest neighbours, exact, in bounded memory."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.metrics import _tiles

#: numbers in a slab of distances: 32 MiB in float64
SLAB = 2**22


def nearest(
    x: Tensor, among: Tensor, *, rank: int = 1, own: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Returns the squared distance of each point to its rank-th nearest, and which that is.

    Arguments:
        x: Points, float64, shape (N, D).
        among: Points, float64, shape (M, D).
        rank: 1 for the nearest.
        own: Where x are points of `among`, their row numbers there (N,), which they must not find.

    Returns:
        Squared distances (N,), not below 0, and row numbers in `among`, (N,).
    """
    left, right = _tiles.square_factors(x)[0], _tiles.square_factors(among)[1]
    found, rows, start = [], [], 0
    for part in left.split(max(1, SLAB // len(among))):
        squares = part @ right.T
        if own is not None:
            here = torch.arange(len(part), device=x.device)
            squares[here, own[start : start + len(part)]] = torch.inf
        if rank == 1:
            value, index = squares.min(dim=1)
        else:
            best = squares.topk(rank, dim=1, largest=False)
            value, index = best.values[:, -1], best.indices[:, -1]
        found.append(value.clamp_min(0))
        rows.append(index)
        start += len(part)
    return torch.cat(found), torch.cat(rows)


def slack(*sets: Tensor) -> float:
    """What a squared distance of 0 between points of these sets may come to by rounding."""
    largest = max(float(_tiles.squared_norms(x).max()) for x in sets)
    return 2 * torch.finfo(torch.float64).eps * (sets[0].shape[1] + 4) * largest
