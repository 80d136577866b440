"""The variational autoencoder."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Density, Encoder, Model, Player, model
from genbench.core.rng import Rng
from genbench.nn.losses import normal_log_prob
from genbench.nn.mlp import MLP, flat
from genbench.nn.optim import adam, linear_decay
from genbench.nn.output import centred, into_range

#: how many numbers a seed the importance-weighted bound holds at once in its widest tensor
CHUNK = 1 << 22


@model("vae")
class VAE(Model, Density, Encoder):
    r"""Creates a variational autoencoder with a Gaussian (real numbers) or Bernoulli (bits) decoder.

    .. math::
        L = -E_{q(z|x)} \log p(x|z) + \beta\,KL(q(z|x) \,\|\, p(z)), \qquad
        \log p(x) \ge E \log \frac1K \sum_k \frac{p(x, z_k)}{q(z_k|x)}

    The decoder's standard deviation is learnt, one a coordinate and the same for all z; its mean lies
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
        latent: The dimension of the code z; None chooses 2 without a range and 8 with one or for bits.
        hidden: The widths of the hidden layers of encoder and decoder (there reversed).
        log_std: The decoder's initial log standard deviation, in model space; None chooses -3 without a
            range and -2 with one.
        warmup: The share of the budget over which beta rises to 1.
        lr: Adam's step size, falling linearly to zero.
        importance: The number K of draws in `log_prob`.
        sample_mean: Whether samples are the decoder's mean in place of draws.
    """

    taxonomy = "explicit/approximate/variational"
    paper = "Kingma and Welling, 2014"
    year = 2014
    bound = "lower"

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: int | None = None,
        hidden: tuple[int, ...] = (128, 128),
        log_std: float | None = None,
        warmup: float = 0.25,
        lr: float = 2e-3,
        importance: int = 64,
        sample_mean: bool = False,
    ) -> None:
        super().__init__(spec, rng)
        unbounded = spec.range is None and spec.kind == "continuous"
        self.latent = latent or (2 if unbounded else 8)
        self.warmup, self.lr, self.importance = warmup, lr, importance
        self.sample_mean = sample_mean
        self.binary = spec.kind == "binary"
        self.encoder = MLP(spec.size, 2 * self.latent, hidden, rng.fork("encoder"))
        self.decoder = MLP(self.latent, spec.size, hidden[::-1], rng.fork("decoder"))
        if not self.binary:
            log_std = log_std if log_std is not None else (-3.0 if unbounded else -2.0)
            start = torch.full((self.seeds, 1, spec.size), log_std)
            self.log_std = nn.Parameter(start.to(rng.device, rng.dtype))
        self.widest = max((spec.size, *hidden))

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Tokens would need a softmax decoder."""
        return (
            f"needs continuous or binary data, {spec.name} is tokens"
            if spec.kind == "tokens"
            else None
        )

    def players(self) -> tuple[Player, ...]:
        """Encoder and decoder move together."""
        return (Player("autoencoder", self, self.loss, adam(self.lr), schedule=linear_decay()),)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the negative ELBO with the KL term warmed up, in nats, shape (S,)."""
        mean, log_std = self.posterior(batch.x)
        z = mean + log_std.exp() * rng.normal(*mean.shape[1:])
        kl = 0.5 * (mean.square() + (2 * log_std).exp() - 1) - log_std
        beta = min(1.0, batch.progress / self.warmup) if self.warmup > 0 else 1.0
        return (beta * kl.sum(-1) - self.log_likelihood(flat(batch.x), z)).mean(-1)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns draws of p(x|z) (or its means) for z from the prior, shape (S, n, *event)."""
        out = self.decoder(rng.normal(n, self.latent))
        if self.binary:
            rate = torch.sigmoid(out)
            made = (rate > 0.5).to(rate) if self.sample_mean else rng.bernoulli(rate)
        else:
            made = into_range(out, self.spec)
            if not self.sample_mean:
                made = made + self.log_std.exp() * rng.normal(n, self.spec.size)
            made = made if self.spec.range is None else made.clamp(*self.spec.range)
        return made.unflatten(-1, self.spec.event)

    def encode(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the posterior's mean, shape (S, B, L)."""
        return self.posterior(x)[0]

    @torch.no_grad()
    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the importance-weighted lower bound with K draws, in nats, shape (S, B)."""
        rows = max(1, CHUNK // (self.importance * self.widest))
        return torch.cat(
            [self.importance_bound(part, rng) for part in x.split(rows, dim=1)], dim=1
        )

    def importance_bound(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log 1/K sum_k p(x, z_k)/q(z_k|x), shape (S, B)."""
        mean, log_std = (part.repeat_interleave(self.importance, 1) for part in self.posterior(x))
        noise = rng.normal(*mean.shape[1:])
        z = mean + log_std.exp() * noise
        ratio = normal_log_prob(z) - normal_log_prob(noise) + log_std
        points = flat(x).repeat_interleave(self.importance, 1)
        log_w = self.log_likelihood(points, z) + ratio.sum(-1)
        return log_w.unflatten(1, (-1, self.importance)).logsumexp(-1) - math.log(self.importance)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the mean and the log standard deviation of q(z|x), (S, B, L) each."""
        mean, log_std = self.encoder(flat(centred(x, self.spec))).chunk(2, dim=-1)
        return mean, log_std

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Returns log p(x|z) in nats, shape (S, B), for flat x."""
        out = self.decoder(z)
        if self.binary:
            return -functional.binary_cross_entropy_with_logits(out, x, reduction="none").sum(-1)
        return normal_log_prob(x, into_range(out, self.spec), self.log_std).sum(-1)
