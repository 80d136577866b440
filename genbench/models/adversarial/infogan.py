"""The GAN with codes that its samples keep information about."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Amount, Count, Decay, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Encoder, model
from genbench.core.rng import Rng
from genbench.core.search import Choice
from genbench.families.adversarial import Game, adams, cross_entropy, non_saturating
from genbench.families.labels import label_loss, one_hot
from genbench.families.search import PERCEPTRON_GAME, R1
from genbench.nn.image import NetworkKind
from genbench.nn.joint import Generator, PointEncoder
from genbench.nn.losses import normal_log_prob, r1, usual_penalty


@model("infogan")
class InfoGAN(Game, Encoder):
    r"""Creates a GAN that also takes a categorical and continuous codes and keeps them readable.

    .. math::
        L_D = -E \log D(x) - E \log(1 - D(G(z, c))) - \lambda E \log Q(c|G(z, c)), \qquad
        L_G = -E \log D(G(z, c)) - \lambda E \log Q(c|G(z, c))

    E log Q(c|G(z,c)) plus the codes' entropy bounds their mutual information with the samples from
    below. Q is another head of the discriminator, categorical and, for the continuous codes, normal with
    deviation 1. `encode` gives Q's probabilities of the categories,
    then the continuous codes' means; no label is ever seen, so a category is no class.

    References:
        | InfoGAN (Chen et al., 2016), sections 5 and 7.2 and appendix C.1
        | https://arxiv.org/abs/1606.03657

    Differences: multi-layer perceptrons or small convolutional networks; Gaussian in place of uniform
    noise z; a gradient penalty on real points (Mescheder et al., 2018).

    Arguments:
        latent: The dimension of the noise z.
        categories: How many values the categorical code has, equally likely.
        codes: How many continuous codes there are, uniform on [-1, 1].
        hidden: The widths of the hidden layers of both networks.
        network: `mlp`, or `conv` for images.
        width: The channels of convolutional networks.
        information: The weight lambda.
        lr: The generator's step size of Adam.
        discriminator_lr: The discriminator's and Q's.
        beta1: Adam's first decay.
        penalty: The weight gamma of the discriminator's squared slope at real points, gamma/2 times it;
            None takes 0.1 without a range and 0.25 with one; 0 leaves it out, as the paper does.
    """

    paper = "Chen et al., 2016"
    year = 2016
    search = {
        **PERCEPTRON_GAME,
        **R1,
        "information": Choice((0.1, 0.3, 1.0)),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Amount = 62,
        categories: Count = 10,
        codes: Amount = 2,
        hidden: Widths = (128, 128),
        network: NetworkKind = "mlp",
        width: Count = 32,
        information: Weight = 1.0,
        lr: Positive = 1e-3,
        discriminator_lr: Positive = 2e-4,
        beta1: Decay = 0.5,
        penalty: Weight | None = None,
    ) -> None:
        super().__init__(spec, rng, *adams(lr, discriminator_lr, beta1))
        self.latent, self.categories, self.codes = latent, categories, codes
        self.information = information
        self.penalty = usual_penalty(spec) if penalty is None else penalty
        shape = (hidden, width, network)
        inputs = latent + categories + codes
        self.generator = Generator(spec, inputs, *shape, rng.fork("generator"))
        self.discriminator = PointEncoder(
            spec, 1 + categories + codes, *shape, rng.fork("discriminator")
        )

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns G(z, c), shape (S, n, *event)."""
        return self.generated(n, rng)[0]

    def generated(self, n: int, rng: Rng) -> tuple[Tensor, Tensor, Tensor]:
        """Returns points, their categories (S, n) and their continuous codes (S, n, codes)."""
        z, category = rng.normal(n, self.latent), rng.integers(self.categories, n)
        code = rng.uniform(n, self.codes, low=-1.0, high=1.0)
        indicator = one_hot(category, self.categories, z)
        return self.generator(torch.cat([z, indicator, code], dim=-1)), category, code

    def encode(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns Q's probabilities of the categories and means of the codes, (S, B, L)."""
        _, logits, mean = self.heads(x)
        return torch.cat([logits.softmax(-1), mean], dim=-1)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the logit (S, B), the categories' logits and the codes' means."""
        sizes = [1, self.categories, self.codes]
        source, logits, mean = self.discriminator(x).split(sizes, dim=-1)
        return source.squeeze(-1), logits, mean

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against fake minus lambda log Q, shape (S,)."""
        with torch.no_grad():
            fakes = self.generated(batch.x.shape[1], rng)
        fake, unread = self.read(*fakes)
        loss = cross_entropy(self.heads(batch.x)[0], fake) + self.information * unread
        return loss + r1(lambda x: self.heads(x)[0], batch.x, self.penalty)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D minus lambda log Q at generated points, shape (S,)."""
        fake, unread = self.read(*self.generated(batch.x.shape[1], rng))
        return non_saturating(fake) + self.information * unread

    def read(self, x: Tensor, category: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the logits (S, B) and the mean of -log Q(c|x) in nats, shape (S,)."""
        fake, logits, mean = self.heads(x)
        codes = normal_log_prob(code, mean).sum(-1).mean(-1)
        return fake, label_loss(logits, category) - codes
