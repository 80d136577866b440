"""The network of PixelRNN: long short-term memories that run down the rows of an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.rng import Rng
from genbench.models.autoregressive._causal import Above, Left
from genbench.models.autoregressive._gated import Head, Places
from genbench.nn.autoregressive import Drop, Step
from genbench.nn.mlp import Linear


class RowLSTM(nn.Module):
    """Creates S recurrent layers that read a row at a time, from the top, with a residual connection.

    A pixel's gates see the layer's input at the pixel and to its left, and the state of the row above
    at the pixel and on both its sides: a triangle of all that is above.

    References:
        | Pixel Recurrent Neural Networks (van den Oord et al., 2016), sections 3.1, 3.3 and 3.4

    Arguments:
        channels: The number of channels of the input, the state and the output.
        rng: Draws the weights.
    """

    def __init__(self, channels: int, rng: Rng) -> None:
        super().__init__()
        self.channels = channels
        self.input_to_state = Left(channels, 4 * channels, 3, rng.fork("input"), strict=False)
        self.state_to_state = Linear(3 * channels, 4 * channels, rng.fork("state"))
        self.out = Linear(channels, channels, rng.fork("out"))

    def forward(self, x: Tensor, drop: Drop | None = None) -> Tensor:
        """Maps (S, B, H, W, C) to (S, B, H, W, C)."""
        pulls = self.input_to_state(x.permute(0, 1, 4, 2, 3)).permute(3, 0, 1, 4, 2)
        h = cell = torch.zeros_like(x[:, :, 0])
        rows = []
        for row in pulls:
            h, cell = lstm(row + self.recurrent(h), cell)
            rows.append(h)
        hidden = torch.stack(rows, dim=2)
        hidden = hidden if drop is None else drop(hidden)
        return x + self.out(hidden.flatten(1, 3)).view_as(x)

    def recurrent(self, h: Tensor) -> Tensor:
        """Returns the gates' sums from the row above, (S, B, W, C) to (S, B, W, 4 C)."""
        wide = functional.pad(h, (0, 0, 1, 1))
        sides = torch.cat([wide[:, :, :-2], h, wide[:, :, 2:]], dim=-1)
        return self.state_to_state(sides.flatten(1, 2)).unflatten(1, h.shape[1:3])

    def steps(self, n: int, width: int) -> Callable[[int, Tensor], Tensor]:
        """Returns a map of pixels in raster order, (column, (S, n, C)) to (S, n, C)."""
        pixel_of = self.input_to_state.steps(n, width)
        weight = self.out.weight
        h = weight.new_zeros(len(weight), n, width, self.channels)
        cell = torch.zeros_like(h)
        above = torch.empty(0)

        def step(column: int, x: Tensor) -> Tensor:
            nonlocal above
            if column == 0:
                above = self.recurrent(h)
            gates = pixel_of(column, x, above[:, :, column])
            state, memory = lstm(gates, cell[:, :, column])
            h[:, :, column], cell[:, :, column] = state, memory
            return x + self.out(state)

        return step


class RecurrentPixels(nn.Module):
    """Creates S PixelRNNs of images of one channel: outputs of a pixel see those before it.

    Arguments:
        height: The number of rows.
        width: The number of columns.
        outputs: The number of outputs of a pixel, P.
        rng: Draws the weights.
        channels: The number of channels of all layers.
        depth: The number of recurrent layers.
        first: The width of the first convolution, odd and at least 3.
        head: The width of the layer before the outputs.
    """

    def __init__(
        self,
        height: int,
        width: int,
        outputs: int,
        rng: Rng,
        *,
        channels: int,
        depth: int,
        first: int,
        head: int,
    ) -> None:
        super().__init__()
        self.height, self.width = height, width
        self.above = Above(1, channels, first, rng.fork("above"), strict=True)
        self.left = Left(1, channels, first, rng.fork("left"), strict=True)
        self.places = Places(channels, height, width, rng.fork("places"))
        self.layers: Any = nn.ModuleList(
            RowLSTM(channels, rng.fork("layer", i)) for i in range(depth)
        )
        self.head = Head(channels, head, outputs, rng.fork("head"))

    def forward(self, y: Tensor, drop: Drop | None = None) -> Tensor:
        """Maps pixels (S, B, D, 1) to outputs (S, B, D, P)."""
        image = y.view(*y.shape[:2], 1, self.height, self.width)
        x = self.places(self.above(image) + self.left(image)).permute(0, 1, 3, 4, 2)
        for layer in self.layers:
            x = layer(x, drop)
        return self.head(x.flatten(2, 3))

    def steps(self, n: int) -> Step:
        """Returns a step that computes, at a row's start, what comes from above, then its pixels."""
        row_of, pixel_of = self.above.steps(n, self.width), self.left.steps(n, self.width)
        layers = [layer.steps(n, self.width) for layer in self.layers]
        head = self.head.steps()
        weight = self.above.conv.weight
        image = weight.new_zeros(len(weight), n, 1, self.width)
        above = torch.empty(0)

        def step(d: int, last: Tensor) -> Tensor:
            nonlocal above
            column = d % self.width
            image[..., column - 1] = last
            if column == 0:
                row = row_of(image if d else torch.zeros_like(image))
                above = self.places.at(d // self.width, row).permute(3, 0, 1, 2)
            x = pixel_of(column, last, above[column])
            for layer in layers:
                x = layer(column, x)
            return head(x)

        return step


def lstm(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the new state and memory of a cell, (…, C), from the sums of its gates, (…, 4 C)."""
    output, forget, enter, content = gates.chunk(4, dim=-1)
    cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(content)
    return torch.sigmoid(output) * torch.tanh(cell), cell
