"""What can be measured of a handwritten stroke."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def stroke_width(x: Tensor) -> Tensor:
    """Returns twice the ink over the outline's length, in pixels, of images (N, 1, H, W), shape (N,).

    A stroke of width w and length l has 2 w l / 2 (w + l), which is w where it is long.
    """
    x = pad(x, (1, 1, 1, 1))
    outline = x.diff(dim=-1).abs().sum((1, 2, 3)) + x.diff(dim=-2).abs().sum((1, 2, 3))
    return 2 * x.sum((1, 2, 3)) / outline.clamp_min(1e-6)


def slant(x: Tensor) -> Tensor:
    """Returns how far ink moves to the right a pixel upwards, of images (N, 1, H, W), shape (N,)."""
    ink = x[:, 0] / x[:, 0].sum((1, 2), keepdim=True).clamp_min(1e-6)
    rows, columns = (torch.arange(n, device=x.device).to(x) for n in ink.shape[1:])
    down, right = ink.sum(2), ink.sum(1)
    dy = rows - (down * rows).sum(1, keepdim=True)
    dx = columns - (right * columns).sum(1, keepdim=True)
    joint = (ink * dy.unsqueeze(2) * dx.unsqueeze(1)).sum((1, 2))
    return -joint / (down * dy.square()).sum(1).clamp_min(1e-6)
