"""Sums of Gaussian kernels over all pairs of points in the plane, by Fourier series."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

#: how many standard deviations a Gaussian reaches, in space and in frequency: e^(-8.5²/2) = 2e-16
REACH = 8.5
#: points whose powers are held at once
ROWS = 4096
#: the most products of frequencies that are held a set: 32 MiB in float64
MOST = 2**22


def sums(real: Tensor, fake: Tensor, widths: Sequence[float]) -> Tensor:
    r"""Returns the sums over all pairs of the mean of Gaussian kernels, shape (3,).

    Within a period P that outreaches the points by 8.5 widths a kernel is its own Fourier series to
    rounding, so that a double sum over pairs is a single one over frequencies,

    .. math:: \sum_{ij} e^{-|x_i - y_j|^2 / 2 s^2} = \sum_l c_l \overline{X_l} Y_l, \quad
        X_l = \sum_i e^{2 \pi i\, l \cdot x_i / P}

    which costs (N + M) times the number of frequencies.

    References:
        | A New Version of the Fast Gauss Transform (Greengard and Sun, 1998), for sums by plane waves

    Arguments:
        real: Points, float64, shape (N, 1) or (N, 2).
        fake: Points, float64, shape (M, 1) or (M, 2).
        widths: The kernels' standard deviations.

    Returns:
        The sums real-real, fake-fake and real-fake, each point with itself included.
    """
    spans = _spans(real, fake)
    total = real.new_zeros(3)
    for width in widths:
        periods, orders = _grid(spans, width)
        weights = [
            _weights(p, order, width).to(real) for p, order in zip(periods, orders, strict=True)
        ]
        # the series at -l is the conjugate of that at l, so half the plane counts twice
        weights[0][1:] *= 2
        first, second = (_series(x, periods, orders) for x in (real, fake))
        weight = weights[0].unsqueeze(1) * weights[1]
        for at, (a, b) in enumerate(((first, first), (second, second), (first, second))):
            total[at] += (weight * (a * b).sum(dim=(0, 1))).sum()
    return total / len(widths)


def seconds(real: Tensor, fake: Tensor, widths: Sequence[float]) -> float:
    """A rough count of what `sums` takes; infinite where it does not apply or takes too much memory."""
    if real.shape[1] > 2:
        return math.inf
    total, spans = 0.0, _spans(real, fake)
    for width in widths:
        first, second = _grid(spans, width)[1]
        if 4 * (first + 1) * (second + 1) > MOST:
            return math.inf
        total += 4e-10 * (first + 1) * (second + 1) + 5e-9 * (first + second + 2)
    return total * (len(real) + len(fake))


def _spans(real: Tensor, fake: Tensor) -> list[float]:
    """The reach of all points along two axes; a second axis of nothing is added where there is one."""
    high = torch.maximum(real.amax(dim=0), fake.amax(dim=0))
    low = torch.minimum(real.amin(dim=0), fake.amin(dim=0))
    return [*(high - low).tolist(), 0.0][:2]


def _grid(spans: list[float], width: float) -> tuple[list[float], list[int]]:
    """The periods, and the highest orders whose coefficients are not negligible."""
    periods = [span + REACH * width for span in spans]
    return periods, [math.ceil(REACH * p / (2 * math.pi * width)) for p in periods]


def _weights(period: float, order: int, width: float) -> Tensor:
    """The coefficients of orders 0 … order of a Gaussian of height 1, float64."""
    frequency = 2 * math.pi / period * torch.arange(order + 1, dtype=torch.float64)
    return width * math.sqrt(2 * math.pi) / period * (-0.5 * (width * frequency).square()).exp()


def _series(x: Tensor, periods: list[float], orders: list[int]) -> Tensor:
    """Real and imaginary parts of X at (l, m) and at (l, -m), weighted, shape (2, 2, L, M).

    The order m = 0 is met twice, at m and at -m, and so is halved in size.
    """
    first, second = (order + 1 for order in orders)
    total = x.new_zeros(2 * first, 2 * second)
    axes = [x[:, 0], x[:, 1] if x.shape[1] == 2 else torch.zeros_like(x[:, 0])]
    for start in range(0, len(x), ROWS):
        powers = [
            _powers(axis[start : start + ROWS] * (2 * math.pi / period), order + 1)
            for axis, period, order in zip(axes, periods, orders, strict=True)
        ]
        total.addmm_(powers[0], powers[1].T)
    cc, cs = total[:first, :second], total[:first, second:]
    sc, ss = total[first:, :second], total[first:, second:]
    parts = torch.stack([torch.stack([cc - ss, sc + cs]), torch.stack([cc + ss, sc - cs])])
    parts[..., 0] *= math.sqrt(0.5)
    return parts


def _powers(angle: Tensor, count: int) -> Tensor:
    """Cosines, then sines, of 0, 1, … count - 1 times the angles, shape (2 count, N), by doubling."""
    out = angle.new_empty(2, count, len(angle))
    out[0, 0], out[1, 0] = 1, 0
    done = 1
    while done < count:
        step = min(done, count - done)
        cos, sin = (done * angle).cos(), (done * angle).sin()
        torch.mul(out[0, :step], cos, out=out[0, done : done + step])
        out[0, done : done + step].addcmul_(out[1, :step], sin, value=-1)
        torch.mul(out[1, :step], cos, out=out[1, done : done + step])
        out[1, done : done + step].addcmul_(out[0, :step], sin)
        done += step
    return out.flatten(0, 1)
