"""Networks of semi-supervised GANs: weight normalised with noise between layers, and batch normalised."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.rng import Rng
from genbench.nn.conv import BatchNorm
from genbench.nn.mlp import Linear, linear_layers


class NoisyMLP(nn.Module):
    """Creates S ReLU perceptrons with weight normalised layers and Gaussian noise before each.

    A unit's weights are its scale, 1 at first, times a unit vector; biases start at 0. Noise is added in
    training mode alone.

    References:
        | Weight Normalization (Salimans and Kingma, 2016), equation 2
        | Improved Techniques for Training GANs (Salimans et al., 2016), authors' code for MNIST

    Arguments:
        inputs: The size of the last axis of the input.
        outputs: The size of the last axis of the output.
        hidden: The widths of the hidden layers.
        rng: Draws the directions.
        noise: The noise's standard deviations, on the input and on hidden layers.
        normalised: Whether weights are normalised; else layers are plain.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: Sequence[int],
        rng: Rng,
        *,
        noise: tuple[float, float] = (0.3, 0.5),
        normalised: bool = True,
    ) -> None:
        super().__init__()
        self.noise, self.normalised = noise, normalised
        self.layers = linear_layers((inputs, *hidden, outputs), rng)
        self.scales = nn.ParameterList()
        if normalised:
            for layer in self.layers:
                assert isinstance(layer, Linear)
                nn.init.zeros_(layer.bias)
                self.scales.append(torch.ones_like(layer.bias))

    def forward(self, x: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """Maps (S, B, inputs) to outputs (S, B, outputs) and to the last hidden layer."""
        last = len(self.layers) - 1
        for i in range(last):
            x = functional.relu(self._layer(i, self._noised(x, min(i, 1), rng)))
        return self._layer(last, self._noised(x, 1, rng)), x

    def _noised(self, x: Tensor, which: int, rng: Rng) -> Tensor:
        if not self.training or self.noise[which] == 0:
            return x
        return x + self.noise[which] * rng.normal(*x.shape[1:])

    def _layer(self, i: int, x: Tensor) -> Tensor:
        layer = self.layers[i]
        assert isinstance(layer, Linear)
        if not self.normalised:
            return layer(x)
        weight = self.scales[i] * functional.normalize(layer.weight, dim=1)
        return torch.baddbmm(layer.bias, x, weight)


class NormMLP(nn.Module):
    """Creates S softplus perceptrons whose hidden layers are batch normalised.

    Arguments:
        inputs: The size of the last axis of the input.
        outputs: The size of the last axis of the output.
        hidden: The widths of the hidden layers.
        rng: Draws the weights.
    """

    def __init__(self, inputs: int, outputs: int, hidden: Sequence[int], rng: Rng) -> None:
        super().__init__()
        self.layers = linear_layers((inputs, *hidden, outputs), rng)
        self.norms = nn.ModuleList(BatchNorm(size, rng) for size in hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (S, B, inputs) to (S, B, outputs)."""
        for layer, norm in zip(self.layers, self.norms, strict=False):
            x = functional.softplus(norm(layer(x)))
        return self.layers[-1](x)
