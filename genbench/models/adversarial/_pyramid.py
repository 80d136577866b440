"""Images at several sizes, halved by means, and the network that refines one."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.nn.conv import BatchNorm, Conv2d, downsample

#: the shortest side of the coarsest image
LEAST = 4


class ResidualPainter(nn.Module):
    """Creates S networks from an image and a plane of noise to an image of the same size.

    References:
        | Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks (Denton et al., 2015)

    Arguments:
        spec: The data; its event is (C, H, W).
        width: The channels of the two hidden images.
        rng: Draws the weights.
    """

    def __init__(self, spec: DataSpec, width: int, rng: Rng) -> None:
        super().__init__()
        channels = spec.event[0]
        self.first = Conv2d(channels + 1, width, 3, rng.fork("first"), bias=False)
        self.second = Conv2d(width, width, 3, rng.fork("second"), bias=False)
        self.last = Conv2d(width, channels, 3, rng.fork("last"))
        self.norms = nn.ModuleList(BatchNorm(width, rng) for _ in range(2))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Maps images (S, B, C, H, W) and noise (S, B, 1, H, W) to images (S, B, C, H, W)."""
        x = torch.cat([x, noise], dim=2)
        x = functional.relu(self.norms[0](self.first(x)))
        return self.last(functional.relu(self.norms[1](self.second(x))))


def level_specs(spec: DataSpec, levels: int) -> list[DataSpec]:
    """Returns a spec per size, finest first: sides halve while they are even and at least 4 remain."""
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
