"""Stacked networks whose output d sees the inputs before d alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from genbench.core.rng import Rng
from genbench.nn.mlp import ACTIVATIONS, Linear


class MaskedLinear(Linear):
    """Creates S linear maps, x (W * mask) + b, with one mask for all seeds.

    Arguments:
        mask: Which input reaches which output, shape (inputs, outputs), of 0 and 1.
        rng: Draws the weights.
        gain: Scales the weights, as in `Linear`.
    """

    mask: Tensor

    def __init__(self, mask: Tensor, rng: Rng, *, gain: float = 1.0) -> None:
        super().__init__(mask.shape[0], mask.shape[1], rng, gain=gain)
        self.register_buffer("mask", mask.to(self.weight.dtype), persistent=False)

    def kept(self) -> Tensor:
        """Returns the weights that act, zero elsewhere, shape (S, inputs, outputs)."""
        return self.weight * self.mask

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs) to (S, B, outputs)."""
        return torch.baddbmm(self.bias, x, self.kept())


class MaskedMLP(nn.Module):
    """Creates S autoregressive multi-layer perceptrons: outputs d are functions of inputs before d.

    A hidden unit has a degree, the number of leading inputs that it may see; degrees go round
    1 … D-1 in every layer, and are the same for all seeds.

    References:
        | MADE: Masked Autoencoder for Distribution Estimation (Germain et al., 2015), section 4.1

    Arguments:
        inputs: The number D of inputs.
        each: The number P of outputs for one input.
        hidden: The widths of the hidden layers, at least one.
        rng: Draws the weights.
        activation: A name in `ACTIVATIONS`.
        last_gain: Scales the last layer's weights at first.
    """

    def __init__(
        self,
        inputs: int,
        each: int,
        hidden: Sequence[int],
        rng: Rng,
        *,
        activation: str = "relu",
        last_gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.inputs, self.each = inputs, each
        degrees = [torch.arange(1, inputs + 1)]
        degrees += [torch.arange(width) % max(inputs - 1, 1) + 1 for width in hidden]
        masks = [b >= a.unsqueeze(1) for a, b in itertools.pairwise(degrees)]
        last = degrees[0].repeat_interleave(each) > degrees[-1].unsqueeze(1)
        self.layers: Any = nn.ModuleList(
            [
                *(MaskedLinear(mask, rng.fork("layer", i)) for i, mask in enumerate(masks)),
                MaskedLinear(last, rng.fork("layer", len(hidden)), gain=last_gain),
            ]
        )
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, D) to (S, B, D, P)."""
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x).unflatten(-1, (self.inputs, self.each))

    def unroll(self, n: int, draw: Callable[[int, Tensor], Tensor]) -> Tensor:
        """Fills in points one coordinate after the other, shape (S, n, D).

        The first layer's sums are carried along, and of the last layer only the outputs of the
        coordinate at hand are computed.

        Arguments:
            n: The number of points a seed.
            draw: Maps (d, outputs of d, shape (S, n, P)) to the inputs of index d, shape (S, n).
        """
        first, *middle, last = self.layers
        (rows, *weights, columns) = [layer.kept() for layer in self.layers]
        total = first.bias.repeat(1, n, 1)
        drawn = []
        for d in range(self.inputs):
            hidden = self.activation(total)
            for layer, weight in zip(middle, weights, strict=True):
                hidden = self.activation(torch.baddbmm(layer.bias, hidden, weight))
            block = slice(d * self.each, (d + 1) * self.each)
            drawn.append(
                draw(d, torch.baddbmm(last.bias[..., block], hidden, columns[..., block]))
            )
            total = torch.addcmul(total, drawn[-1].unsqueeze(-1), rows[:, d : d + 1])
        return torch.stack(drawn, dim=-1)
