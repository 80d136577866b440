"""The neural autoregressive distribution estimator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genbench.core.allowed import Count, Decay, Positive, Weight
from genbench.core.dataset import DataSpec
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.core.search import Choice, LogUniform
from genbench.families.raster import RasterModel
from genbench.families.search import density_space
from genbench.nn.autoregressive import Drop, Step
from genbench.nn.distributions import Bits
from genbench.nn.optim import adam


@model("nade")
class NADE(RasterModel):
    r"""Creates an autoregressive model whose hidden layers, one per coordinate, share weights.

    .. math::
        p(x_d = 1 \mid x_{<d}) = \sigma(b_d + V_d h_d), \qquad
        h_d = \sigma\Big(c + \sum_{i<d} x_i W_i\Big)

    The sum inside h grows by one row of W per coordinate, so density and sampling take O(DH) per point.
    Tokens are one-hot vectors x_i, each with its own rows of W, and have a softmax.

    References:
        | The Neural Autoregressive Distribution Estimator (Larochelle and Murray, 2011), section 3
        | http://proceedings.mlr.press/v15/larochelle11a.html

    Differences: the coordinates' own order; Adam on a linearly falling step size in place of SGD.

    Arguments:
        hidden: The number H of hidden units.
        dropout: The share of the hidden units that training drops.
        lr: Adam's first step size.
        weight_decay: AdamW's decay; None chooses 0.1 for images and 0 elsewhere.
        clip: The largest gradient norm.
    """

    paper = "Larochelle and Murray, 2011"
    year = 2011
    search = {
        **density_space(),
        "weight_decay": LogUniform(1e-3, 1.0),
        "dropout": Choice((0.0, 0.1, 0.3)),
    }
    version = 2

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        hidden: Count = 100,
        dropout: Decay = 0.0,
        lr: Positive = 5e-3,
        weight_decay: Weight | None = None,
        clip: Positive = 5.0,
    ) -> None:
        decay = weight_decay if weight_decay is not None else (0.1 if spec.is_image else 0.0)
        super().__init__(
            spec,
            rng,
            adam(lr, weight_decay=decay),
            distribution=None if spec.tokens else Bits(spec, rng.dtype, off=0.0),
            dropout=dropout,
            clip=clip,
        )
        inputs = spec.size * self.distribution.inputs
        outputs = spec.size * self.distribution.outputs
        self.rows = _drawn(rng.fork("rows"), inputs, hidden, spec.size)
        self.columns = _drawn(rng.fork("columns"), outputs, hidden, hidden)
        self.hidden_bias = _drawn(rng.fork("hidden_bias"), 1, hidden, spec.size)
        self.bias = _drawn(rng.fork("bias"), 1, outputs, hidden)

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Real numbers would want another distribution."""
        if spec.kind == "continuous":
            return f"needs binary data or tokens, {spec.name} is continuous"
        return None

    @property
    def network(self) -> NADE:
        """The model itself, whose weights belong to no layer."""
        return self

    def forward(self, y: Tensor, drop: Drop | None = None) -> Tensor:
        """Maps bits or one-hot tokens (S, B, D, I) to logits (S, B, D, P) given those before."""
        rows = self.rows.unflatten(1, y.shape[2:])
        totals = (y.transpose(1, 2) @ rows).cumsum(1)
        before = torch.cat([torch.zeros_like(totals[:, :1]), totals[:, :-1]], dim=1)
        hidden = torch.sigmoid(before + self.hidden_bias.unsqueeze(1))
        columns = self.columns.unflatten(1, (len(y[0, 0]), -1))
        logits = (hidden if drop is None else drop(hidden)) @ columns.mT
        return logits.transpose(1, 2) + self.bias.view(len(y), 1, len(y[0, 0]), -1)

    def steps(self, n: int) -> Step:
        """Returns a step that carries the sums along."""
        inputs, outputs = self.distribution.inputs, self.distribution.outputs
        total = self.hidden_bias.repeat(1, n, 1)
        columns = self.columns.mT.contiguous()

        def step(d: int, last: Tensor) -> Tensor:
            nonlocal total
            if d:
                total = torch.baddbmm(total, last, self.rows[:, (d - 1) * inputs : d * inputs])
            block = slice(d * outputs, (d + 1) * outputs)
            hidden = torch.sigmoid(total)
            return torch.baddbmm(self.bias[..., block], hidden, columns[..., block])

        return step


def _drawn(rng: Rng, rows: int, columns: int, fan_in: int) -> nn.Parameter:
    """Weights uniform on ±1/sqrt(fan_in), shape (S, rows, columns)."""
    return nn.Parameter(rng.uniform(rows, columns, low=-1, high=1) * fan_in**-0.5)
