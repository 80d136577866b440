"""Non-linear independent components estimation, the first of the coupling flows."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.allowed import Positive, Several, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.core.search import Choice, LogUniform
from genbench.families.flow import FlowModel, halves
from genbench.families.search import SHAPES, density_space
from genbench.nn.coupling import Couplings
from genbench.nn.mlp import flat
from genbench.nn.output import centred

#: the least width of a coordinate that the scale starts from: constant ones have none
LEAST = 1e-3


@model("nice")
class NICE(FlowModel):
    r"""Creates a flow of additive couplings, which keep volumes, and one diagonal scale at its end.

    .. math::
        \log p(x) = \sum_d \log p_H((f_d(x) - m_d)\,e^{s_d}) + s_d

    m is the training points' mean, and s starts where the prior is as wide as they are in every
    coordinate, so that the flow, whose couplings start at the identity, starts as independent coordinates
    of the data's places and widths. What is learnt, and what weight decay shrinks, is how far s_d is from
    there.

    References:
        | NICE: Non-linear Independent Components Estimation (Dinh et al., 2015), sections 3 and 5.1
        | https://arxiv.org/abs/1410.8516

    Differences: the scale starts from the data and not at 1, and their mean is taken off (in version 1
    neither was, and decay held s_d below 1 in images, whose darkest pixels need 4); more and narrower
    couplings; before every second one the coordinates are mixed by a fixed permutation (in the plane, a
    rotation); AdamW on a linearly falling step size in place of RMSprop with momentum. On data with a
    range the density is that of the real line, and what samples fall outside are moved to the nearer end.

    Arguments:
        layers: The number of couplings, at least 2, so that every coordinate moves.
        hidden: The widths of every coupling's hidden layers.
        prior: The distribution of a code's coordinates, `logistic` or `gaussian`.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay; None chooses 1 for images and 0 elsewhere.
        clip: The largest gradient norm.
    """

    version = 2
    paper = "Dinh et al., 2015"
    year = 2014
    search = {
        **density_space(),
        **SHAPES,
        "weight_decay": LogUniform(1e-3, 1.0),
        "prior": Choice(("logistic", "gaussian")),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        layers: Several = 8,
        hidden: Widths = (128, 128),
        prior: Literal["logistic", "gaussian"] = "logistic",
        lr: Positive = 2e-3,
        weight_decay: Weight | None = None,
        clip: Positive = 5.0,
    ) -> None:
        decay = weight_decay if weight_decay is not None else (1.0 if spec.is_image else 0.0)
        super().__init__(spec, rng, lr=lr, weight_decay=decay, clip=clip)
        self.logistic = prior == "logistic"
        mixing = "rotation" if spec.size == 2 else "permutation"
        self.flow = Couplings(
            spec.size, layers, hidden, rng.fork("flow"), limit=None, mixing=mixing
        )
        zeros = torch.zeros(self.seeds, 1, spec.size, dtype=rng.dtype, device=rng.device)
        self.log_scale = nn.Parameter(zeros)
        self.register_buffer("start", torch.zeros_like(zeros))
        self.register_buffer("mean", torch.zeros_like(zeros))
        self.start: Tensor
        self.mean: Tensor

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points have no density, and one coordinate has no halves."""
        return halves(spec)

    @torch.no_grad()
    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Takes up the training points' mean, and starts the scale at the prior's width over theirs."""
        x = flat(centred(batch.x, self.spec))
        x = x[:1] if x.stride(0) == 0 else x
        # couplings start at the identity, so that all they do is mix, alike for all seeds
        eye = torch.eye(self.spec.size, dtype=x.dtype, device=x.device)
        mixing = self.flow(eye.expand(self.seeds, -1, -1))[0][0]
        deviation, mean = torch.std_mean(x @ mixing, 1, keepdim=True)
        self.mean.copy_(mean)
        prior = math.pi / math.sqrt(3) if self.logistic else 1.0
        self.start.copy_((prior / deviation.clamp_min(LEAST)).log())

    def prior(self, n: int, rng: Rng) -> Tensor:
        """Returns draws of the prior, shape (S, n, D)."""
        if not self.logistic:
            return super().prior(n, rng)
        # a draw of exactly zero would be a code of minus infinity
        least = torch.finfo(rng.dtype).eps / 2
        return torch.logit(rng.uniform(n, self.spec.size).clamp_min(least))

    def prior_log_prob(self, z: Tensor) -> Tensor:
        """Returns the prior's log densities of codes in nats, (S, B, D) to (S, B)."""
        if not self.logistic:
            return super().prior_log_prob(z)
        return (functional.logsigmoid(z) + functional.logsigmoid(-z)).sum(-1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps points (S, B, *event) to codes (S, B, D) and log-determinants (S, B)."""
        z, moved = self.flow(flat(centred(x, self.spec)))
        volume = self._scale.sum(-1) - self.spec.size * math.log(self._unit)
        return (z - self.mean) * self._scale.exp(), moved + volume

    def inverse(self, z: Tensor) -> Tensor:
        """Maps codes (S, B, D) to points (S, B, *event), which may lie beyond the data's range."""
        y = self.flow.inverse(self.mean + z * torch.exp(-self._scale))
        if self.spec.range is not None:
            y = self.spec.range[0] + (y + 1) * self._unit
        return y.unflatten(-1, self.spec.event)

    @property
    def _scale(self) -> Tensor:
        """The log-scales s, shape (S, 1, D)."""
        return self.start + self.log_scale

    @property
    def _unit(self) -> float:
        """What one unit of the flow's space, in which a range is [-1, 1], is in model space."""
        return 1.0 if self.spec.range is None else (self.spec.range[1] - self.spec.range[0]) / 2
