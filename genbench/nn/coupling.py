"""Stacked bijections with tractable Jacobians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from genbench.core.rng import Rng
from genbench.nn.mlp import MLP
from genbench.nn.timed import waves


class AffineCoupling(nn.Module):
    """Creates S maps of a point's one part, y = x exp(s(c)) + t(c), given its other part c.

    The log-scale is bounded by limit * tanh; the network starts at zero, the map at the identity.

    Arguments:
        fixed: The size of the part c that stays.
        moved: The size of the part x that moves.
        hidden: The widths of the network's hidden layers.
        rng: Draws the weights.
        limit: The bound on the log-scale.
        frequencies: How many sines and cosines of each entry of c the network sees beside c.
    """

    octaves: Tensor

    def __init__(
        self,
        fixed: int,
        moved: int,
        hidden: Sequence[int],
        rng: Rng,
        *,
        limit: float = 2.0,
        frequencies: int = 0,
    ) -> None:
        super().__init__()
        self.limit = limit
        size = fixed * (1 + 2 * frequencies)
        self.network = MLP(size, 2 * moved, hidden, rng, last_gain=0.0)
        octaves = 2.0 ** torch.arange(frequencies, dtype=torch.float64)
        self.register_buffer("octaves", octaves.to(rng.dtype), persistent=False)

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Returns y, shape (S, B, moved), and the log-determinant, shape (S, B)."""
        log_scale, shift = self._affine(c)
        return torch.addcmul(shift, x, log_scale.exp()), log_scale.sum(-1)

    def inverse(self, y: Tensor, c: Tensor) -> Tensor:
        """Returns x, shape (S, B, moved)."""
        log_scale, shift = self._affine(c)
        return (y - shift) * torch.exp(-log_scale)

    def _affine(self, c: Tensor) -> tuple[Tensor, Tensor]:
        inputs = torch.cat([c, waves(c, self.octaves)], dim=-1) if len(self.octaves) else c
        raw, shift = self.network(inputs).chunk(2, dim=-1)
        return self.limit * torch.tanh(raw), shift


class AdditiveCoupling(nn.Module):
    """Creates S maps of a point's one part, y = x + t(c), given its other part c; volumes stay.

    Arguments:
        fixed: The size of the part c that stays.
        moved: The size of the part x that moves.
        hidden: The widths of the network's hidden layers.
        rng: Draws the weights.
    """

    def __init__(self, fixed: int, moved: int, hidden: Sequence[int], rng: Rng) -> None:
        super().__init__()
        self.network = MLP(fixed, moved, hidden, rng, last_gain=0.0)

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
        frequencies: Those of affine couplings' networks.
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
        frequencies: int = 0,
    ) -> None:
        super().__init__()
        first = inputs // 2
        self.inputs, self.parts, self.mixing = inputs, (first, inputs - first), mixing
        self.layers: Any = nn.ModuleList(
            _coupling(
                (self.parts[i % 2], self.parts[1 - i % 2]),
                hidden,
                rng.fork("layer", i),
                limit,
                frequencies,
            )
            for i in range(layers)
        )
        count = (layers + 1) // 2
        if mixing == "rotation":
            square = rotations(inputs, count).to(rng.dtype)
            self.register_buffer("rotations", square, persistent=False)
        else:
            self.register_buffer(
                "orders", _fixed(inputs, count).permutation(inputs), persistent=False
            )

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


def rotations(size: int, count: int) -> Tensor:
    """Returns fixed random orthogonal matrices, shape (count, size, size), float64."""
    square, _ = torch.linalg.qr(_fixed(size, count).normal(size, size))
    return square


def _fixed(size: int, count: int) -> Rng:
    return Rng(range(count), dtype=torch.float64).fork("couplings", size)


def _coupling(
    parts: tuple[int, int],
    hidden: Sequence[int],
    rng: Rng,
    limit: float | None,
    frequencies: int,
) -> nn.Module:
    if limit is None:
        return AdditiveCoupling(*parts, hidden, rng)
    return AffineCoupling(*parts, hidden, rng, limit=limit, frequencies=frequencies)
