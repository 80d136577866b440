"""The importance-weighted autoencoder."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from genbench.core.allowed import Count
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.search import VARIATIONAL
from genbench.families.variational import (
    VariationalModel,
    warmed,
)


@model("iwae")
class IWAE(VariationalModel):
    r"""Creates a variational autoencoder trained on the bound of several weighted draws of the code.

    .. math::
        L = -E_{z_1, \dots, z_k \sim q(z|x)} \log \frac1k \sum_i \frac{p(x, z_i)}{q(z_i|x)}

    The bound tightens with k; k = 1 is that of `vae`, its KL term by one draw and not in closed form.
    `log_prob` reports the same bound with its own, larger number of draws.

    References:
        | Importance Weighted Autoencoders (Burda et al., 2016), section 3, https://arxiv.org/abs/1509.00519

    Differences: networks, step sizes and the learnt standard deviation of real numbers are those of
    `vae`, ReLU in place of tanh; over the first part of the budget p(z)/q(z|x) enters the weights to a
    power that rises linearly to 1, as the KL term of `vae` does.

    Arguments:
        k: The number of draws in training.
        latent: The dimension of the code z; None chooses 2 without a range and 16 with one or for bits.
        hidden: The widths of the hidden layers of encoder and decoder (there reversed), for `mlp`.
        log_std: The decoder's initial log standard deviation of real numbers, in model space; None chooses
            -3 without a range and -2 with one.
        warmup: The share of the budget over which the power rises to 1.
        lr: Adam's step size, falling linearly to zero.
        importance: The number of draws in `log_prob`.
        sample_mean: Whether samples are the decoder's mean in place of draws.
        network: `mlp`, or `conv` for images.
        width: The channels of the largest hidden image, for `conv`.
    """

    paper = "Burda et al., 2016"
    year = 2015
    search = VARIATIONAL

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        k: Count = 5,
        **inherited: Any,
    ) -> None:
        super().__init__(spec, rng, **inherited)
        self.k = k

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the negative bound with k draws, in nats, shape (S,)."""
        beta = warmed(batch.progress, self.warmup)
        return -self.autoencoder.importance_bound(batch.x, self.k, rng, beta=beta).mean(-1)
