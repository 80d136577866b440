"""Images at several sizes, halved by means."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.nn.conv import downsample

#: the shortest side of the coarsest image
LEAST = 4


def level_specs(spec: DataSpec, levels: int) -> list[DataSpec]:
    """Returns a spec a size, finest first: sides halve while they are even and at least 4 remain."""
    specs = [spec]
    while len(specs) < levels:
        channels, height, width = specs[-1].event
        if height % 2 or width % 2 or min(height, width) // 2 < LEAST:
            break
        specs.append(replace(spec, event=(channels, height // 2, width // 2)))
    return specs


def pyramid(x: Tensor, levels: int) -> list[Tensor]:
    """Returns images (..., H, W) halved 0, 1, ... times by the mean of 2×2 pixels, finest first."""
    images = [x]
    for _ in range(levels - 1):
        images.append(downsample(images[-1]))
    return images
