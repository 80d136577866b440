"""Stacked networks whose layers have spectral norm one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.rng import Rng
from genbench.nn.mlp import MLP, Linear
from genbench.nn.stacked import run_layers


class SpectralMLP(MLP):
    """Creates S multi-layer perceptrons whose weights are divided by their largest singular value.

    The value is estimated by power iteration, one step in every pass in training mode, from a vector
    per seed that is kept between passes; its gradient holds the singular vectors fixed. With leaky ReLU
    the network is 1-Lipschitz times `scale`, as far as the estimates are exact.

    References:
        | Spectral Normalization for GANs (Miyato et al., 2018), section 2.1 and algorithm 1

    Arguments:
        inputs: The size of the last axis of the input.
        outputs: The size of the last axis of the output.
        hidden: The widths of the hidden layers.
        rng: Draws the weights and the iterations' starting vectors.
        activation: A name in `ACTIVATIONS`.
        scale: Multiplies the input.
        warmup: Steps of the power iteration on the initial weights.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: Sequence[int],
        rng: Rng,
        *,
        activation: str = "leaky_relu",
        scale: float = 1.0,
        warmup: int = 15,
    ) -> None:
        super().__init__(inputs, outputs, hidden, rng, activation=activation)
        self.scale = scale
        for i, width in enumerate((*hidden, outputs)):
            start = rng.fork("direction", i).normal(width, 1)
            self.register_buffer(f"direction_{i}", functional.normalize(start, dim=1))
            for _ in range(warmup):
                self._iterate(i)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs) to (S, B, outputs)."""
        layers = range(len(self.layers))
        weights = [w for i in layers for w in (self.weight(i), self._layer(i).bias)]
        return run_layers(x * self.scale, weights, self.activation)

    def weight(self, i: int) -> Tensor:
        """Returns layer i's weight over its spectral norm, (S, inputs, outputs)."""
        if self.training:
            self._iterate(i)
        weight, right = self._layer(i).weight, self.get_buffer(f"direction_{i}")
        first = functional.normalize((weight @ right).detach(), dim=1)
        return weight / (first.mT @ weight @ right)

    @torch.no_grad()
    def _iterate(self, i: int) -> None:
        weight, right = self._layer(i).weight, self.get_buffer(f"direction_{i}")
        moved = functional.normalize(weight.mT @ (weight @ right), dim=1)
        setattr(self, f"direction_{i}", moved)  # not in place: the last pass's graph holds the old

    def _layer(self, i: int) -> Linear:
        layer = self.layers[i]
        assert isinstance(layer, Linear)
        return layer
