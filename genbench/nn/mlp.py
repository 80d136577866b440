"""Stacked linear layers: one batched product for all seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from genbench.core.rng import Rng
from genbench.nn.stacked import ACTIVATIONS, run_layers


class Linear(nn.Module):
    """Creates S linear maps, x W + b, one per seed.

    Weights are drawn per seed, uniform on ±gain/sqrt(fan_in) (torch's default for gain 1); biases likewise.

    Arguments:
        inputs: The size of the last axis of the input.
        outputs: The size of the last axis of the output.
        rng: Draws the weights; seed k's do not depend on the other seeds.
        gain: Scales the weights; 0 makes the map zero at first.

    Example:
        >>> Linear(3, 2, Rng([0, 1]))(torch.zeros(2, 5, 3)).shape
        torch.Size([2, 5, 2])
    """

    def __init__(self, inputs: int, outputs: int, rng: Rng, *, gain: float = 1.0) -> None:
        super().__init__()
        reach = gain / math.sqrt(inputs)
        self.weight = nn.Parameter(
            rng.fork("weight").uniform(inputs, outputs, low=-1, high=1) * reach
        )
        self.bias = nn.Parameter(rng.fork("bias").uniform(1, outputs, low=-1, high=1) * reach)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs) to (S, B, outputs)."""
        return torch.baddbmm(self.bias, x, self.weight)


def linear_layers(sizes: Sequence[int], rng: Rng, *, last_gain: float = 1.0) -> nn.ModuleList:
    """Returns linear maps from each size to the next, drawn by the forks `layer`, 0, 1, … of rng."""
    last = len(sizes) - 2
    return nn.ModuleList(
        Linear(a, b, rng.fork("layer", i), gain=last_gain if i == last else 1.0)
        for i, (a, b) in enumerate(pairwise(sizes))
    )


class MLP(nn.Module):
    """Creates S multi-layer perceptrons, one per seed.

    Arguments:
        inputs: The size of the last axis of the input.
        outputs: The size of the last axis of the output.
        hidden: The widths of the hidden layers.
        rng: Draws the weights.
        activation: A name in `ACTIVATIONS`.
        last_gain: Scales the last layer's weights at first; 0 makes the network zero.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: Sequence[int],
        rng: Rng,
        *,
        activation: str = "relu",
        last_gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.layers = linear_layers((inputs, *hidden, outputs), rng, last_gain=last_gain)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs) to (S, B, outputs)."""
        layers = cast(Iterable[Linear], self.layers)
        weights = [w for layer in layers for w in (layer.weight, layer.bias)]
        return run_layers(x, weights, self.activation)


def flat(x: Tensor) -> Tensor:
    """Flattens events: (S, B, *event) to (S, B, D)."""
    return x.flatten(2)
