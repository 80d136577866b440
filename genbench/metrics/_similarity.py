"""Structural similarity under a Gaussian window."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

#: the window's side and its standard deviation, in pixels
WINDOW, WIDTH = 11, 1.5


def largest_window(side: int) -> int:
    """Returns the window's side for images whose shorter side is this: an odd one that fits, at most 11."""
    return min(WINDOW, side - 1 + side % 2)


def gaussian_line(window: int, like: Tensor) -> Tensor:
    """Returns the window's weights along one side, (window,), on the device of a tensor and in its type."""
    offsets = torch.arange(window, dtype=like.dtype, device=like.device) - (window - 1) / 2
    line = (-0.5 * (offsets / WIDTH).square()).exp()
    return line / line.sum()


def similarity(x: Tensor, y: Tensor, line: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the similarity, and its part without luminance, as means over channels and places, (N,) each.

    Arguments:
        x: Images in [0, 1], shape (N, C, H, W).
        y: Likewise.
        line: The window's weights along one side, summing to 1.

    References:
        | Image Quality Assessment: From Error Visibility to Structural Similarity (Wang et al., 2004),
        | equation 13 with its constants 0.01 and 0.03
    """
    n, channels = x.shape[:2]
    maps = torch.cat([x, y, x * x, y * y, x * y]).flatten(0, 1).unsqueeze(1)
    maps = conv2d(conv2d(maps, line.view(1, 1, -1, 1)), line.view(1, 1, 1, -1))
    a, b, aa, bb, ab = maps.view(5, n, channels, *maps.shape[2:])
    small, smaller = 0.01**2, 0.03**2
    structure = (2 * (ab - a * b) + smaller) / (aa - a * a + bb - b * b + smaller)
    luminance = (2 * a * b + small) / (a * a + b * b + small)
    return (luminance * structure).mean(dim=(1, 2, 3)), structure.mean(dim=(1, 2, 3))
