"""Real-valued non-volume preserving transformations, a normalising flow."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Density, Model, Player, model
from genbench.core.rng import Rng
from genbench.nn.coupling import Couplings
from genbench.nn.losses import normal_log_prob
from genbench.nn.mlp import flat
from genbench.nn.optim import adam, linear_decay

#: how far the logit keeps the range of the data from 0 and 1, the paper's alpha
MARGIN = 0.05


@model("realnvp")
class RealNVP(Model, Density):
    r"""Creates a normalising flow of affine couplings, trained by exact maximum likelihood.

    .. math::
        \log p(x) = \log N(f(x); 0, I) + \log |\det \partial f(x) / \partial x|

    Data with a range first pass a logit, which is part of the flow and of its determinant.

    References:
        | Density Estimation Using Real NVP (Dinh et al., 2017), sections 3 and 4.1
        | https://arxiv.org/abs/1605.08803

    Differences: fully connected networks and fixed random permutations (in the plane, rotations) in
    place of residual convolutions, checkerboards and a multi-scale architecture; no batch
    normalisation; AdamW on a linearly falling step size. The logit's margin is kept at both ends of
    the range, and what samples fall into a margin are moved to the nearer end.

    Arguments:
        layers: The number of couplings, at least 2, so that every coordinate moves.
        hidden: The widths of every coupling's hidden layers.
        limit: The bound on the log-scale of one coupling.
        mixing: What comes before every second coupling, a fixed random `permutation` or `rotation`;
            None chooses rotations for two coordinates, which no permutation mixes, else permutations.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay; None chooses 1 for images and 0 elsewhere.
        clip: The largest gradient norm.
    """

    taxonomy = "explicit/tractable/change of variables"
    paper = "Dinh et al., 2017"
    year = 2016

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        layers: int = 12,
        hidden: tuple[int, ...] = (64, 64),
        limit: float = 2.0,
        mixing: Literal["permutation", "rotation"] | None = None,
        lr: float = 2e-3,
        weight_decay: float | None = None,
        clip: float = 5.0,
    ) -> None:
        super().__init__(spec, rng)
        if layers < 2:
            raise SpecError(f"realnvp needs at least 2 layers, got {layers}; give an even number")
        self.lr, self.clip = lr, clip
        self.decay = weight_decay if weight_decay is not None else (1.0 if spec.is_image else 0.0)
        if mixing is None:
            mixing = "rotation" if spec.size == 2 else "permutation"
        self.flow = Couplings(
            spec.size, layers, hidden, rng.fork("flow"), limit=limit, mixing=mixing
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points have no density, and one coordinate has no halves."""
        if spec.kind != "continuous":
            return f"needs continuous data, {spec.name} is {spec.kind}"
        return None if spec.size > 1 else f"needs two coordinates, {spec.name} has one"

    def players(self) -> tuple[Player, ...]:
        """One, by maximum likelihood."""
        optimizer = adam(self.lr, weight_decay=self.decay)
        falling = linear_decay(0.02)
        return (Player("flow", self.flow, self.loss, optimizer, clip=self.clip, schedule=falling),)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean negative log-likelihood, shape (S,)."""
        return -self.log_prob(batch.x, rng).mean(-1)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log p(x) in nats, exact, shape (S, B)."""
        z, log_det = self.forward(x)
        return normal_log_prob(z).sum(-1) + log_det

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns normal codes sent back through the flow, shape (S, n, *event)."""
        x = self.inverse(rng.normal(n, self.spec.size))
        return x if self.spec.range is None else x.clamp(*self.spec.range)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps points (S, B, *event) to codes (S, B, D) and log-determinants (S, B)."""
        y, log_det = flat(x), 0.0
        if self.spec.range is not None:
            low, high = self.spec.range
            slope = (1 - 2 * MARGIN) / (high - low)
            share = MARGIN + (y - low) * slope
            y = torch.logit(share)
            log_det = (functional.softplus(y) + functional.softplus(-y) + math.log(slope)).sum(-1)
        z, moved = self.flow(y)
        return z, moved + log_det

    def inverse(self, z: Tensor) -> Tensor:
        """Maps codes (S, B, D) to points (S, B, *event), which may lie within the logit's margin."""
        y = self.flow.inverse(z)
        if self.spec.range is not None:
            low, high = self.spec.range
            y = low + (torch.sigmoid(y) - MARGIN) * (high - low) / (1 - 2 * MARGIN)
        return y.unflatten(-1, self.spec.event)
