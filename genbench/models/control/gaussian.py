"""The Gaussian with the data's mean and covariance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.allowed import Positive
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.fitted import FittedModel, factored
from genbench.nn.mlp import flat


@model("gaussian")
class Gaussian(FittedModel):
    r"""Creates a full-covariance Gaussian fitted in closed form: what second moments alone can do.

    .. math::
        \mu = \frac1N \sum_i x_i, \qquad
        \Sigma = \frac1N \sum_i (x_i - \mu)(x_i - \mu)^\top + \epsilon\,\frac{\operatorname{tr}}{D} I

    The fit is the maximum-likelihood one in float64. On data with a range samples are clamped to it,
    as the data set would do on the way to data space; the density is that of the unclamped Gaussian.

    Arguments:
        ridge: The share epsilon of the mean variance that is added to every variance.
    """

    simple_fit = True

    null = True

    def __init__(self, spec: DataSpec, rng: Rng, *, ridge: Positive = 1e-6) -> None:
        super().__init__(spec, rng)
        self.ridge = ridge
        eye = torch.eye(spec.size, dtype=torch.float64)
        self.register_buffer(
            "mean", torch.zeros(self.seeds, 1, spec.size).double(), persistent=False
        )
        self.register_buffer("factor", eye.expand(self.seeds, -1, -1), persistent=False)

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Fits mean and covariance; seeds that share one expanded training set share one fit."""
        x = flat(batch.x)
        shared = x.stride(0) == 0
        fits = [_fit(rows, self.ridge) for rows in (x[:1] if shared else x)]
        mean, factor = (torch.stack(parts) for parts in zip(*fits, strict=True))
        self.mean = mean.expand(self.seeds, -1, -1)
        self.factor = factor.expand(self.seeds, -1, -1)

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns mean + L z, shape (S, n, D)."""
        z = rng.normal(n, self.spec.size)
        return (self.mean + z.to(self.factor) @ self.factor.mT).to(z)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the exact log density in nats, shape (S, B)."""
        away = (flat(x).to(self.factor) - self.mean).mT
        square = torch.linalg.solve_triangular(self.factor, away, upper=False).square().sum(-2)
        log_det = self.factor.diagonal(dim1=-2, dim2=-1).log().sum(-1, keepdim=True)
        return (-0.5 * square - log_det - 0.5 * self.spec.size * math.log(2 * math.pi)).to(x)


def _fit(x: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """The mean (1, D) and the covariance's Cholesky factor (D, D) of points (N, D)."""
    x = x.double()
    mean = x.mean(0, keepdim=True)
    covariance = (x - mean).mT @ (x - mean) / len(x)
    level = covariance.diagonal().mean().clamp_min(1e-30)
    eye = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return mean, factored(covariance + ridge * level * eye, "gaussian", ridge)
