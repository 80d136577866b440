"""Masked autoregressive flow."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genbench.core.allowed import Count, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.core.search import Choice, LogUniform
from genbench.families.flow import FlowModel
from genbench.families.search import SHAPES, density_space
from genbench.models.flow._logit import from_logits, to_logits
from genbench.nn.coupling import rotations
from genbench.nn.masked import MaskedMLP
from genbench.nn.mlp import flat


@model("maf")
class MAF(FlowModel):
    r"""Creates a normalising flow of affine autoregressive layers, trained by exact maximum likelihood.

    A layer takes a point x to a code u by one pass of a masked network,

    .. math::
        u_d = (x_d - \mu_d(x_1, \dots, x_{d-1})) \exp(-\alpha_d(x_1, \dots, x_{d-1}))

    and a code back to a point coordinate after coordinate.

    References:
        | Masked Autoregressive Flow for Density Estimation (Papamakarios et al., 2017), sections 3.1, 4.1
        | https://arxiv.org/abs/1705.07057

    Differences: alpha is bounded by `limit` tanh and starts at zero; no batch normalisation between
    layers; in the plane a fixed rotation precedes every layer, which no order of two coordinates can
    replace, elsewhere the order is reversed, as in the paper; AdamW on a linearly falling step size.
    Data with a range pass a logit whose margin, at both ends, is that of Real NVP; what samples fall
    into a margin are moved to the nearer end.

    Arguments:
        layers: The number of autoregressive layers.
        hidden: The widths of every layer's hidden layers, at least one.
        limit: The bound on alpha.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay; None chooses 1 for images and 0 elsewhere.
        clip: The largest gradient norm.
    """

    paper = "Papamakarios et al., 2017"
    year = 2017
    search = {
        **density_space(),
        **SHAPES,
        "weight_decay": LogUniform(1e-3, 1.0),
        "limit": Choice((1.0, 2.0, 3.0)),
    }

    turns: Tensor | None

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        layers: Count = 10,
        hidden: Widths = (128, 128),
        limit: Positive = 3.0,
        lr: Positive = 2e-3,
        weight_decay: Weight | None = None,
        clip: Positive = 5.0,
    ) -> None:
        decay = weight_decay if weight_decay is not None else (1.0 if spec.is_image else 0.0)
        super().__init__(spec, rng, lr=lr, weight_decay=decay, clip=clip)
        if not hidden:
            raise SpecError(
                "maf needs a hidden layer, got hidden=(); give at least one, e.g. (64, 64)"
            )
        self.limit = limit
        self.layers: Any = nn.ModuleList(
            MaskedMLP(spec.size, 2, hidden, rng.fork("layer", i), last_gain=0.0)
            for i in range(layers)
        )
        turns = rotations(2, layers).to(rng.device, rng.dtype) if spec.size == 2 else None
        self.register_buffer("turns", turns, persistent=False)

    def sequential_steps(self) -> int:
        """Returns the coordinates of all layers: each waits for those before it."""
        return len(self.layers) * self.spec.size

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps points (S, B, *event) to codes (S, B, D) and log-determinants (S, B)."""
        u, total = to_logits(flat(x), self.spec)
        for i, layer in enumerate(self.layers):
            u = u.flip(-1) if self.turns is None else u @ self.turns[i]
            mean, alpha = self._affine(layer(u))
            u = (u - mean) * torch.exp(-alpha)
            total = total - alpha.sum(-1)
        return u, total

    def inverse(self, z: Tensor) -> Tensor:
        """Maps codes (S, B, D) to points (S, B, *event), which may lie within the logit's margin."""
        for i, layer in reversed(list(enumerate(self.layers))):
            z = self._undo(layer, z)
            z = z.flip(-1) if self.turns is None else z @ self.turns[i].mT
        return from_logits(z, self.spec).unflatten(-1, self.spec.event)

    def _affine(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """The means and alphas, of the outputs' shape less its last axis."""
        mean, raw = outputs.unbind(-1)
        return mean, self.limit * torch.tanh(raw)

    @torch.no_grad()
    def _undo(self, layer: MaskedMLP, u: Tensor) -> Tensor:
        """Maps a layer's codes to its inputs, one coordinate after the other, (S, n, D)."""
        step, entries = layer.steps(u.shape[1]), [torch.zeros_like(u[..., :1])]
        for d in range(u.shape[2]):
            mean, alpha = self._affine(step(d, entries[-1]))
            entries.append((mean + u[..., d] * alpha.exp()).unsqueeze(-1))
        return torch.cat(entries[1:], dim=-1)
