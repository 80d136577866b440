"""The maximum mean discrepancy under a kernel that is chosen for the power of its test."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

#: widths of Gaussian kernels in median distances, each half of the one before
WIDTHS = tuple(2.0**-k for k in range(-2, 8))
#: added to variances, which fall to nothing where two samples are alike
LEAST_VARIANCE = 1e-8


def find_median(real: Tensor) -> float:
    """Returns the median distance between points, shape (N, D)."""
    return float(torch.pdist(real[:1000].double()).median())


def compare_widths(
    real: Tensor, fake: Tensor, median: float, widths: Sequence[float] = WIDTHS
) -> tuple[Tensor, Tensor]:
    r"""Returns the squared MMD and its ratio to its standard error at every width, float64, (widths,) each.

    .. math::
        h_{ij} = k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(y_i, x_j), \qquad
        \mathrm{MMD}^2 = \frac{1}{n (n-1)} \sum_{i \ne j} h_{ij}, \\
        t = \mathrm{MMD}^2 / \sqrt{V}, \qquad
        V = \frac4n \Bigl( \frac1n \sum_i \bar h_i^2 - \bar h^2 \Bigr)

    The estimate is unbiased, V that of its variance where the distributions differ: the larger t, the surer
    the test says so.

    References:
        | Generative Models and Model Criticism via Optimized Maximum Mean Discrepancy (Sutherland et al.,
        | 2017), equations 2 to 5

    Arguments:
        real: Points, shape (n, D).
        fake: As many points.
        median: The distance that widths are multiples of.
        widths: Those of the kernels, each half of the one before.
    """
    n = len(real)
    real, fake = real.double(), fake.double()
    kernels = [
        torch.exp(-0.5 * torch.cdist(a, b).square() / (widths[0] * median) ** 2)
        for a, b in ((real, real), (fake, fake), (real, fake))
    ]
    values, ratios = [], []
    for width in widths:
        if width != widths[0]:
            # half the width is the fourth power
            kernels = [kernel.square_().square_() for kernel in kernels]
        within_real, within_fake, across = kernels
        h = (within_real + within_fake - across - across.mT).fill_diagonal_(0)
        rows = h.sum(1) / (n - 1)
        mmd = rows.mean()
        variance = 4 / n * (rows.square().mean() - mmd.square()).clamp_min(0)
        values.append(mmd)
        ratios.append(mmd / (variance + LEAST_VARIANCE).sqrt())
    return torch.stack(values), torch.stack(ratios)


def measure_chosen(real: Tensor, fake: Tensor, median: float) -> tuple[float, float]:
    """Returns t on one half of the points, by the kernel that has the largest on the other; and its width.

    Arguments:
        real: Points, shape (N, D), in random order.
        fake: Points, shape (M, D), in random order; as many as the fewer count.
        median: The distance that widths are multiples of, and the width returned.
    """
    half = min(len(real), len(fake)) // 2
    width = WIDTHS[int(compare_widths(real[:half], fake[:half], median)[1].argmax())]
    second = slice(half, 2 * half)
    return float(compare_widths(real[second], fake[second], median, (width,))[1]), width
