"""Gaussian kernels between stacked points, and the distance between distributions that they give."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Returns all pairs' squared distances of (S, B, D) and (S, M, D), shape (S, B, M)."""
    sums = a.square().sum(-1, keepdim=True) + b.square().sum(-1).unsqueeze(1)
    return torch.baddbmm(sums, a, b.mT, alpha=-2.0).clamp_min(0.0)


def gaussian_sum(a: Tensor, b: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Returns sum_sigma exp(-|a - b|^2 / 2 sigma^2) of all pairs, shape (S, B, M)."""
    return torch.exp(squared_distances(a, b) * _rates(tuple(sigmas), a.dtype, a.device)).sum(0)


def squared_mmd(real: Tensor, fake: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Returns the biased squared MMD under a sum of Gaussian kernels, shape (S,).

    The means run over all pairs, a point with itself included, so the value is never negative.

    References:
        | A Kernel Two-Sample Test (Gretton et al., 2012), equation 5

    Arguments:
        real: Points, shape (S, B, D).
        fake: Points, shape (S, M, D).
        sigmas: The kernels' widths.
    """
    within = gaussian_sum(real, real, sigmas), gaussian_sum(fake, fake, sigmas)
    across = gaussian_sum(real, fake, sigmas)
    return within[0].mean((1, 2)) + within[1].mean((1, 2)) - 2 * across.mean((1, 2))


@cache
def _rates(sigmas: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """The factors of squared distances, (K, 1, 1, 1); kept, since to make them waits for a device."""
    rates = torch.tensor([rate_of(sigma) for sigma in sigmas], dtype=dtype, device=device)
    return rates.view(-1, 1, 1, 1)


def rate_of(width: float) -> float:
    """Returns -1 / 2 width^2, the factor of squared distances.

    Widths beyond 1e-15 and 1e15 count as these: a rate that no single precision holds, times 0, is NaN.
    """
    return -0.5 / min(max(width, 1e-15), 1e15) ** 2
