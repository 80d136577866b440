"""Stacked bijections with tractable Jacobians."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genbench.core.rng import Rng
from genbench.nn.mlp import MLP


class AffineCoupling(nn.Module):
    """Creates S maps of a point's one part, y = x exp(s(c)) + t(c), given its other part c.

    The log-scale is bounded by limit * tanh; the network starts at zero, the map at the identity.

    Arguments:
        given: The size of the part c that stays.
        moved: The size of the part x that moves.
        hidden: The widths of the network's hidden layers.
        rng: Draws the weights.
        limit: The bound on the log-scale.
        activation: A name in `ACTIVATIONS`.
    """

    def __init__(
        self,
        given: int,
        moved: int,
        hidden: Sequence[int],
        rng: Rng,
        *,
        limit: float = 2.0,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.limit = limit
        self.network = MLP(given, 2 * moved, hidden, rng, activation=activation, last_gain=0.0)

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Returns y, shape (S, B, moved), and the log-determinant, shape (S, B)."""
        log_scale, shift = self._affine(c)
        return torch.addcmul(shift, x, log_scale.exp()), log_scale.sum(-1)

    def inverse(self, y: Tensor, c: Tensor) -> Tensor:
        """Returns x, shape (S, B, moved)."""
        log_scale, shift = self._affine(c)
        return (y - shift) * torch.exp(-log_scale)

    def _affine(self, c: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = self.network(c).chunk(2, dim=-1)
        return self.limit * torch.tanh(raw), shift


class Couplings(nn.Module):
    """Creates S chains of affine couplings that move a point's two halves in turn.

    After every second coupling the coordinates are mixed by a fixed permutation, the same for all
    seeds (of two coordinates there is nothing to mix).

    Arguments:
        inputs: The number D of coordinates, at least 2.
        layers: The number of couplings.
        hidden: The widths of every coupling's hidden layers.
        rng: Draws the weights.
        limit: The bound on the log-scales.
        activation: A name in `ACTIVATIONS`.
    """

    orders: Tensor
    inverse_orders: Tensor

    def __init__(
        self,
        inputs: int,
        layers: int,
        hidden: Sequence[int],
        rng: Rng,
        *,
        limit: float = 2.0,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        first = inputs // 2
        self.parts = (first, inputs - first)
        self.layers = nn.ModuleList(
            AffineCoupling(
                self.parts[i % 2],
                self.parts[1 - i % 2],
                hidden,
                rng.fork("layer", i),
                limit=limit,
                activation=activation,
            )
            for i in range(layers)
        )
        fixed = Rng([0]).fork("couplings", inputs)
        orders = [fixed.fork(i).permutation(inputs)[0] for i in range((layers + 1) // 2)]
        self.register_buffer("orders", torch.stack(orders), persistent=False)
        self.register_buffer("inverse_orders", self.orders.argsort(-1), persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps points (S, B, D) to codes (S, B, D) and log-determinants (S, B)."""
        total = x.new_zeros(x.shape[:-1])
        a, b = x.split(self.parts, dim=-1)
        for i, layer in enumerate(self.layers):
            if i % 2 == 0:
                a, b = self._mixed(a, b, self.orders[i // 2])
                b, log_det = layer(b, a)
            else:
                a, log_det = layer(a, b)
            total = total + log_det
        return torch.cat([a, b], dim=-1), total

    def inverse(self, z: Tensor) -> Tensor:
        """Maps codes (S, B, D) to points (S, B, D)."""
        a, b = z.split(self.parts, dim=-1)
        for i, layer in reversed(list(enumerate(self.layers))):
            if i % 2 == 0:
                b = layer.inverse(b, a)
                a, b = self._mixed(a, b, self.inverse_orders[i // 2])
            else:
                a = layer.inverse(a, b)
        return torch.cat([a, b], dim=-1)

    def _mixed(self, a: Tensor, b: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
        if sum(self.parts) == 2:
            return a, b
        mixed = torch.cat([a, b], dim=-1)[..., order]
        return tuple(mixed.split(self.parts, dim=-1))
