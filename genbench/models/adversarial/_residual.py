"""Residual networks from vectors to images and back."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.nn.conv import BatchNorm, Conv2d, ResidualBlock
from genbench.nn.mlp import Linear


class ResidualDecoder(nn.Module):
    """Creates S networks from vectors to images: a linear layer, then two residual blocks that grow.

    The image starts at a quarter of its sides, rounded up, and is cut to its size at the end.

    References:
        | Improved Training of Wasserstein GANs (Gulrajani et al., 2017), appendix F
        | Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018), appendix

    Arguments:
        inputs: The size of the vector.
        spec: The data; its event is (C, H, W).
        width: The channels of the last hidden image; the first has twice as many.
        rng: Draws the weights.
        norm: Whether activations are preceded by batch normalisation.
    """

    def __init__(
        self, inputs: int, spec: DataSpec, width: int, rng: Rng, *, norm: bool = False
    ) -> None:
        super().__init__()
        channels, self.height, self.columns = spec.event
        self.start = (2 * width, -(-self.height // 4), -(-self.columns // 4))
        self.first = Linear(inputs, math.prod(self.start), rng.fork("first"))
        self.blocks = nn.ModuleList(
            ResidualBlock(2 * width, out, rng.fork("block", i), norm=norm, resample="up")
            for i, out in enumerate((2 * width, width))
        )
        self.norm = BatchNorm(width, rng) if norm else nn.Identity()
        self.last = Conv2d(width, channels, 3, rng.fork("last"))

    def forward(self, z: Tensor) -> Tensor:
        """Maps (S, B, inputs) to real numbers (S, B, C, H, W)."""
        x = self.first(z).unflatten(-1, self.start)
        for block in self.blocks:
            x = block(x)
        x = x[..., : self.height, : self.columns]
        return self.last(functional.relu(self.norm(x)))


class ResidualEncoder(nn.Module):
    """Creates S networks from images to vectors: two residual blocks that shrink, a linear layer.

    There is no normalisation, so that penalties on slopes hold each point on its own.

    References:
        | Improved Training of Wasserstein GANs (Gulrajani et al., 2017), appendix F

    Arguments:
        spec: The data; its event is (C, H, W), H and W multiples of 4.
        outputs: The size of the vector.
        width: The channels of the first hidden image; later ones have twice as many.
        rng: Draws the weights.
        inputs: The channels of the input, None takes the data's.
    """

    def __init__(
        self, spec: DataSpec, outputs: int, width: int, rng: Rng, *, inputs: int | None = None
    ) -> None:
        super().__init__()
        channels, height, columns = spec.event
        self.first = Conv2d(inputs or channels, width, 3, rng.fork("first"))
        self.blocks = nn.ModuleList(
            ResidualBlock(
                size, 2 * width, rng.fork("block", i), resample="down", activation="leaky_relu"
            )
            for i, size in enumerate((width, 2 * width))
        )
        features = 2 * width * (height // 4) * (columns // 4)
        self.last = Linear(features, outputs, rng.fork("last"))

    def forward(self, x: Tensor) -> Tensor:
        """Maps images (S, B, C, H, W) to vectors (S, B, outputs)."""
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.last(functional.leaky_relu(x, 0.2).flatten(2))
