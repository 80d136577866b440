"""The network of the gated PixelCNN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.rng import Rng
from genbench.models.autoregressive._causal import Above, Left
from genbench.nn.autoregressive import Drop, Step
from genbench.nn.conv import Conv2d
from genbench.nn.mlp import Linear


def gate(x: Tensor, dim: int = -1) -> Tensor:
    """Returns tanh of the first half times the logistic function of the second."""
    value, share = x.chunk(2, dim=dim)
    return torch.tanh(value) * torch.sigmoid(share)


class GatedLayer(nn.Module):
    """Creates one layer of the vertical and the horizontal stack, S times.

    References:
        | Conditional Image Generation with PixelCNN Decoders (van den Oord et al., 2016), figure 2

    Arguments:
        inputs: The number of channels of both stacks' inputs.
        channels: The number of channels of both outputs.
        kernel: The width of the kernels, odd and at least 3.
        rng: Draws the weights.
        first: The (height, width) of the image if the inputs are pixels, of which a pixel must not see
            its own; the layer then has a learnt bias for every place, and no residual connection.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        kernel: int,
        rng: Rng,
        *,
        first: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        strict = first is not None
        self.places = Places(2 * channels, *first, rng.fork("places")) if first else None
        self.vertical = Above(inputs, 2 * channels, kernel, rng.fork("vertical"), strict=strict)
        self.horizontal = Left(inputs, 2 * channels, kernel, rng.fork("horizontal"), strict=strict)
        self.down = Conv2d(2 * channels, 2 * channels, 1, rng.fork("down"))
        self.out = Conv2d(channels, channels, 1, rng.fork("out"))

    def forward(self, v: Tensor, h: Tensor, drop: Drop | None = None) -> tuple[Tensor, Tensor]:
        """Maps both stacks' (S, B, inputs, H, W) to (S, B, channels, H, W)."""
        above = self.vertical(v) if self.places is None else self.places(self.vertical(v))
        y = gate(self.horizontal(h) + self.down(above), 2)
        y = self.out(y if drop is None else drop(y))
        return gate(above, 2), h + y if self.places is None else y

    def steps(self, n: int, width: int) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
        """Returns maps of the vertical stack's rows and of the horizontal stack's pixels."""
        row_of, pixel_of = self.vertical.steps(n, width), self.horizontal.steps(n, width)
        out, out_bias = one_by_one(self.out)
        beside = torch.empty(0)

        def row(number: int, v: Tensor) -> Tensor:
            nonlocal beside
            above = row_of(v) if self.places is None else self.places.at(number, row_of(v))
            beside = self.down(above.unsqueeze(-2)).squeeze(-2).permute(3, 0, 1, 2).contiguous()
            return gate(above, 2)

        def pixel(column: int, h: Tensor) -> Tensor:
            y = torch.baddbmm(out_bias, gate(pixel_of(column, h, beside[column])), out)
            return h + y if self.places is None else y

        return row, pixel


class Places(nn.Module):
    """Adds a learnt vector to the features of every place of an image, S times.

    Arguments:
        channels: The number of features.
        height: The number of rows.
        width: The number of columns.
        rng: Draws the vectors.
    """

    def __init__(self, channels: int, height: int, width: int, rng: Rng) -> None:
        super().__init__()
        draws = rng.uniform(1, channels, height, width, low=-1, high=1)
        self.weight = nn.Parameter(draws * channels**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, C, H, W) to itself and the vectors."""
        return x + self.weight

    def at(self, row: int, x: Tensor) -> Tensor:
        """Maps a row, (S, n, C, W), to itself and the vectors there."""
        return x + self.weight[..., row, :]


class GatedPixels(nn.Module):
    """Creates S gated PixelCNNs of images of one channel: outputs of a pixel see those before it.

    Arguments:
        height: The number of rows.
        width: The number of columns.
        outputs: The number of outputs of a pixel, P.
        rng: Draws the weights.
        channels: The number of channels of all layers.
        depth: The number of layers, at least one.
        first: The width of the first layer's kernel, odd and at least 3.
        kernel: The width of the others'.
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
        kernel: int,
        head: int,
    ) -> None:
        super().__init__()
        self.height, self.width = height, width
        self.layers: Any = nn.ModuleList(
            GatedLayer(
                channels if i else 1,
                channels,
                kernel if i else first,
                rng.fork("layer", i),
                first=None if i else (height, width),
            )
            for i in range(depth)
        )
        self.head = Head(channels, head, outputs, rng.fork("head"))

    def forward(self, y: Tensor, drop: Drop | None = None) -> Tensor:
        """Maps pixels (S, B, D, 1) to outputs (S, B, D, P)."""
        v = h = y.view(*y.shape[:2], 1, self.height, self.width)
        for layer in self.layers:
            v, h = layer(v, h, drop)
        return self.head(h.flatten(3).transpose(2, 3))

    def steps(self, n: int) -> Step:
        """Returns a step that computes rows of the vertical stack and pixels of the horizontal one."""
        layers = [layer.steps(n, self.width) for layer in self.layers]
        head = self.head.steps()
        weight = self.layers[0].out.weight
        image = weight.new_zeros(weight.shape[0], n, 1, self.width)

        def step(d: int, last: Tensor) -> Tensor:
            column = d % self.width
            image[..., column - 1] = last
            if column == 0:
                v = image if d else torch.zeros_like(image)
                for row, _ in layers:
                    v = row(d // self.width, v)
            h = last
            for _, pixel in layers:
                h = pixel(column, h)
            return head(h)

        return step


class Head(nn.Module):
    """Creates S maps of features to outputs: ReLU, linear, ReLU, linear, at every entry.

    Arguments:
        inputs: The number of features.
        hidden: The width between.
        outputs: The number of outputs.
        rng: Draws the weights.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int, rng: Rng) -> None:
        super().__init__()
        self.hidden = Linear(inputs, hidden, rng.fork("hidden"))
        self.last = Linear(hidden, outputs, rng.fork("last"))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, D, inputs) to (S, B, D, outputs)."""
        hidden = functional.relu(self.hidden(functional.relu(x.flatten(1, 2))))
        return self.last(hidden).unflatten(1, x.shape[1:3])

    def steps(self) -> Callable[[Tensor], Tensor]:
        """Returns the map of one entry, (S, n, inputs) to (S, n, outputs)."""
        return lambda x: self.last(functional.relu(self.hidden(functional.relu(x))))


def one_by_one(conv: Conv2d) -> tuple[Tensor, Tensor]:
    """Returns the weights (S, I, O) and the bias (S, 1, O) of a convolution of kernel 1."""
    assert conv.bias is not None
    return conv.weight.flatten(2).transpose(1, 2).contiguous(), conv.bias.unsqueeze(1)
