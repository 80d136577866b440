"""The beta-VAE, a variational autoencoder whose code is held closer to the prior."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from genbench.core.allowed import Weight
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.search import VARIATIONAL
from genbench.families.variational import (
    VariationalModel,
    warmed,
)


@model("beta_vae")
class BetaVAE(VariationalModel):
    r"""Creates a variational autoencoder whose KL term weighs beta times as much as in the bound.

    .. math::
        L = -E_{q(z|x)} \log p(x|z) + \beta\,KL(q(z|x) \,\|\, p(z))

    What is trained is a bound on the likelihood for beta >= 1 only, and a loose one; what `log_prob`
    reports is the importance-weighted bound of the same decoder, without beta.

    References:
        | beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework
          (Higgins et al., 2017), section 2, https://openreview.net/forum?id=Sy2fzU9gl

    Differences: the networks, the learnt standard deviation of real numbers, Adam on a falling step
    size and the warm-up (here to beta) are those of `vae`, from which it differs in beta alone.

    Arguments:
        beta: The weight of the KL term; 1 is `vae`.
        latent: The dimension of the code z; None chooses 2 without a range and 16 with one or for bits.
        hidden: The widths of the hidden layers of encoder and decoder (there reversed), for `mlp`.
        log_std: The decoder's initial log standard deviation of real numbers, in model space; None chooses
            -3 without a range and -2 with one.
        warmup: The share of the budget over which the KL term's weight rises to beta.
        lr: Adam's step size, falling linearly to zero.
        importance: The number K of draws in `log_prob`.
        sample_mean: Whether samples are the decoder's mean in place of draws.
        network: `mlp`, or `conv` for images.
        width: The channels of the largest hidden image, for `conv`.
    """

    paper = "Higgins et al., 2017"
    year = 2017
    search = VARIATIONAL

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        beta: Weight = 4.0,
        **inherited: Any,
    ) -> None:
        super().__init__(spec, rng, **inherited)
        self.beta = beta

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the weighted negative bound, in nats, shape (S,)."""
        noise = rng.normal(batch.x.shape[1], self.autoencoder.latent)
        beta = self.beta * warmed(batch.progress, self.warmup)
        return -self.autoencoder.elbo(batch.x, noise, beta=beta).mean(-1)
