"""Stacked networks whose output d sees the inputs before d alone."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from genbench.core.constant import Constant
from genbench.core.rng import Rng
from genbench.nn.autoregressive import Drop, Step
from genbench.nn.mlp import Linear
from genbench.nn.stacked import ACTIVATIONS, run_layers


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

    def masked_weight(self) -> Tensor:
        """Returns the weights that act, zero elsewhere, shape (S, inputs, outputs)."""
        return self.weight * self.mask

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs) to (S, B, outputs)."""
        return torch.baddbmm(self.bias, x, self.masked_weight())


class MaskedMLP(nn.Module):
    """Creates S autoregressive multi-layer perceptrons: outputs d are functions of entries before d.

    A hidden unit has a degree, the number of leading entries that it may see. Degrees go round
    1 … D-1 in every layer, or are spread evenly over them where units are fewer; they are the same
    for all seeds.

    References:
        | MADE: Masked Autoencoder for Distribution Estimation (Germain et al., 2015), section 4.1

    Arguments:
        inputs: The number D of entries.
        outputs: The number P of outputs for one entry.
        hidden: The widths of the hidden layers, at least one.
        rng: Draws the weights.
        width: The number I of inputs of one entry.
        activation: A name in `ACTIVATIONS`.
        last_gain: Scales the last layer's weights at first.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: Sequence[int],
        rng: Rng,
        *,
        width: int = 1,
        activation: str = "relu",
        last_gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.inputs, self.outputs, self.width = inputs, outputs, width
        places = torch.arange(1, inputs + 1)
        self.degrees = [_degrees(units, inputs) for units in hidden]
        #: of every layer the number of units of at most each degree
        self.ends = [
            torch.bincount(degrees, minlength=inputs).cumsum(0).tolist()
            for degrees in self.degrees
        ]
        #: the units of every hidden layer by degree, so that those known come first and the new ones next
        self.orders = [Constant(degrees.argsort(stable=True)) for degrees in self.degrees]
        layers = [places.repeat_interleave(width), *self.degrees]
        masks = [b >= a.unsqueeze(1) for a, b in itertools.pairwise(layers)]
        last = places.repeat_interleave(outputs) > layers[-1].unsqueeze(1)
        self.layers: Any = nn.ModuleList(
            [
                *(MaskedLinear(mask, rng.fork("layer", i)) for i, mask in enumerate(masks)),
                MaskedLinear(last, rng.fork("layer", len(hidden)), gain=last_gain),
            ]
        )
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor, drop: Drop | None = None) -> Tensor:
        """Maps what is seen of entries, (S, B, D) or (S, B, D, I), to outputs (S, B, D, P)."""
        x = x.flatten(2)
        if drop is None:
            weights = [w for layer in self.layers for w in (layer.masked_weight(), layer.bias)]
            x = run_layers(x, weights, self.activation)
        else:
            for layer in self.layers[:-1]:
                x = drop(self.activation(layer(x)))
            x = self.layers[-1](x)
        return x.unflatten(-1, (self.inputs, self.outputs))

    def steps(self, n: int) -> Step:
        """Returns a step that computes the hidden units whose last entry has just come, no others."""
        orders = [order.on(self.layers[-1].bias.device) for order in self.orders]
        *weights, last = self._sorted(orders)
        biases = [
            layer.bias[..., order] for layer, order in zip(self.layers, orders, strict=False)
        ]
        seeds, entries = len(last), self.inputs * self.width
        units = [last.new_zeros(seeds, n, size) for size in (entries, *(len(o) for o in orders))]

        def step(d: int, entry: Tensor) -> Tensor:
            if d:
                end = d * self.width
                units[0][..., end - self.width : end] = entry
                for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
                    new = slice(self.ends[i][d - 1], self.ends[i][d])
                    if new.start < new.stop:
                        total = torch.baddbmm(
                            bias[..., new], units[i][..., :end], weight[:, :end, new]
                        )
                        units[i + 1][..., new] = self.activation(total)
                    end = new.stop
            end, block = self.ends[-1][d], slice(d * self.outputs, (d + 1) * self.outputs)
            rows = last[:, block, :end].transpose(1, 2)
            return torch.baddbmm(self.layers[-1].bias[..., block], units[-1][..., :end], rows)

        return step

    def _sorted(self, orders: list[Tensor]) -> list[Tensor]:
        """The weights that act, hidden units in the given orders, the last layer's transposed."""
        weights = [layer.masked_weight() for layer in self.layers]
        for i, order in enumerate(orders):
            weights[i] = weights[i][:, :, order]
            weights[i + 1] = weights[i + 1][:, order]
        weights[-1] = weights[-1].transpose(1, 2)
        return [weight.contiguous() for weight in weights]


def _degrees(width: int, inputs: int) -> Tensor:
    """The degrees of the units of a hidden layer, in 1 … max(D-1, 1), shape (width,)."""
    most = max(inputs - 1, 1)
    places = torch.arange(width)
    return (places % most if width >= most else places * most // width) + 1
