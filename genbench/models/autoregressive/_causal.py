"""Convolutions of images that see the rows above or the pixels to the left, whole or step by step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from genbench.core.rng import Rng
from genbench.nn.conv import Conv2d, stacked_conv2d


class Above(nn.Module):
    """Creates S convolutions of kernel×kernel of which a pixel sees the rows above, or its own too.

    The kernel holds the rows that are seen alone, and what a larger padding adds below is cut off.

    References:
        | Conditional Image Generation with PixelCNN Decoders (van den Oord et al., 2016), section 2.2

    Arguments:
        inputs: The number of channels of the input.
        outputs: The number of channels of the output.
        kernel: The width of the kernel, odd and at least 3.
        rng: Draws the weights.
        strict: Whether a pixel's own row is hidden from it.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, rng: Rng, *, strict: bool) -> None:
        super().__init__()
        self.reach = kernel // 2
        rows = self.reach + (not strict)
        self.conv = Conv2d(inputs, outputs, (rows, kernel), rng, padding=(self.reach, self.reach))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs, H, W) to (S, B, outputs, H, W)."""
        return self.conv(x)[..., : x.shape[-2], :]

    def steps(self, n: int, width: int) -> Callable[[Tensor], Tensor]:
        """Returns a map of rows, called from the top down: (S, n, inputs, W) to (S, n, outputs, W).

        A strict convolution is given the row before the one that is returned, zeros at first.
        """
        weight, bias = self.conv.weight, self.conv.bias
        seeds, _, inputs, rows, _ = weight.shape
        rows_above = weight.new_zeros(seeds, n, inputs, rows, width)

        def step(row: Tensor) -> Tensor:
            rows_above.copy_(torch.cat([rows_above[..., 1:, :], row.unsqueeze(-2)], dim=-2))
            return stacked_conv2d(rows_above, weight, bias, padding=(0, self.reach)).squeeze(-2)

        return step


class Left(nn.Module):
    """Creates S convolutions of 1×kernel of which a pixel sees those to the left, or itself too.

    Arguments:
        inputs: The number of channels of the input.
        outputs: The number of channels of the output.
        kernel: The width of the kernel, odd and at least 3.
        rng: Draws the weights.
        strict: Whether a pixel is hidden from itself.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, rng: Rng, *, strict: bool) -> None:
        super().__init__()
        self.reach, self.strict = kernel // 2, strict
        taps = self.reach + (not strict)
        self.conv = Conv2d(inputs, outputs, (1, taps), rng, padding=(0, self.reach), bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs, H, W) to (S, B, outputs, H, W)."""
        return self.conv(x)[..., : x.shape[-1]]

    def steps(self, n: int, width: int) -> Callable[[int, Tensor, Tensor], Tensor]:
        """Returns a map of pixels, called from left to right in every row.

        It maps (column, pixel (S, n, inputs), base (S, n, outputs)) to base plus the convolution at
        that column. A strict convolution is given the pixel before; in column 0 it is not read.
        """
        weight = self.conv.weight
        seeds, _, inputs, _, taps = weight.shape
        product = weight.squeeze(-2).permute(0, 3, 2, 1).flatten(1, 2).contiguous()
        row = weight.new_zeros(seeds, n, self.reach + width, inputs)

        def step(column: int, pixel: Tensor, base: Tensor) -> Tensor:
            place = self.reach + column - self.strict
            if place >= self.reach:
                row[:, :, place] = pixel
            return torch.baddbmm(base, row[:, :, column : column + taps].flatten(2), product)

        return step
