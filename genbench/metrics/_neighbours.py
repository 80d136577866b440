"""Nearest neighbours, exact, from tiles of squared distances."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.points.pairwise import Cloud, clouds, tiles


class Smallest:
    """The few smallest of the squared distances that each point has shown so far.

    Arguments:
        count: How many points there are.
        ranks: How many distances of each are kept.
        like: Gives the device.
    """

    def __init__(self, count: int, ranks: int, like: Tensor) -> None:
        about = {"dtype": torch.float64, "device": like.device}
        self.squares = torch.full((count, ranks), torch.inf, **about)
        self.rows = torch.zeros((count, ranks), dtype=torch.int64, device=like.device)

    def add(self, at: int, first: int, squares: Tensor) -> None:
        """Shows points from `at` on their squared distances (B, C) to the points from `first` on."""
        smallest = self.squares[at : at + len(squares)]
        moved = (squares.amin(dim=1) < smallest[:, -1]).nonzero().squeeze(1)
        if not len(moved):
            return
        new = squares if len(moved) == len(squares) else squares[moved]
        nearest = new.topk(min(smallest.shape[1], new.shape[1]), dim=1, largest=False)
        moved = moved + at
        both = torch.cat([self.squares[moved], nearest.values], dim=1)
        rows = torch.cat([self.rows[moved], nearest.indices + first], dim=1)
        best = both.topk(smallest.shape[1], dim=1, largest=False)
        self.squares[moved], self.rows[moved] = best.values, rows.gather(1, best.indices)

    def within(self, row: int, column: int, tile: Tensor) -> None:
        """Looks at a tile of a set with itself; no point is its own neighbour."""
        if row == column:
            tile = tile.clone().fill_diagonal_(torch.inf)
            self.add(row, column, tile)
        else:
            self.add(row, column, tile)
            self.add(column, row, tile.T)


def nearest(
    x: Tensor, among: Tensor, *, rank: int = 1, own: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Returns the squared distance of each point to its rank-th nearest, and which that is.

    Arguments:
        x: Points, shape (N, D).
        among: Points, shape (M, D).
        rank: 1 for the nearest.
        own: Where x are points of `among`, their row numbers there (N,), which they must not find.

    Returns:
        Squared distances (N,), not below 0, and row numbers in `among`, (N,).
    """
    there, here = clouds(among, x)
    return nearest_of(here, there, rank=rank, own=own)


def nearest_of(
    x: Cloud, among: Cloud, *, rank: int = 1, own: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Returns the same of clouds around one centre."""
    nearest = Smallest(len(x), rank, x.x)
    for row, column, tile in tiles(x, among):
        if own is not None:
            place = own[row : row + len(tile)] - column
            here = ((place >= 0) & (place < tile.shape[1])).nonzero().squeeze(1)
            tile[here, place[here]] = torch.inf
        nearest.add(row, column, tile)
    return nearest.squares[:, -1].clamp_min(0), nearest.rows[:, -1]


def slack(x: Cloud, squares: Tensor, rows: Tensor | None = None) -> Tensor:
    """What squared distances from points may be off by rounding, (N,).

    It is each point's own: rounding at a point that lies far out says nothing of the others.

    Arguments:
        x: The points from which distances are measured.
        squares: The squared distances, (N,).
        rows: Which of the points they are of, (N,), or None for all.
    """
    norms = x.norms if rows is None else x.norms[rows]
    # the other point is no farther from the centre than this one and the distance together
    largest = (norms.sqrt() + squares.clamp_min(0).sqrt()).square()
    return 2 * torch.finfo(torch.float64).eps * (x.size + 4) * largest
