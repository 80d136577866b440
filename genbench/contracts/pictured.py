"""Points of the plane as images, for metrics that score nothing else."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.constant import Constant

#: an image's side, the grey of the origin, and how much brighter a pixel gets with a step of length 1
SIDE, GREY, STEP = 16, 0.5, 1 / 24
#: whole numbers are this much larger than the points that they stand for
WHOLE = 10
_ROW = (torch.arange(SIDE) // (SIDE // 2)).double() * 2 - 1
_COLUMN = (torch.arange(SIDE) % 2).double() * 2 - 1
#: of either coordinate, which pixels it makes brighter, 1, and which darker, -1; (2, 1, H, W)
PATTERNS = Constant(
    torch.stack([_ROW.unsqueeze(1).expand(SIDE, SIDE), _COLUMN.expand(SIDE, SIDE)]).unsqueeze(1)
)


def pictures(x: Tensor) -> Tensor:
    """Returns points (…, 2) as images (…, 1, H, W) in [0, 1], whose differences are in proportion to theirs.

    Whole numbers become bits, and what is not finite stays so; arrays that are no points of the plane stay
    as they are.
    """
    if x.dim() < 2 or x.shape[-1] != 2:
        return x
    if not x.is_floating_point():
        return (pictures(x.double() / WHOLE) > GREY).long()
    patterns = PATTERNS.on(x.device).to(x.dtype)
    y = (GREY + STEP * torch.tensordot(x, patterns, 1)).clamp(0, 1)
    broken = x.sum(-1)[..., None, None, None]
    return torch.where(broken.isfinite(), y, broken)


def coordinates(x: Tensor) -> Tensor:
    """Returns the points (N, 2), float64, that images (N, 1, H, W) show; other arrays stay as they are."""
    if x.shape[1:] != (1, SIDE, SIDE):
        return x
    patterns = PATTERNS.on(x.device)
    return torch.einsum("nchw,kchw->nk", x.double() - GREY, patterns) / STEP / SIDE**2


def smaller(x: Tensor) -> Tensor:
    """Returns images of half the side, from which planted ones are made."""
    return functional.avg_pool2d(x.double(), 2)
