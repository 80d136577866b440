"""Numerical integrals of densities in the plane."""

import torch


def cells(centres, width, n):
    """Splits square cells (…, 2) of one width into n×n and returns their centres (… n², 2)."""
    steps = (torch.arange(n) + 0.5) / n - 0.5
    return (centres.unsqueeze(1) + width * torch.cartesian_prod(steps, steps)).view(-1, 2)


def integral(log_prob, reach=20.0, coarse=0.05, n=10):
    """The integral of one density over a square by midpoints, finer wherever there is mass.

    Coarse cells of side 0.05 that hold mass, and their neighbours, are split into 10×10. The square is
    wide: a flow trained for a short while leaves percents of its mass beyond ±5.
    """
    coarse_cells, p, full = _filled(log_prob, reach, coarse)
    fine = log_prob(cells(coarse_cells[full], coarse, n)).exp().sum()
    return (p[~full].sum() * coarse**2 + fine * (coarse / n) ** 2).item()


def seen(log_prob, points, reach=20.0, coarse=0.05):
    """The share of points (N, 2) in the cells that `integral` splits: what it can see of their mass.

    Folds of a flow that are narrower than a coarse cell may lie between the centres of all.
    """
    full, side = _filled(log_prob, reach, coarse)[2], round(2 * reach / coarse)
    index = ((points + reach) / coarse).floor().long()
    inside = ((index >= 0) & (index < side)).all(1)
    index = index.clamp(0, side - 1)
    return (full[index[:, 0] * side + index[:, 1]] & inside).double().mean().item()


def _filled(log_prob, reach, coarse):
    """The centres of coarse cells, the density there, and which cells or neighbours hold mass."""
    side = round(2 * reach / coarse)
    coarse_cells = cells(torch.zeros(1, 2), 2 * reach, side)
    p = log_prob(coarse_cells).exp()
    spread = torch.nn.functional.max_pool2d(p.view(1, 1, side, side), 5, 1, 2)
    return coarse_cells, p, (spread > 1e-4).flatten()


def masses(log_prob, reach=6.0, coarse=0.05, n=8, side=0.2):
    """The masses of one density on squares of a side, row by row, over a square about the origin.

    Coarse cells that hold mass are split into n×n, as in `integral`.
    """
    coarse_cells, p, full = _filled(log_prob, reach, coarse)
    fine = log_prob(cells(coarse_cells[full], coarse, n)).exp().double()
    mass = p.double() * coarse**2
    mass[full] = fine.view(-1, n * n).sum(1) * (coarse / n) ** 2
    across, k = round(2 * reach / coarse), round(side / coarse)
    return mass.view(across // k, k, across // k, k).sum((1, 3)).flatten()


def counts(points, reach=6.0, side=0.2):
    """How many points (N, 2) lie in each of the squares of `masses`; those outside are not counted."""
    across = round(2 * reach / side)
    index = ((points + reach) / side).floor().long()
    index = index[((index >= 0) & (index < across)).all(1)]
    return (index[:, 0] * across + index[:, 1]).bincount(minlength=across**2)
