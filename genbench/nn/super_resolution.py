"""Stacked residual networks that enlarge images by pixel shuffle."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.nn.conv import Conv2d, ResidualBlock

#: the weights of the last layer at first, so that outputs start near the enlarged source
LAST_GAIN = 0.1
#: the height and width of the first and last kernels
EDGE_KERNEL = 5


class EnlargingNetwork(nn.Module):
    """Creates S networks that work at the source's size and enlarge what they have last: SRResNet's shape.

    A convolution, residual blocks, a skip from the first to the last block, then for every prime factor of
    the scale a convolution and a shuffle of its channels into pixels, and a convolution.

    References:
        | Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network (Ledig et
        | al., 2017), figure 4
        | Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
        | Neural Network (Shi et al., 2016), for the shuffle

    Arguments:
        inputs: The channels of the input.
        outputs: The channels of the output.
        scale: By how much images are enlarged, at least 2.
        width: The channels between.
        blocks: The number of residual blocks.
        rng: Draws the weights.
    """

    def __init__(
        self, inputs: int, outputs: int, scale: int, width: int, blocks: int, rng: Rng
    ) -> None:
        super().__init__()
        self.first = Conv2d(inputs, width, EDGE_KERNEL, rng.fork("first"))
        self.blocks = nn.ModuleList(
            ResidualBlock(width, width, rng.fork("block", i), activation="leaky_relu")
            for i in range(blocks)
        )
        self.middle = Conv2d(width, width, 3, rng.fork("middle"))
        self.factors = prime_factors(scale)
        self.up = nn.ModuleList(
            Conv2d(width, width * factor**2, 3, rng.fork("up", i))
            for i, factor in enumerate(self.factors)
        )
        self.last = Conv2d(width, outputs, EDGE_KERNEL, rng.fork("last"), gain=LAST_GAIN)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images (S, B, inputs, h, w) to (S, B, outputs, scale h, scale w)."""
        first = functional.leaky_relu(self.first(x), 0.2)
        y = first
        for block in self.blocks:
            y = block(y)
        y = first + self.middle(y)
        for factor, layer in zip(self.factors, self.up, strict=True):
            y = functional.leaky_relu(functional.pixel_shuffle(layer(y), factor), 0.2)
        return self.last(y)


def prime_factors(n: int) -> list[int]:
    """Returns the prime factors of a whole number of at least 2, the least first."""
    factors, factor = [], 2
    while n > 1:
        while n % factor == 0:
            factors.append(factor)
            n //= factor
        factor += 1
    return factors


def find_scale(source: Sequence[int], event: Sequence[int]) -> int:
    """Returns by which whole factor images (C, h, w) are smaller than others (C', H, W).

    Raises:
        SpecError: If there is none of at least 2.
    """
    scale = event[1] // source[1]
    if scale < 2 or (source[1] * scale, source[2] * scale) != tuple(event[1:]):
        raise SpecError(
            f"an enlarging network needs points larger than sources by a whole factor of 2 or more, got "
            f"{tuple(event)} from {tuple(source)}"
        )
    return scale
