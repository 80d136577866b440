"""Stacked convolutional networks that grow with training, from small images to the data's size."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.nn.conv import downsample, stacked_conv2d, upsample


class EqualisedConv2d(nn.Module):
    """Creates S convolutions whose standard normal weights are scaled by gain/sqrt(fan_in) in every pass.

    All weights then have one size, and Adam moves all layers at one relative speed.

    References:
        | Progressive Growing of GANs (Karras et al., 2018), section 4.1

    Arguments:
        inputs: The number of channels of the input.
        outputs: The number of channels of the output.
        kernel: The height and width of the kernel; the image keeps its size.
        rng: Draws the weights; biases start at zero.
        gain: sqrt(2) before leaky ReLU, 1 otherwise.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, rng: Rng, *, gain: float = math.sqrt(2)
    ) -> None:
        super().__init__()
        self.padding = kernel // 2
        self.scale = gain / math.sqrt(inputs * kernel**2)
        self.weight = nn.Parameter(rng.fork("weight").normal(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros_like(self.weight[:, :, 0, 0, 0]))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs, H, W) to (S, B, outputs, H, W)."""
        return stacked_conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


class EqualisedLinear(nn.Module):
    """Creates S linear maps whose standard normal weights are scaled by gain/sqrt(inputs) in every pass.

    References:
        | Progressive Growing of GANs (Karras et al., 2018), section 4.1
    """

    def __init__(self, inputs: int, outputs: int, rng: Rng, *, gain: float = math.sqrt(2)) -> None:
        super().__init__()
        self.scale = gain / math.sqrt(inputs)
        self.weight = nn.Parameter(rng.fork("weight").normal(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros_like(self.weight[:, :1]))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs) to (S, B, outputs)."""
        return torch.baddbmm(self.bias, x, self.weight * self.scale)


class GrowingGenerator(nn.Module):
    """Creates S networks from vectors to images of any of several sizes, and of mixtures of two.

    References:
        | Progressive Growing of GANs (Karras et al., 2018), section 2 and table 2

    Arguments:
        inputs: The size of the vector.
        specs: The data at every size, coarsest first, each side twice the one before.
        width: The channels of every hidden image.
        rng: Draws the weights.
    """

    def __init__(self, inputs: int, specs: list[DataSpec], width: int, rng: Rng) -> None:
        super().__init__()
        channels, height, columns = specs[0].event
        self.start = (width, height, columns)
        self.first = EqualisedLinear(inputs, math.prod(self.start), rng.fork("first"))
        self.blocks = nn.ModuleList(
            nn.ModuleList(
                EqualisedConv2d(width, width, 3, rng.fork("block", k, i))
                for i in range(2 if k else 1)
            )
            for k in range(len(specs))
        )
        self.paint = nn.ModuleList(
            EqualisedConv2d(width, channels, 1, rng.fork("paint", k), gain=1.0)
            for k in range(len(specs))
        )

    def forward(self, z: Tensor, growth: float) -> Tensor:
        """Maps (S, B, inputs) to real numbers (S, B, C, h, w).

        Growth k + a, with k a number and a < 1, is the image of size k, doubled, with a share a of the
        image of size k + 1; growth k is that of size k alone.
        """
        size, share = math.ceil(growth), growth - math.floor(growth)
        x = pixel_norm(functional.leaky_relu(self.first(pixel_norm(z, -1)), 0.2), -1)
        x, before = x.unflatten(-1, self.start), z
        for k in range(size + 1):
            before = x
            x = upsample(x) if k else x
            for conv in self.blocks[k]:  # type: ignore[union-attr]
                x = pixel_norm(functional.leaky_relu(conv(x), 0.2))
        painted = self.paint[size](x)
        if share == 0:
            return painted
        return torch.lerp(upsample(self.paint[size - 1](before)), painted, share)


class GrowingDiscriminator(nn.Module):
    """Creates S networks from images of any of several sizes to numbers, mirrors of the generator.

    References:
        | Progressive Growing of GANs (Karras et al., 2018), sections 2 and 3 and table 2

    Arguments:
        specs: The data at every size, coarsest first, each side twice the one before.
        width: The channels of every hidden image.
        rng: Draws the weights.
    """

    def __init__(self, specs: list[DataSpec], width: int, rng: Rng) -> None:
        super().__init__()
        channels, height, columns = specs[0].event
        self.look = nn.ModuleList(
            EqualisedConv2d(channels, width, 1, rng.fork("look", k)) for k in range(len(specs))
        )
        self.blocks = nn.ModuleList(
            nn.ModuleList(
                EqualisedConv2d(width, width, 3, rng.fork("block", k, i)) for i in range(2)
            )
            for k in range(1, len(specs))
        )
        self.mixed = EqualisedConv2d(width + 1, width, 3, rng.fork("mixed"))
        self.hidden = EqualisedLinear(width * height * columns, width, rng.fork("hidden"))
        self.last = EqualisedLinear(width, 1, rng.fork("last"), gain=1.0)

    def forward(self, x: Tensor, growth: float) -> Tensor:
        """Maps images (S, B, C, h, w) of the size of a growth to numbers (S, B, 1)."""
        size, share = math.ceil(growth), growth - math.floor(growth)
        hidden = functional.leaky_relu(self.look[size](x), 0.2)
        for k in range(size, 0, -1):
            for conv in self.blocks[k - 1]:  # type: ignore[union-attr]
                hidden = functional.leaky_relu(conv(hidden), 0.2)
            hidden = downsample(hidden)
            if k == size and share > 0:
                old = functional.leaky_relu(self.look[k - 1](downsample(x)), 0.2)
                hidden = torch.lerp(old, hidden, share)
        hidden = functional.leaky_relu(self.mixed(with_deviation(hidden)), 0.2)
        return self.last(functional.leaky_relu(self.hidden(hidden.flatten(2)), 0.2))


def pixel_norm(x: Tensor, axis: int = 2) -> Tensor:
    """Divides by the root mean square over an axis, the channels' by default.

    References:
        | Progressive Growing of GANs (Karras et al., 2018), section 4.2
    """
    return x * torch.rsqrt(x.square().mean(axis, keepdim=True) + 1e-8)


def with_deviation(x: Tensor) -> Tensor:
    """Appends a channel: the standard deviation over the minibatch, averaged over channels and pixels.

    References:
        | Progressive Growing of GANs (Karras et al., 2018), section 3

    Arguments:
        x: Images, shape (S, B, C, H, W); the channel is one number per seed.
    """
    spread = (x.var(1, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
    seeds, batch, _, height, width = x.shape
    plane = spread.view(seeds, 1, 1, 1, 1).expand(seeds, batch, 1, height, width)
    return torch.cat([x, plane], dim=2)
