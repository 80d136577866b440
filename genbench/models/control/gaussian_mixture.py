"""A mixture of Gaussians fitted by expectation maximisation."""

from __future__ import annotations

import math
import warnings
from typing import Literal

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Fitted
from torch import Tensor

from genbench.core.allowed import Count, Positive
from genbench.core.dataset import DataSpec
from genbench.core.errors import DataError
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.fitted import FittedModel, factored, flat_covariance
from genbench.nn.mlp import flat


@model("gaussian_mixture")
class GaussianMixture(FittedModel):
    r"""Creates a mixture of Gaussians fitted by scikit-learn: what a shallow density model can do.

    .. math::
        p(x) = \sum_k w_k\, N(x; \mu_k, \Sigma_k)

    Each seed's fit starts from its own k-means++ run. On data with a range samples are clamped to it,
    as the data set would do on the way to data space; the density is that of the unclamped mixture.

    References:
        | Maximum Likelihood from Incomplete Data via the EM Algorithm (Dempster et al., 1977)
        | Scikit-learn: Machine Learning in Python (Pedregosa et al., 2011)

    Arguments:
        components: The number K of Gaussians.
        covariance: `full` or `diag` (diagonal); None chooses full without a range and diag with one.
        ridge: Added to every variance, in model space.
        iterations: The most EM steps; a fit that has not settled by then is kept as it is.
        points: How many points are fitted to; of more, as many are drawn. A full covariance in the plane
            has six numbers a component, so that 25 of them cost about 149/2N nats on N points: .037 on
            2,000, which was the default of version 1, and .004 on 20,000.
    """

    simple_fit = True

    version = 2
    paper = "Dempster et al., 1977"
    year = 1977
    waits = {"sample": "components' points are taken apart; a gather would copy a matrix a point"}

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        components: Count = 25,
        covariance: Literal["full", "diag"] | None = None,
        ridge: Positive = 1e-6,
        iterations: Count = 100,
        points: Count = 20_000,
    ) -> None:
        super().__init__(spec, rng)
        self.components, self.ridge = components, ridge
        self.covariance = covariance or ("full" if spec.range is None else "diag")
        self.iterations, self.points = iterations, points
        size, eye = spec.size, torch.eye(spec.size, dtype=torch.float64)
        flat_weight = torch.full((self.seeds, 1), 1.0, dtype=torch.float64)
        self.register_buffer("weight", flat_weight, persistent=False)
        self.register_buffer("mean", flat_weight.new_zeros(self.seeds, 1, size), persistent=False)
        self.register_buffer("factor", eye.expand(self.seeds, 1, -1, -1), persistent=False)
        self.weight: Tensor
        self.mean: Tensor
        self.factor: Tensor

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Fits one mixture per seed, by expectation maximisation in float64."""
        count = min(batch.x.shape[1], self.points)
        if count < 2:
            raise DataError(
                f"gaussian_mixture needs at least 2 training points, got {count}; give more, and points >= 2"
            )
        states, orders = rng.integers(2**31 - 1), rng.permutation(batch.x.shape[1])
        fits = [
            self._fit(x[order[: self.points]], int(state))
            for x, order, state in zip(flat(batch.x), orders, states, strict=True)
        ]
        self.weight, self.mean, self.factor = (
            torch.stack(parts).to(rng.device) for parts in zip(*fits, strict=True)
        )

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns draws of a component and then of it, shape (S, n, D)."""
        edges = self.weight.cumsum(-1)[..., :-1].contiguous()
        which = torch.searchsorted(edges, rng.uniform(n).to(edges), right=True)
        seeds = torch.arange(self.seeds, device=which.device).unsqueeze(1)
        noise, x = rng.normal(n, self.spec.size), self.mean[seeds, which]
        for k in range(self.weight.shape[1]):  # a gather would copy n covariances
            row, point = (which == k).nonzero(as_tuple=True)
            moved = noise[row, point].unsqueeze(-1).to(x)
            x[row, point] += (self.factor[row, k] @ moved).squeeze(-1)
        return x.to(noise)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the exact log density in nats, shape (S, B)."""
        logs, y = [], flat(x).to(self.mean)
        for k in range(self.weight.shape[1]):
            away = (y - self.mean[:, k : k + 1]).mT
            factor = self.factor[:, k]
            square = torch.linalg.solve_triangular(factor, away, upper=False).square().sum(-2)
            log_det = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1, keepdim=True)
            logs.append(self.weight[:, k : k + 1].log() - 0.5 * square - log_det)
        norm = 0.5 * self.spec.size * math.log(2 * math.pi)
        return (torch.stack(logs, dim=-1).logsumexp(-1) - norm).to(x)

    def _fit(self, x: Tensor, state: int) -> tuple[Tensor, Tensor, Tensor]:
        """Weights (K), means (K, D) and the covariances' Cholesky factors (K, D, D)."""
        fit = Fitted(
            min(self.components, len(x)),
            covariance_type=self.covariance,
            reg_covar=self.ridge,
            max_iter=self.iterations,
            random_state=state,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            try:
                fit.fit(x.cpu().double().numpy())
            except ValueError as error:
                if "ill-defined" not in str(error):
                    raise
                raise flat_covariance(self.name, self.ridge) from None
        covariance = torch.from_numpy(fit.covariances_)
        full = covariance if self.covariance == "full" else covariance.diag_embed()
        factor = factored(full, self.name, self.ridge)
        return torch.from_numpy(fit.weights_), torch.from_numpy(fit.means_), factor
