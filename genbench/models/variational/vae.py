"""The variational autoencoder."""

from __future__ import annotations

from torch import Tensor

from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.search import VARIATIONAL
from genbench.families.variational import VariationalModel, warmed


@model("vae")
class VAE(VariationalModel):
    r"""Creates a variational autoencoder with a Gaussian (real numbers) or Bernoulli (bits) decoder.

    .. math::
        L = -E_{q(z|x)} \log p(x|z) + \beta\,KL(q(z|x) \,\|\, p(z)), \qquad
        \log p(x) \ge E \log \frac1K \sum_k \frac{p(x, z_k)}{q(z_k|x)}

    The decoder's standard deviation is learnt, one per coordinate and the same for all z; its mean lies
    in the data's range. The bound reported is the importance-weighted one with K draws (K = 1: the ELBO).

    References:
        | Auto-Encoding Variational Bayes (Kingma and Welling, 2014), https://arxiv.org/abs/1312.6114
        | Importance Weighted Autoencoders (Burda et al., 2016), section 3, for the bound
        | Diagnosing and Enhancing VAE Models (Dai and Wipf, 2019), for the learnt variance

    Differences: beta rises linearly from 0 to 1 over the first part of the budget, and the standard
    deviation starts small, since with neither the model collapses to a Gaussian on sharp mixtures;
    Adam in place of Adagrad. A sample is drawn from p(x|z), noise and all, and clamped to the data's
    range; published pictures mostly show the mean (`sample_mean`).

    Arguments:
        latent: The dimension of the code z; None chooses 2 without a range and 16 with one or for bits.
        hidden: The widths of the hidden layers of encoder and decoder (there reversed), for `mlp`.
        log_std: The decoder's initial log standard deviation of real numbers, in model space; None chooses
            -3 without a range and -2 with one.
        warmup: The share of the budget over which beta rises to 1.
        lr: Adam's step size, falling linearly to zero.
        importance: The number K of draws in `log_prob`.
        sample_mean: Whether samples are the decoder's mean in place of draws.
        network: `mlp`, or `conv` for images.
        width: The channels of the largest hidden image, for `conv`.
    """

    version = 2
    paper = "Kingma and Welling, 2014"
    year = 2014
    search = VARIATIONAL

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the negative ELBO with the KL term warmed up, in nats, shape (S,)."""
        noise = rng.normal(batch.x.shape[1], self.autoencoder.latent)
        beta = warmed(batch.progress, self.warmup)
        return -self.autoencoder.elbo(batch.x, noise, beta=beta).mean(-1)
