"""Numerical integrals of densities in the plane."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: maps points (N, 2) to log densities (N,)
LogProb = Callable[[Tensor], Tensor]


def cells(centres: Tensor, width: float, n: int) -> Tensor:
    """Splits square cells (…, 2) of one width into n×n and returns their centres (… n², 2)."""
    steps = (torch.arange(n) + 0.5) / n - 0.5
    return (centres.unsqueeze(1) + width * torch.cartesian_prod(steps, steps)).view(-1, 2)


def integral(log_prob: LogProb, reach: float = 20.0, coarse: float = 0.05, n: int = 10) -> float:
    """Returns the integral of one density over a square by midpoints, finer where there is mass.

    Coarse cells of side 0.05 that hold mass, and their neighbours, are split into 10×10. The square is
    wide: a flow trained for a short while leaves percents of its mass beyond ±5.
    """
    coarse_cells, p, full = _filled(log_prob, reach, coarse)
    fine = log_prob(cells(coarse_cells[full], coarse, n)).exp().sum()
    return (p[~full].sum() * coarse**2 + fine * (coarse / n) ** 2).item()


def visible_share(
    log_prob: LogProb, points: Tensor, reach: float = 20.0, coarse: float = 0.05
) -> float:
    """Returns the share of points (N, 2) in the cells that `integral` splits.

    Folds of a flow that are narrower than a coarse cell may lie between the centres of all.
    """
    full, side = _filled(log_prob, reach, coarse)[2], round(2 * reach / coarse)
    index = ((points + reach) / coarse).floor().long()
    inside = ((index >= 0) & (index < side)).all(1)
    index = index.clamp(0, side - 1)
    return (full[index[:, 0] * side + index[:, 1]] & inside).double().mean().item()


def _filled(log_prob: LogProb, reach: float, coarse: float) -> tuple[Tensor, Tensor, Tensor]:
    """The centres of coarse cells, the density there, and which cells or neighbours hold mass."""
    side = round(2 * reach / coarse)
    coarse_cells = cells(torch.zeros(1, 2), 2 * reach, side)
    p = log_prob(coarse_cells).exp()
    spread = torch.nn.functional.max_pool2d(p.view(1, 1, side, side), 5, 1, 2)
    return coarse_cells, p, (spread > 1e-4).flatten()


def masses(
    log_prob: LogProb, reach: float = 6.0, coarse: float = 0.05, n: int = 8, side: float = 0.2
) -> Tensor:
    """Returns the masses of one density on squares of a side, row by row, about the origin.

    Coarse cells that hold mass are split into n×n, as in `integral`.
    """
    coarse_cells, p, full = _filled(log_prob, reach, coarse)
    fine = log_prob(cells(coarse_cells[full], coarse, n)).exp().double()
    mass = p.double() * coarse**2
    mass[full] = fine.view(-1, n * n).sum(1) * (coarse / n) ** 2
    across, k = round(2 * reach / coarse), round(side / coarse)
    return mass.view(across // k, k, across // k, k).sum((1, 3)).flatten()


def counts(points: Tensor, reach: float = 6.0, side: float = 0.2) -> Tensor:
    """Returns how many points (N, 2) lie in each of the squares of `masses`, none for those outside."""
    across = round(2 * reach / side)
    index = ((points + reach) / side).floor().long()
    index = index[((index >= 0) & (index < across)).all(1)]
    return (index[:, 0] * across + index[:, 1]).bincount(minlength=across**2)
