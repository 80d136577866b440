"""Stacked variational autoencoders: networks, likelihoods and the bounds that train them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.allowed import Count, LogDeviation, Positive, Share, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Density, Encoder, Model, Player, Reconstructor
from genbench.core.rng import Rng
from genbench.nn.image import ConvDecoder, ConvEncoder, NetworkKind, refuse_small
from genbench.nn.losses import normal_log_prob
from genbench.nn.mlp import MLP, flat
from genbench.nn.optim import adam, linear_decay
from genbench.nn.output import centred, code_size, into_range, numbers_or_bits

#: how many numbers per seed the importance-weighted bound holds at once in its widest tensor
CHUNK = 1 << 22


class Autoencoder(nn.Module):
    r"""Creates S pairs of an encoder q(z|x) and a decoder p(x|z), z standard normal.

    q(z|x) is a factorised Gaussian; p(x|z) is Bernoulli (bits) or Gaussian (real numbers), with a mean
    in the data's range and a learnt standard deviation per coordinate, the same for all z. With a
    condition c, a vector that both networks are given, all distributions are those given c.

    References:
        | Auto-Encoding Variational Bayes (Kingma and Welling, 2014), section 3 and appendix C
        | Importance Weighted Autoencoders (Burda et al., 2016), section 3

    Arguments:
        spec: The data.
        latent: The dimension L of z; None chooses 2 without a range and 16 with one or for bits.
        hidden: The widths of the encoder's hidden layers; the decoder's are reversed.
        rng: Draws the weights.
        log_std: The decoder's initial log standard deviation; None chooses -3 without a range, -2 with.
        network: `mlp`, or `conv` for images: strided convolutions and their transposes, not normalised.
        width: The channels of the convolutions on the largest image.
        condition: The size of c; 0 without one. For `mlp` only.
    """

    def __init__(
        self,
        spec: DataSpec,
        latent: int | None,
        hidden: Sequence[int],
        rng: Rng,
        *,
        log_std: LogDeviation | None = None,
        network: NetworkKind = "mlp",
        width: Count = 32,
        condition: int = 0,
    ) -> None:
        super().__init__()
        unbounded = spec.range is None and spec.kind == "continuous"
        self.spec, self.binary = spec, spec.kind == "binary"
        self.latent = code_size(latent, 2 if unbounded else 16)
        self.encoder: Any
        self.decoder: Any
        draws = rng.fork("encoder"), rng.fork("decoder")
        if network == "conv":
            refuse_small(spec)
            self.encoder = ConvEncoder(spec, 2 * self.latent, width, draws[0], norm=False)
            self.decoder = ConvDecoder(self.latent, spec, width, draws[1], norm=False)
            sides = [-(-side // 4) for side in spec.event[1:]]
            self.widest = 4 * width * math.prod(sides)
        else:
            self.encoder = MLP(spec.size + condition, 2 * self.latent, hidden, draws[0])
            self.decoder = MLP(self.latent + condition, spec.size, hidden[::-1], draws[1])
            self.widest = max((spec.size, *hidden))
        self.network = network
        if not self.binary:
            log_std = log_std if log_std is not None else (-3.0 if unbounded else -2.0)
            start = torch.full((len(rng), 1, spec.size), log_std)
            self.log_std = nn.Parameter(start.to(rng.device, rng.dtype))

    def posterior(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns the mean and the log standard deviation of q(z|x), (S, B, L) each."""
        inputs = centred(x, self.spec)
        inputs = inputs if self.network == "conv" else _beside(flat(inputs), c)
        mean, log_std = self.encoder(inputs).chunk(2, dim=-1)
        return mean, log_std

    def output(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Returns the decoder's outputs (logits of bits, means before the range), (S, B, D)."""
        return flat(self.decoder(_beside(z, c)))

    def log_likelihood(self, x: Tensor, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Returns log p(x|z) in nats, shape (S, B), for points (S, B, *event)."""
        out, x = self.output(z, c), flat(x)
        if self.binary:
            return -functional.binary_cross_entropy_with_logits(out, x, reduction="none").sum(-1)
        return normal_log_prob(x, into_range(out, self.spec), self.log_std).sum(-1)

    def elbo(
        self, x: Tensor, noise: Tensor, *, beta: float = 1.0, c: Tensor | None = None
    ) -> Tensor:
        """Returns E_q log p(x|z) - beta KL(q || p) in nats, shape (S, B).

        The expectation is of one draw, made of standard normal noise (S, B, L); the KL is exact.
        """
        mean, log_std = self.posterior(x, c)
        z = mean + log_std.exp() * noise
        kl = 0.5 * (mean.square() + (2 * log_std).exp() - 1) - log_std
        return self.log_likelihood(x, z, c) - beta * kl.sum(-1)

    def importance_bound(
        self, x: Tensor, draws: int, rng: Rng, *, beta: float = 1.0, c: Tensor | None = None
    ) -> Tensor:
        """Returns log 1/K sum_k p(x|z_k) (p(z_k)/q(z_k|x))^beta for K draws, shape (S, B)."""
        mean, log_std = (part.repeat_interleave(draws, 1) for part in self.posterior(x, c))
        noise = rng.normal(*mean.shape[1:])
        z = mean + log_std.exp() * noise
        ratio = normal_log_prob(z) - normal_log_prob(noise) + log_std
        c = None if c is None else c.repeat_interleave(draws, 1)
        likelihood = self.log_likelihood(x.repeat_interleave(draws, 1), z, c)
        log_w = (likelihood + beta * ratio.sum(-1)).unflatten(1, (-1, draws))
        return log_w.logsumexp(-1) - math.log(draws)

    @torch.no_grad()
    def bound(self, x: Tensor, draws: int, rng: Rng, c: Tensor | None = None) -> Tensor:
        """Returns the importance-weighted lower bound on log p(x), in chunks, shape (S, B)."""
        rows = max(1, CHUNK // (draws * self.widest))
        conditions = [None] * -(-x.shape[1] // rows) if c is None else c.split(rows, dim=1)
        parts = [
            self.importance_bound(part, draws, rng, c=condition)
            for part, condition in zip(x.split(rows, dim=1), conditions, strict=True)
        ]
        return torch.cat(parts, dim=1)

    def draw(self, z: Tensor, rng: Rng, *, mean: bool = False, c: Tensor | None = None) -> Tensor:
        """Returns draws of p(x|z), clamped to the data's range, or its means (for bits, its modes)."""
        out = self.output(z, c)
        if self.binary:
            rate = torch.sigmoid(out)
            x = (rate > 0.5).to(rate) if mean else rng.bernoulli(rate)
        else:
            x = into_range(out, self.spec)
            if not mean:
                x = x + self.log_std.exp() * rng.normal(*out.shape[1:])
            x = x if self.spec.range is None else x.clamp(*self.spec.range)
        return x.unflatten(-1, self.spec.event)


def warmed(progress: float, share: float) -> Any:
    """Returns a weight that rises linearly from 0 to 1 over the first share of the budget.

    Of a progress that is a tensor, as compiled losses see it, it is one.
    """
    if share <= 0:
        return 1.0
    weight = progress / share
    return weight.clamp(max=1.0) if isinstance(weight, Tensor) else min(1.0, weight)


class VariationalModel(Model, Density, Encoder, Reconstructor):
    """The skeleton of variational autoencoders: all but their loss.

    Arguments:
        spec: The data.
        rng: Draws the initial weights.
        latent: The dimension of the code; None takes `Autoencoder`'s.
        hidden: The widths of the hidden layers of encoder and decoder (there reversed), for `mlp`.
        log_std: The decoder's initial log standard deviation; None takes `Autoencoder`'s.
        warmup: The share of the budget over which the weight of the prior's term rises.
        lr: Adam's step size, falling linearly to zero.
        importance: The number of draws in `log_prob`.
        sample_mean: Whether samples are the decoder's mean in place of draws.
        network: `mlp`, or `conv` for images.
        width: The channels of the largest hidden image, for `conv`.
    """

    taxonomy = "explicit/approximate/variational"
    bound = "lower"

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        log_std: LogDeviation | None = None,
        warmup: Share = 0.25,
        lr: Positive = 2e-3,
        importance: Count = 64,
        sample_mean: bool = False,
        network: NetworkKind = "mlp",
        width: Count = 32,
    ) -> None:
        super().__init__(spec, rng)
        self.warmup, self.lr = warmup, lr
        self.importance, self.sample_mean = importance, sample_mean
        self.autoencoder = Autoencoder(
            spec, latent, hidden, rng, log_std=log_std, network=network, width=width
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Tokens would need a softmax decoder."""
        return numbers_or_bits(spec)

    @abstractmethod
    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the loss of encoder and decoder, shape (S,)."""

    def players(self) -> tuple[Player, ...]:
        """Encoder and decoder move together."""
        optimizer = adam(self.lr)
        falling = linear_decay()
        return (Player("autoencoder", self.autoencoder, self.loss, optimizer, schedule=falling),)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns draws of p(x|z) (or its means) for z from the prior, shape (S, n, *event)."""
        z = rng.normal(n, self.autoencoder.latent)
        return self.autoencoder.draw(z, rng, mean=self.sample_mean)

    def encode(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the posterior's mean, shape (S, B, L)."""
        return self.autoencoder.posterior(x)[0]

    def reconstruct(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the decoder's mean (for bits, its modes) at the posterior's mean, as x is shaped."""
        return self.autoencoder.draw(self.encode(x, rng), rng, mean=True)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the importance-weighted lower bound, in nats, shape (S, B)."""
        return self.autoencoder.bound(x, self.importance, rng)


def _beside(x: Tensor, c: Tensor | None) -> Tensor:
    return x if c is None else torch.cat([x, c], dim=-1)
