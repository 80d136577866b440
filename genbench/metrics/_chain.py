"""Autocorrelation of chains."""

from __future__ import annotations

import torch
from torch import Tensor

#: how many autocorrelation times the window must hold
WINDOW = 5
#: the shortest window: where neighbours repel each other the first sums come out too small
LEAST = 10
COMPONENTS = 4


def autocorrelation_time(states: Tensor) -> tuple[float | None, bool]:
    """Returns the longest integrated autocorrelation time over the first principal components.

    Arguments:
        states: Of chains side by side, shape (steps, chains, D).

    Returns:
        The time in steps, and whether the chains were long enough to see all of it; None where
        nothing moves and nothing differs.
    """
    steps = len(states)
    flat = states.double().flatten(0, 1)
    flat = flat - flat.mean(dim=0)
    if not flat.abs().max() > 0:
        return None, True
    count = min(COMPONENTS, flat.shape[1])
    values, vectors = torch.linalg.eigh(flat.T @ flat)
    # directions that carry nothing but rounding tell nothing
    large = values[-count:] > 1e-9 * values[-1]
    paths = (flat @ vectors[:, -count:][:, large]).view(steps, -1, int(large.sum()))
    times = [_windowed(rho) for rho in _autocorrelation(paths).T]
    return max(time for time, _ in times), all(whole for _, whole in times)


def _autocorrelation(paths: Tensor) -> Tensor:
    """Autocorrelation at lags 0 … steps - 1 of (steps, chains, K), means over all chains, (steps, K)."""
    steps = len(paths)
    spectrum = torch.fft.rfft(paths, n=2 * steps, dim=0).abs().square().mean(dim=1)
    sums = torch.fft.irfft(spectrum, n=2 * steps, dim=0)[:steps]
    lags = torch.arange(steps, 0, -1, dtype=paths.dtype).unsqueeze(1)
    covariance = sums / lags
    return covariance / covariance[0]


def _windowed(rho: Tensor) -> tuple[float, bool]:
    """The sum up to the first lag that is 5 times the sum so far, and whether there is one in time."""
    sums = 2 * rho.cumsum(dim=0) - 1
    lags = torch.arange(len(rho), dtype=rho.dtype)
    enough = torch.nonzero(lags >= WINDOW * sums)
    first = max(LEAST, int(enough[0])) if len(enough) else len(rho)
    if first <= len(rho) // 2:
        return float(sums[first]), True
    return float(sums[len(rho) // 2]), False
