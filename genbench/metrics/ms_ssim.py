"""Diversity of images by their likeness in pairs."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from genbench.core.allowed import Several
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._similarity import WINDOW, gaussian_line, largest_window, similarity
from genbench.points import memmap

COLUMNS = {
    "ms_ssim": Column("none", "likeness", None, "of pairs of samples; 1 where all are one image"),
    "ms_ssim_excess": Column(
        "lower", "likeness", 0.0, "the same less that of pairs of true images"
    ),
}
#: the exponents of five scales, finest first
POWERS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
#: pairs compared at once
ROWS = 256


@metric("ms_ssim", view="events", columns=COLUMNS, paper="Odena et al., 2017; Wang et al., 2003")
def ms_ssim(real: Tensor, fake: Tensor, *, rng: Rng, pairs: Several = 1000) -> dict[str, Score]:
    r"""Returns the mean multi-scale structural similarity of random pairs of generated images.

    .. math:: l_S^{w_S} \prod_{s \le S} \max(0, c_s)^{w_s}

    with luminance l and contrast times structure c under an 11 x 11 Gaussian window, halving images
    S - 1 times. Alike samples mean few modes; noise is unlike too, so neither way is better by itself,
    only an excess over true images is bad.

    References:
        | Conditional Image Synthesis with Auxiliary Classifier GANs (Odena et al., 2017), section 4.2
        | Multiscale Structural Similarity for Image Quality Assessment (Wang et al., 2003)

    Differences:
        As many of the five scales as leave room for the window, their exponents made to sum to 1; for
        images under 11 pixels one scale and the largest odd window that fits. The protocol says which.
        Pairs of all samples where the paper compares within a class.

    Arguments:
        real: Held-out images with values in [0, 1], shape (N, C, H, W).
        fake: Generated images, shape (M, C, H, W).
        rng: Draws the pairs.
        pairs: How many pairs of each kind.

    Returns:
        Scores with standard errors over pairs; null for points that are no images in [0, 1].
    """
    real, fake = _checks.events("ms_ssim", real, fake)
    reason = _checks.no_grey_levels(real, fake)
    if reason:
        return {name: Score(None, reason=reason) for name in COLUMNS}
    window, scales = layout(min(real.shape[2:]))
    like = [
        _pairs(x, pairs, window, scales, rng.fork(name))
        for name, x in (("real", real), ("fake", fake))
    ]
    protocol = {"window": window, "scales": scales}
    means, errors = zip(
        *((float(x.mean()), float(x.std()) / math.sqrt(pairs)) for x in like), strict=True
    )
    return {
        "ms_ssim": Score(means[1], errors[1], "estimate", protocol=protocol, floor=means[0]),
        "ms_ssim_excess": Score(
            means[1] - means[0], math.hypot(*errors), "estimate", protocol=protocol, floor=0.0
        ),
    }


def layout(side: int) -> tuple[int, int]:
    """Returns the window's size and the number of scales for images whose shorter side is this."""
    window = largest_window(side)
    scales = 1
    while scales < len(POWERS) and side // 2**scales >= WINDOW:
        scales += 1
    return window, scales


def likeness(x: Tensor, y: Tensor, window: int, scales: int) -> Tensor:
    """Returns the multi-scale structural similarity of images (N, C, H, W) in [0, 1], shape (N,)."""
    line = gaussian_line(window, x)
    powers = torch.tensor(POWERS[:scales], dtype=x.dtype) / sum(POWERS[:scales])
    total = x.new_ones(len(x))
    for scale, power in enumerate(powers.tolist()):
        if scale:
            x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)
        both, structure = similarity(x, y, line)
        total = total * (both if scale == scales - 1 else structure).clamp_min(0) ** power
    return total


def _pairs(x: Tensor, pairs: int, window: int, scales: int, rng: Rng) -> Tensor:
    """The likeness of random pairs of different images."""
    first = rng.fork("first").integers(len(x), pairs)[0].to(x.device)
    second = (first + 1 + rng.fork("second").integers(len(x) - 1, pairs)[0].to(x.device)) % len(x)
    rows = zip(first.split(ROWS), second.split(ROWS), strict=True)
    return torch.cat(
        [likeness(memmap.take(x, a), memmap.take(x, b), window, scales) for a, b in rows]
    )
