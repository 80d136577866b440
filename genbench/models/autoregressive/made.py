"""The masked autoencoder for distribution estimation."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Density, Model, Player, model
from genbench.core.rng import Rng
from genbench.nn.losses import normal_log_prob
from genbench.nn.masked import MaskedMLP
from genbench.nn.mlp import flat
from genbench.nn.optim import adam, linear_decay
from genbench.nn.output import centred

#: the smallest log standard deviation of a component, far below that of any data set's modes
FLOOR = -7.0


@model("made")
class MADE(Model, Density):
    r"""Creates an autoregressive model of one masked network.

    .. math::
        \log p(x) = \sum_d \log p(x_d \mid x_1, \dots, x_{d-1})

    Bits are Bernoulli given the bits before them; real numbers are mixtures of Gaussians.

    References:
        | MADE: Masked Autoencoder for Distribution Estimation (Germain et al., 2015), section 4
        | https://arxiv.org/abs/1502.03509
        | RNADE: The real-valued neural autoregressive density-estimator (Uria et al., 2013), section 3

    Differences: one order (the coordinates' own) and one set of masks, degrees assigned in turn and
    not at random; no direct connections; AdamW on a linearly falling step size in place of Adadelta.
    Real data are RNADE's mixtures under MADE's masks. On data with a range the density is that of the
    real line, and what samples fall outside are moved to the nearer end.

    Arguments:
        hidden: The widths of the hidden layers, at least one.
        components: The number of Gaussians a coordinate, for continuous data.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay; None chooses 1 for images and 0 elsewhere.
        clip: The largest gradient norm.
    """

    taxonomy = "explicit/tractable/fully visible"
    paper = "Germain et al., 2015"
    year = 2015

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        hidden: tuple[int, ...] = (128, 128),
        components: int = 16,
        lr: float = 5e-3,
        weight_decay: float | None = None,
        clip: float = 5.0,
    ) -> None:
        super().__init__(spec, rng)
        if not hidden or components < 1:
            raise SpecError(
                f"made needs a hidden layer and a component, got hidden={hidden} and "
                f"components={components}; give at least one of each"
            )
        self.binary, self.lr, self.clip = spec.kind == "binary", lr, clip
        self.decay = weight_decay if weight_decay is not None else (1.0 if spec.is_image else 0.0)
        self.components = components
        self.network = MaskedMLP(
            spec.size, 1 if self.binary else 3 * components, hidden, rng.fork("network")
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Tokens want a softmax, which this model does not have."""
        return f"needs numbers or bits, {spec.name} is tokens" if spec.kind == "tokens" else None

    def players(self) -> tuple[Player, ...]:
        """One, by maximum likelihood."""
        optimizer = adam(self.lr, weight_decay=self.decay)
        falling = linear_decay(0.02)
        return (
            Player(
                "density", self.network, self.loss, optimizer, clip=self.clip, schedule=falling
            ),
        )

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean negative log-likelihood, shape (S,)."""
        return -self.log_prob(batch.x, rng).mean(-1)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log p(x) in nats, exact, shape (S, B)."""
        y = flat(centred(x, self.spec))
        outputs = self.network(y)
        if self.binary:
            return functional.logsigmoid(outputs.squeeze(-1) * y).sum(-1)
        log_weight, mean, log_std = self._mixture(outputs)
        each = torch.logsumexp(log_weight + normal_log_prob(y.unsqueeze(-1), mean, log_std), -1)
        return each.sum(-1) - self.spec.size * math.log(self._unit)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns points drawn coordinate after coordinate, shape (S, n, *event)."""
        draw = self._bits if self.binary else self._numbers
        y = self.network.unroll(n, lambda d, outputs: draw(outputs, rng))
        if self.spec.range is not None:
            low, high = self.spec.range
            y = (low + (y + 1) * self._unit).clamp(low, high)
        return y.unflatten(-1, self.spec.event)

    def sequential_steps(self) -> int:
        """Returns D: a coordinate waits for those before it."""
        return self.spec.size

    @property
    def _unit(self) -> float:
        """What one unit of the network's space, in which a range is [-1, 1], is in model space."""
        return 1.0 if self.spec.range is None else (self.spec.range[1] - self.spec.range[0]) / 2

    def _mixture(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log weights, means and log standard deviations, each (…, K), means spread at first."""
        reach = 2.0 if self.spec.range is None else 1.0
        log_weight, mean, log_std = outputs.chunk(3, dim=-1)
        spread = torch.linspace(-reach, reach, self.components).to(outputs)
        log_std = (log_std + math.log(2 * reach / self.components)).clamp_min(FLOOR)
        return log_weight.log_softmax(-1), mean + spread, log_std

    def _bits(self, outputs: Tensor, rng: Rng) -> Tensor:
        return 2 * rng.bernoulli(outputs.squeeze(-1).sigmoid()) - 1

    def _numbers(self, outputs: Tensor, rng: Rng) -> Tensor:
        log_weight, mean, log_std = self._mixture(outputs)
        below = log_weight.exp().cumsum(-1) <= rng.uniform(outputs.shape[1], 1)
        which = below.sum(-1, keepdim=True).clamp_max(self.components - 1)
        mean, log_std = mean.gather(-1, which), log_std.gather(-1, which)
        return (mean + log_std.exp() * rng.normal(*outputs.shape[1:2], 1)).squeeze(-1)
