"""The generative moment matching network."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from genbench.core.allowed import Count, Positive, Scales, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Model, Player, model
from genbench.core.rng import Rng
from genbench.core.search import Choice
from genbench.families.search import SHAPES, density_space
from genbench.nn.kernels import rate_of, squared_distances
from genbench.nn.mlp import MLP, flat
from genbench.nn.optim import adam, linear_decay
from genbench.nn.output import code_size, into_range, noise_size, only_continuous

#: the squared MMD below which its root is taken to be flat
LEAST = 1e-12


@model("gmmn")
class GMMN(Model):
    r"""Creates a generator trained to have the data's moments: no adversary, no density.

    .. math::
        L = \sqrt{E\,k(x, x') + E\,k(y, y') - 2\,E\,k(x, y)}, \qquad y = G(z)

    The means run over all pairs of a minibatch, a point with itself included, so L is real. Gaussian
    kernels are as wide as multiples of the median distance between the batch's real points, each seed
    its own. The linear kernel sees nothing but means.

    References:
        | Generative Moment Matching Networks (Li et al., 2015), sections 2 and 3
        | https://arxiv.org/abs/1502.02761

    Differences: widths follow the median distance, in place of fixed ones; Adam on a linearly falling
    step size in place of SGD; a range is kept by a logistic output; without the autoencoder.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the generator's hidden layers.
        kernel: `linear`, `rbf` (one Gaussian as wide as the median distance) or `multi` (a sum of
            Gaussians as wide as `widths`).
        widths: The multiples of the median distance that `multi` sums over; None takes 0.03, 0.1,
            0.3 and 1 up to three coordinates, where modes are narrow, and 0.25, 1 and 4 beyond.
        lr: Adam's first step size.
    """

    version = 2
    taxonomy = "implicit/direct"
    paper = "Li et al., 2015"
    year = 2015
    search = {
        **density_space(),
        **SHAPES,
        "kernel": Choice(("multi", "rbf")),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        kernel: Literal["linear", "rbf", "multi"] = "multi",
        widths: Scales | None = None,
        lr: Positive = 2e-3,
    ) -> None:
        super().__init__(spec, rng)
        if widths is None:
            widths = (0.03, 0.1, 0.3, 1.0) if spec.size <= 3 else (0.25, 1.0, 4.0)
        if not widths:
            raise SpecError("gmmn needs widths, got none; give at least one")
        self.kernel, self.lr = kernel, lr
        self.widths = (1.0,) if kernel == "rbf" else widths
        self.latent = code_size(latent, noise_size(spec))
        self.generator = MLP(self.latent, spec.size, hidden, rng.fork("generator"))

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points have no gradient for the generator."""
        return only_continuous(spec)

    def players(self) -> tuple[Player, ...]:
        """The generator alone."""
        falling = linear_decay(0.02)
        return (Player("generator", self.generator, self.loss, adam(self.lr), schedule=falling),)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the root of the squared MMD of a minibatch, shape (S,)."""
        real = flat(batch.x)
        fake = flat(self.sample(real.shape[1], rng))
        return self.squared_mmd(real, fake).clamp_min(LEAST).sqrt()

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns G(z), z uniform on [-1, 1], shape (S, n, *event)."""
        z = rng.uniform(n, self.latent, low=-1.0, high=1.0)
        return into_range(self.generator(z), self.spec).unflatten(-1, self.spec.event)

    def squared_mmd(self, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the biased squared MMD of points (S, B, D) and (S, M, D), shape (S,)."""
        if self.kernel == "linear":
            return (real.mean(1) - fake.mean(1)).square().sum(-1)
        within = squared_distances(real, real)
        upper = torch.triu_indices(*within.shape[1:], offset=1, device=real.device)
        pairs = within[:, upper[0], upper[1]]
        median = pairs.median(-1).values.clamp_min(LEAST).view(-1, 1, 1)
        return (
            self._mean(within / median)
            + self._mean(squared_distances(fake, fake) / median)
            - 2 * self._mean(squared_distances(real, fake) / median)
        )

    def _mean(self, square: Tensor) -> Tensor:
        """The kernel's mean over pairs of the given squared distances in medians, shape (S,)."""
        means = [torch.exp(square * rate_of(width)).mean((1, 2)) for width in self.widths]
        return torch.stack(means).sum(0)
