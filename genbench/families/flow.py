"""Flows: invertible maps between points and codes of a simple prior."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Density, Model, Player
from genbench.core.rng import Rng
from genbench.nn.losses import normal_log_prob
from genbench.nn.optim import adam, linear_decay
from genbench.nn.output import only_continuous


class FlowModel(Model, Density):
    r"""The skeleton of flows f: all but the map itself and a prior that is not standard normal.

    .. math::
        \log p(x) = \log p_z(f(x)) + \log\left|\det \frac{\partial f}{\partial x}\right|

    It is trained by maximum likelihood with AdamW, on a step size that falls linearly to a fiftieth.

    Arguments:
        spec: The data.
        rng: Draws the initial weights.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay.
        clip: The largest gradient norm.
    """

    taxonomy = "explicit/tractable/change of variables"

    def __init__(
        self, spec: DataSpec, rng: Rng, *, lr: float, weight_decay: float, clip: float
    ) -> None:
        super().__init__(spec, rng)
        self.optimizer, self.clip = adam(lr, weight_decay=weight_decay), clip

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points have no density."""
        return only_continuous(spec)

    @abstractmethod
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps points (S, B, *event) to codes (S, B, D) and log-determinants (S, B)."""

    @abstractmethod
    def inverse(self, z: Tensor) -> Tensor:
        """Maps codes (S, B, D) to points (S, B, *event), which may lie beyond the data's range."""

    def prior(self, n: int, rng: Rng) -> Tensor:
        """Returns draws of the prior, shape (S, n, D)."""
        return rng.normal(n, self.spec.size)

    def prior_log_prob(self, z: Tensor) -> Tensor:
        """Returns the prior's log densities of codes in nats, (S, B, D) to (S, B)."""
        return normal_log_prob(z).sum(-1)

    def players(self) -> tuple[Player, ...]:
        """One, by maximum likelihood."""
        falling = linear_decay(0.02)
        return (Player("flow", self, self.loss, self.optimizer, clip=self.clip, schedule=falling),)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean negative log-likelihood, shape (S,)."""
        return -self.log_prob(batch.x, rng).mean(-1)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log p(x) in nats, exact, shape (S, B)."""
        z, log_det = self.forward(x)
        return self.prior_log_prob(z) + log_det

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns the prior's draws sent back through the flow, shape (S, n, *event)."""
        x = self.inverse(self.prior(n, rng))
        return x if self.spec.range is None else x.clamp(*self.spec.range)


def halves(spec: DataSpec) -> str | None:
    """Returns why a flow of couplings refuses data, or None if it does not."""
    reason = only_continuous(spec)
    if reason is None and spec.size < 2:
        return f"needs two coordinates, {spec.name} has one"
    return reason
