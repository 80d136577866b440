"""Stacked recurrent cells."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genbench.core.rng import Rng
from genbench.nn.mlp import Linear


class GRUCell(nn.Module):
    r"""Creates S gated recurrent units, one per seed, in torch's convention.

    .. math::
        r, u = \sigma(W x + V h), \qquad m = \tanh(W_m x + r \odot V_m h), \qquad
        h' = (1 - u) \odot m + u \odot h

    References:
        | Learning Phrase Representations using RNN Encoder-Decoder (Cho et al., 2014), section 2.3
        | Empirical Evaluation of Gated Recurrent Neural Networks (Chung et al., 2014), section 3.2

    Arguments:
        inputs: The size of the last axis of the input.
        units: The size of the state.
        rng: Draws the weights.
    """

    def __init__(self, inputs: int, units: int, rng: Rng) -> None:
        super().__init__()
        self.units = units
        self.input = Linear(inputs, 3 * units, rng.fork("input"))
        self.state = Linear(units, 3 * units, rng.fork("state"))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Maps inputs (S, B, inputs) and states (S, B, units) to the next states."""
        return self.next(self.input(x), h)

    def next(self, pull: Tensor, h: Tensor) -> Tensor:
        """Returns the next states from what `input` makes of the inputs, (S, B, 3 units)."""
        x_reset, x_keep, x_new = pull.chunk(3, dim=-1)
        h_reset, h_keep, h_new = self.state(h).chunk(3, dim=-1)
        new = torch.tanh(x_new + torch.sigmoid(x_reset + h_reset) * h_new)
        return torch.lerp(new, h, torch.sigmoid(x_keep + h_keep))

    def start(self, n: int) -> Tensor:
        """Returns the states before the first input, zero, shape (S, n, units)."""
        return self.state.bias.new_zeros(len(self.state.bias), n, self.units)

    def run(self, x: Tensor) -> Tensor:
        """Maps sequences of inputs (S, B, L, inputs) to the states after each, (S, B, L, units)."""
        h, states = self.start(x.shape[1]), []
        for pull in self.input(x.flatten(1, 2)).unflatten(1, x.shape[1:3]).unbind(2):
            h = self.next(pull, h)
            states.append(h)
        return torch.stack(states, dim=2)
