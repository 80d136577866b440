"""Non-linear independent components estimation, the first of the coupling flows."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Density, Model, Player, model
from genbench.core.rng import Rng
from genbench.nn.coupling import Couplings
from genbench.nn.losses import normal_log_prob
from genbench.nn.mlp import flat
from genbench.nn.optim import adam, linear_decay
from genbench.nn.output import centred


@model("nice")
class NICE(Model, Density):
    r"""Creates a flow of additive couplings, which keep volumes, and one diagonal scale at its end.

    .. math::
        \log p(x) = \sum_d \log p_H(f_d(x)\,e^{s_d}) + s_d

    References:
        | NICE: Non-linear Independent Components Estimation (Dinh et al., 2015), sections 3 and 5.1
        | https://arxiv.org/abs/1410.8516

    Differences: more and narrower couplings; before every second one the coordinates are mixed by a
    fixed permutation (in the plane, a rotation); AdamW on a linearly falling step size in place of
    RMSprop with momentum. On data with a range the density is that of the real line, and what samples
    fall outside are moved to the nearer end.

    Arguments:
        layers: The number of couplings, at least 2, so that every coordinate moves.
        hidden: The widths of every coupling's hidden layers.
        prior: The law of a code's coordinates, `logistic` or `gaussian`.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay; None chooses 1 for images and 0 elsewhere.
        clip: The largest gradient norm.
    """

    taxonomy = "explicit/tractable/change of variables"
    paper = "Dinh et al., 2015"
    year = 2014

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        layers: int = 8,
        hidden: tuple[int, ...] = (128, 128),
        prior: Literal["logistic", "gaussian"] = "logistic",
        lr: float = 2e-3,
        weight_decay: float | None = None,
        clip: float = 5.0,
    ) -> None:
        super().__init__(spec, rng)
        if layers < 2:
            raise SpecError(f"nice needs at least 2 layers, got {layers}; give an even number")
        self.prior, self.lr, self.clip = prior, lr, clip
        self.decay = weight_decay if weight_decay is not None else (1.0 if spec.is_image else 0.0)
        mixing = "rotation" if spec.size == 2 else "permutation"
        self.flow = Couplings(
            spec.size, layers, hidden, rng.fork("flow"), limit=None, mixing=mixing
        )
        zeros = torch.zeros(self.seeds, 1, spec.size, dtype=rng.dtype, device=rng.device)
        self.log_scale = nn.Parameter(zeros)

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
        return (Player("flow", self, self.loss, optimizer, clip=self.clip, schedule=falling),)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean negative log-likelihood, shape (S,)."""
        return -self.log_prob(batch.x, rng).mean(-1)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log p(x) in nats, exact, shape (S, B)."""
        z, log_det = self.forward(x)
        each = normal_log_prob(z) if self.prior == "gaussian" else functional.logsigmoid(z)
        if self.prior == "logistic":
            each = each + functional.logsigmoid(-z)
        return each.sum(-1) + log_det

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns codes of the prior sent back through the flow, shape (S, n, *event)."""
        if self.prior == "gaussian":
            z = rng.normal(n, self.spec.size)
        else:  # a draw of exactly zero would be a code of minus infinity
            least = torch.finfo(rng.dtype).eps / 2
            z = torch.logit(rng.uniform(n, self.spec.size).clamp_min(least))
        x = self.inverse(z)
        return x if self.spec.range is None else x.clamp(*self.spec.range)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps points (S, B, *event) to codes (S, B, D) and log-determinants (S, B)."""
        z, moved = self.flow(flat(centred(x, self.spec)))
        volume = self.log_scale.sum(-1) - self.spec.size * math.log(self._unit)
        return z * self.log_scale.exp(), moved + volume

    def inverse(self, z: Tensor) -> Tensor:
        """Maps codes (S, B, D) to points (S, B, *event), which may lie beyond the data's range."""
        y = self.flow.inverse(z * torch.exp(-self.log_scale))
        if self.spec.range is not None:
            y = self.spec.range[0] + (y + 1) * self._unit
        return y.unflatten(-1, self.spec.event)

    @property
    def _unit(self) -> float:
        """What one unit of the flow's space, in which a range is [-1, 1], is in model space."""
        return 1.0 if self.spec.range is None else (self.spec.range[1] - self.spec.range[0]) / 2
