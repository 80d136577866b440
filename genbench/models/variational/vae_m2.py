"""The semi-supervised variational autoencoder with a class beside its code (M2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.allowed import Count, LogDeviation, Positive, Share, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import ContractError
from genbench.core.model import (
    Batch,
    Classifier,
    Conditional,
    Density,
    Encoder,
    Model,
    Player,
    model,
)
from genbench.core.rng import Rng
from genbench.core.search import Choice, LogUniform
from genbench.families.search import SHAPES, density_space
from genbench.families.variational import Autoencoder, warmed
from genbench.nn.mlp import MLP, flat
from genbench.nn.optim import adam, linear_decay
from genbench.nn.output import centred, numbers_or_bits


@model("vae_m2")
class VAEM2(Model, Density, Encoder, Conditional, Classifier):
    r"""Creates a variational autoencoder of a point, a class y and a code z, labels given or missing.

    .. math::
        L(x, y) = E_{q(z|x,y)} \log p(x|y,z) - KL(q(z|x,y) \,\|\, p(z)) + \log p(y)

        U(x) = \sum_y q(y|x) L(x, y) + H(q(y|x))

    The loss of a labelled point is -L(x, y) - alpha log q(y|x), that of an unlabelled one, whose label
    is -1, is -U(x). Classes are equally likely a priori. `log_prob` sums the importance-weighted
    bounds of all classes, which is a lower bound of log p(x).

    References:
        | Semi-supervised Learning with Deep Generative Models (Kingma et al., 2014), model M2, sections
          2.1 and 3.1, https://arxiv.org/abs/1406.5298

    Differences: on points themselves, not on the codes of a first autoencoder (M1); minibatches hold
    labelled points in their share of the training set; alpha weighs the mean over a minibatch's
    labelled points and is larger than the paper's, 0.1 in this unit (0.1 N against a sum over N
    points), with which the bound outweighs a hundred labels; the KL term is warmed up and real numbers
    have a learnt standard deviation, as in `vae`.

    Arguments:
        alpha: The weight of the classifier's cross-entropy on labelled points.
        latent: The dimension of the code z; None chooses 2 without a range and 16 with one or for bits.
        hidden: The widths of the hidden layers of encoder, classifier and decoder (there reversed).
        log_std: The decoder's initial log standard deviation of real numbers, in model space; None chooses
            -3 without a range and -2 with one.
        warmup: The share of the budget over which the KL term's weight rises to 1.
        lr: Adam's step size, falling linearly to zero.
        importance: The number of draws per class in `log_prob`.
        sample_mean: Whether samples are the decoder's mean in place of draws.
    """

    taxonomy = "explicit/approximate/variational"
    paper = "Kingma et al., 2014"
    year = 2014
    search = {
        **density_space(),
        **SHAPES,
        "latent": Choice((2, 8, 16, 32)),
        "alpha": LogUniform(1.0, 100.0),
    }
    bound = "lower"

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        alpha: Weight = 10.0,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        log_std: LogDeviation | None = None,
        warmup: Share = 0.25,
        lr: Positive = 2e-3,
        importance: Count = 16,
        sample_mean: bool = False,
    ) -> None:
        super().__init__(spec, rng)
        self.classes = spec.classes or 0
        self.alpha, self.warmup, self.lr = alpha, warmup, lr
        self.importance, self.sample_mean = importance, sample_mean
        self.autoencoder = Autoencoder(
            spec, latent, hidden, rng, log_std=log_std, condition=self.classes
        )
        self.classifier = MLP(spec.size, self.classes, hidden, rng.fork("classifier"))
        #: whether a minibatch may have points whose label is hidden
        self.hides = True

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Without classes there is no y; tokens would need a softmax decoder."""
        if spec.classes is None:
            return f"needs data with classes, {spec.name} has none"
        return numbers_or_bits(spec)

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Notes whether labels are hidden, so that rounds need not look."""
        self.hides = batch.labels is None or bool((batch.labels < 0).any())

    def players(self) -> tuple[Player, ...]:
        """Encoder, decoder and classifier move together."""
        return (Player("autoencoder", self, self.loss, adam(self.lr), schedule=linear_decay()),)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean of -L and -U and the classifier's weighted cross-entropy, shape (S,)."""
        labels = batch.labels
        if labels is None:
            raise ContractError(
                f"vae_m2 needs a label per point, got none for {self.spec.name}; give -1 where unknown"
            )
        noise = rng.normal(batch.x.shape[1], self.autoencoder.latent)
        beta = warmed(batch.progress, self.warmup)
        log_q = self.classify(batch.x)
        # on an accelerator a look at the labels would wait for it in every round
        if self.hides and (labels.device.type != "cpu" or bool((labels < 0).any())):
            bound = self._mixed_bound(batch.x, labels, log_q, noise, beta)
        else:
            c = functional.one_hot(labels, self.classes).to(noise)
            bound = self.autoencoder.elbo(batch.x, noise, beta=beta, c=c)
        labelled = (labels >= 0).to(noise)
        right = log_q.gather(-1, labels.clamp_min(0).unsqueeze(-1)).squeeze(-1)
        cost = -(labelled * right).sum(-1) / labelled.sum(-1).clamp_min(1)
        return self.alpha * cost - bound.mean(-1) + math.log(self.classes)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns points of classes drawn with equal odds, shape (S, n, *event)."""
        return self.sample_class(rng.integers(self.classes, n), rng)

    def sample_class(self, labels: Tensor, rng: Rng) -> Tensor:
        """Returns draws of p(x|y,z) (or its means) for z from the prior, shape (S, n, *event)."""
        z = rng.normal(labels.shape[1], self.autoencoder.latent)
        c = functional.one_hot(labels, self.classes).to(z)
        return self.autoencoder.draw(z, rng, mean=self.sample_mean, c=c)

    def classify(self, x: Tensor) -> Tensor:
        """Returns log q(y|x), shape (S, B, classes)."""
        return self.classifier(flat(centred(x, self.spec))).log_softmax(-1)

    def encode(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the mean of z under q(y|x) q(z|x,y), shape (S, B, L)."""
        points, c = self._every_class(x)
        means = self.autoencoder.posterior(points, c)[0].unflatten(1, (-1, self.classes))
        return (self.classify(x).exp().unsqueeze(-1) * means).sum(-2)

    @torch.no_grad()
    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log sum_y p(y) times the importance-weighted estimate of p(x|y), shape (S, B)."""
        points, c = self._every_class(x)
        bounds = self.autoencoder.bound(points, self.importance, rng, c)
        return bounds.unflatten(1, (-1, self.classes)).logsumexp(-1) - math.log(self.classes)

    def _every_class(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Every point with every class, (S, B classes, *event) and (S, B classes, classes)."""
        points = x.repeat_interleave(self.classes, 1)
        c = torch.eye(self.classes, dtype=x.dtype, device=x.device).repeat(x.shape[1], 1)
        return points, c.expand(self.seeds, -1, -1)

    def _mixed_bound(
        self, x: Tensor, labels: Tensor, log_q: Tensor, noise: Tensor, beta: float
    ) -> Tensor:
        """L where the label is known and U where it is not, less log p(y), shape (S, B)."""
        points, c = self._every_class(x)
        noise = noise.repeat_interleave(self.classes, 1)
        bounds = self.autoencoder.elbo(points, noise, beta=beta, c=c)
        bounds = bounds.unflatten(1, (-1, self.classes))
        own = functional.one_hot(labels.clamp_min(0), self.classes).to(bounds)
        mixed = (log_q.exp() * (bounds - log_q)).sum(-1)
        return torch.where(labels >= 0, (own * bounds).sum(-1), mixed)
