"""Stacked bijections with tractable Jacobians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

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
    """

    def __init__(
        self,
        given: int,
        moved: int,
        hidden: Sequence[int],
        rng: Rng,
        *,
        limit: float = 2.0,
    ) -> None:
        super().__init__()
        self.limit = limit
        self.network = MLP(given, 2 * moved, hidden, rng, last_gain=0.0)

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


class AdditiveCoupling(nn.Module):
    """Creates S maps of a point's one part, y = x + t(c), given its other part c; volumes stay.

    Arguments:
        given: The size of the part c that stays.
        moved: The size of the part x that moves.
        hidden: The widths of the network's hidden layers.
        rng: Draws the weights.
    """

    def __init__(self, given: int, moved: int, hidden: Sequence[int], rng: Rng) -> None:
        super().__init__()
        self.network = MLP(given, moved, hidden, rng, last_gain=0.0)

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Returns y, shape (S, B, moved), and the log-determinant, zeros of shape (S, B)."""
        return x + self.network(c), x.new_zeros(x.shape[:-1])

    def inverse(self, y: Tensor, c: Tensor) -> Tensor:
        """Returns x, shape (S, B, moved)."""
        return y - self.network(c)


class Couplings(nn.Module):
    """Creates chains of affine or additive couplings, S side by side, that move a point's two parts in turn.

    Before every second coupling the coordinates are mixed by a fixed map of determinant ±1, the same
    for all seeds: a random permutation (of two coordinates, none) or a random rotation.

    Arguments:
        inputs: The number D of coordinates, at least 2.
        layers: The number of couplings.
        hidden: The widths of every coupling's hidden layers.
        rng: Draws the weights.
        limit: The bound on the log-scales, or None for additive couplings.
        mixing: `permutation` or `rotation`.
    """

    orders: Tensor
    rotations: Tensor

    def __init__(
        self,
        inputs: int,
        layers: int,
        hidden: Sequence[int],
        rng: Rng,
        *,
        limit: float | None = 2.0,
        mixing: Literal["permutation", "rotation"] = "permutation",
    ) -> None:
        super().__init__()
        first = inputs // 2
        self.inputs, self.parts, self.mixing = inputs, (first, inputs - first), mixing
        self.layers: Any = nn.ModuleList(
            _coupling(
                self.parts[i % 2], self.parts[1 - i % 2], hidden, rng.fork("layer", i), limit
            )
            for i in range(layers)
        )
        fixed = Rng(range((layers + 1) // 2), dtype=torch.float64).fork("couplings", inputs)
        if mixing == "rotation":
            square, _ = torch.linalg.qr(fixed.normal(inputs, inputs))
            self.register_buffer("rotations", square.to(rng.dtype), persistent=False)
        else:
            self.register_buffer("orders", fixed.permutation(inputs), persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps points (S, B, D) to codes (S, B, D) and log-determinants (S, B)."""
        total = x.new_zeros(x.shape[:-1])
        a, b = self._split(x)
        for i, layer in enumerate(self.layers):
            if i % 2 == 0:
                a, b = self._split(self._mixed(torch.cat([a, b], dim=-1), i // 2))
                b, log_det = layer(b, a)
            else:
                a, log_det = layer(a, b)
            total = total + log_det
        return torch.cat([a, b], dim=-1), total

    def inverse(self, z: Tensor) -> Tensor:
        """Maps codes (S, B, D) to points (S, B, D)."""
        a, b = self._split(z)
        for i, layer in reversed(list(enumerate(self.layers))):
            if i % 2 == 0:
                b = layer.inverse(b, a)
                a, b = self._split(self._unmixed(torch.cat([a, b], dim=-1), i // 2))
            else:
                a = layer.inverse(a, b)
        return torch.cat([a, b], dim=-1)

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x[..., : self.parts[0]], x[..., self.parts[0] :]

    def _mixed(self, x: Tensor, i: int) -> Tensor:
        if self.mixing == "rotation":
            return x @ self.rotations[i]
        return x if self.inputs == 2 else x[..., self.orders[i]]

    def _unmixed(self, x: Tensor, i: int) -> Tensor:
        if self.mixing == "rotation":
            return x @ self.rotations[i].mT
        return x if self.inputs == 2 else x[..., self.orders[i].argsort()]


def _coupling(
    given: int, moved: int, hidden: Sequence[int], rng: Rng, limit: float | None
) -> nn.Module:
    if limit is None:
        return AdditiveCoupling(given, moved, hidden, rng)
    return AffineCoupling(given, moved, hidden, rng, limit=limit)
