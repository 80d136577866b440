"""The neural autoregressive distribution estimator."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Density, Model, Player, model
from genbench.core.rng import Rng
from genbench.nn.mlp import flat
from genbench.nn.optim import adam, linear_decay


@model("nade")
class NADE(Model, Density):
    r"""Creates an autoregressive model of bits whose hidden layers, one a coordinate, share weights.

    .. math::
        p(x_d = 1 \mid x_{<d}) = \sigma(b_d + V_d h_d), \qquad
        h_d = \sigma\Big(c + \sum_{i<d} x_i W_i\Big)

    The sum inside h grows by one row of W a coordinate, so density and sampling take O(DH) a point.

    References:
        | The Neural Autoregressive Distribution Estimator (Larochelle and Murray, 2011), section 3
        | http://proceedings.mlr.press/v15/larochelle11a.html

    Differences: the coordinates' own order; Adam on a linearly falling step size in place of SGD.

    Arguments:
        hidden: The number H of hidden units.
        lr: Adam's first step size.
        weight_decay: AdamW's decay; None chooses 0.1 for images and 0 elsewhere.
        clip: The largest gradient norm.
    """

    taxonomy = "explicit/tractable/fully visible"
    paper = "Larochelle and Murray, 2011"
    year = 2011

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        hidden: int = 100,
        lr: float = 5e-3,
        weight_decay: float | None = None,
        clip: float = 5.0,
    ) -> None:
        super().__init__(spec, rng)
        if hidden < 1:
            raise SpecError(f"nade needs hidden >= 1, got {hidden}; raise it")
        self.lr, self.clip = lr, clip
        self.decay = weight_decay if weight_decay is not None else (0.1 if spec.is_image else 0.0)
        self.rows = _drawn(rng.fork("rows"), spec.size, hidden, spec.size)
        self.columns = _drawn(rng.fork("columns"), spec.size, hidden, hidden)
        self.hidden_bias = _drawn(rng.fork("hidden_bias"), 1, hidden, spec.size)
        self.bias = _drawn(rng.fork("bias"), 1, spec.size, hidden)

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """A Bernoulli is a law of bits alone."""
        return None if spec.kind == "binary" else f"needs binary data, {spec.name} is {spec.kind}"

    def players(self) -> tuple[Player, ...]:
        """One, by maximum likelihood."""
        optimizer = adam(self.lr, weight_decay=self.decay)
        falling = linear_decay(0.02)
        return (Player("density", self, self.loss, optimizer, clip=self.clip, schedule=falling),)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean negative log-likelihood, shape (S,)."""
        return -self.log_prob(batch.x, rng).mean(-1)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log p(x) in nats, exact, shape (S, B)."""
        bits = flat(x)
        logits = self.logits(bits)
        return -functional.binary_cross_entropy_with_logits(logits, bits, reduction="none").sum(-1)

    def logits(self, bits: Tensor) -> Tensor:
        """Returns the logits of all coordinates given those before them, shape (S, B, D)."""
        total = self.hidden_bias.expand(-1, bits.shape[1], -1)
        logits = []
        for d in range(self.spec.size):
            logits.append(self._logit(d, total))
            total = total + bits[..., d : d + 1] * self.rows[:, d : d + 1]
        return torch.stack(logits, dim=-1)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns points drawn bit after bit, shape (S, n, *event)."""
        total = self.hidden_bias.expand(-1, n, -1)
        bits = []
        for d in range(self.spec.size):
            bits.append(rng.bernoulli(self._logit(d, total).sigmoid()))
            total = total + bits[-1].unsqueeze(-1) * self.rows[:, d : d + 1]
        return torch.stack(bits, dim=-1).unflatten(-1, self.spec.event)

    def sequential_steps(self) -> int:
        """Returns D: a bit waits for those before it."""
        return self.spec.size

    def _logit(self, d: int, total: Tensor) -> Tensor:
        """The logit of coordinate d given the running sums (S, B, H), shape (S, B)."""
        column = self.columns[:, d].unsqueeze(-1)
        return (torch.sigmoid(total) @ column).squeeze(-1) + self.bias[..., d]


def _drawn(rng: Rng, rows: int, columns: int, fan_in: int) -> nn.Parameter:
    """Weights uniform on ±1/sqrt(fan_in), shape (S, rows, columns)."""
    return nn.Parameter(rng.uniform(rows, columns, low=-1, high=1) * fan_in**-0.5)
