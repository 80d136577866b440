"""Images of captions, by a discriminator that knows when they do not match."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.allowed import Count, Decay, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Player, model
from genbench.core.rng import Rng
from genbench.core.search import Choice, LogUniform
from genbench.families.adversarial import non_saturating
from genbench.families.search import game_space
from genbench.families.sequences import no_sequence
from genbench.families.translation import (
    TranslationModel,
    about_mean,
    needs_pairs,
    source_in,
)
from genbench.nn.captions import Matcher
from genbench.nn.losses import r1, usual_penalty
from genbench.nn.mlp import MLP, flat
from genbench.nn.optim import adam
from genbench.nn.output import centred
from genbench.nn.translation import LAST_GAIN, source_of

#: the share of the budget in which captions' features are learnt; afterwards they are frozen
LEARNING = 0.5
#: what keeps the mode-seeking term finite where both images are the same
TINY = 1e-5


@model("text_gan")
class TextGAN(TranslationModel):
    r"""Creates images from captions and noise; the discriminator also sees real images beside wrong captions.

    .. math::
        L_D = -E \log D(x, t) - \tfrac12 E \log(1 - D(x, t')) - \tfrac12 E \log(1 - D(G(z, t), t)), \qquad
        L_G = -E \log D(G(z, t), t) + \lambda \frac{E |z_1 - z_2|}{E |G(z_1, t) - G(z_2, t)|}

    for the features t of a caption, which are learnt by matching images and captions and never by the game.
    Without the last term the generator draws nearly one picture a caption: among many captions each is seen
    too seldom for the discriminator to notice, and wrong captions never tell on it.

    References:
        | Generative Adversarial Text to Image Synthesis (Reed et al., 2016), sections 4.1 and 4.2, GAN-CLS
        | https://arxiv.org/abs/1605.05396
        | Mode Seeking Generative Adversarial Networks for Diverse Image Synthesis (Mao et al., 2019),
        | section 3.2, and the authors' code for StackGAN++, for the term of weight lambda
        | https://arxiv.org/abs/1903.05628

    Differences: perceptrons in place of convolutions; captions' features are learnt in the first half of the
    budget, beside the game, by a contrastive loss, and frozen afterwards; a gradient penalty on real images;
    perceptrons see images less the training mean; captions' features have root mean square 1, as the noise
    has, for at length 1 networks are slow to heed them. Mao et al. take lambda 1, which drowns this game.

    Arguments:
        match: Whether the discriminator sees real images beside wrong captions.
        latent: The dimension of the noise z.
        hidden: The widths of the hidden layers of generator, discriminator and the image's features.
        units: The size of the state of the network that reads captions.
        features: How many features a caption has.
        lr: Adam's step size, for all.
        beta1: Adam's first decay, of the game.
        penalty: The weight gamma of the discriminator's squared slope at real images.
        diversity: The weight lambda of the mode-seeking term, images in units of half the data's range; 0 is
            GAN-CLS as published.
    """

    taxonomy = "implicit/direct"
    paper = "Reed et al., 2016"
    year = 2016
    version = 2
    reads = True

    # three players take part, so that there is no share to choose
    search = {k: v for k, v in game_space().items() if k != "training.share"} | {
        "beta1": Choice((0.0, 0.5, 0.9)),
        "diversity": LogUniform(5e-4, 2e-2),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        match: bool = True,
        latent: Count = 32,
        hidden: Widths = (256, 256),
        units: Count = 64,
        features: Count = 32,
        lr: Positive = 1e-3,
        beta1: Decay = 0.5,
        penalty: Weight | None = None,
        diversity: Weight = 2e-3,
    ) -> None:
        super().__init__(spec, rng)
        self.match, self.latent, self.lr, self.beta1 = match, latent, lr, beta1
        self.penalty = usual_penalty(spec) if penalty is None else penalty
        self.diversity = diversity
        self.matcher = Matcher(spec, source_of(spec), hidden, units, features, rng.fork("matcher"))
        self.generator = MLP(
            features + latent, spec.size, hidden, rng.fork("generator"), last_gain=LAST_GAIN
        )
        self.discriminator = MLP(
            spec.size + features,
            1,
            hidden,
            rng.fork("discriminator"),
            activation="leaky_relu",
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Sources must be captions, shown beside their own images."""
        reason = super().refuses(spec)
        if reason is None and source_of(spec).kind != "tokens":
            reason = f"needs captions to draw, {spec.name} gives {source_of(spec).kind} sources"
        if reason is None and len(source_of(spec).event) != 1:
            reason = f"{no_sequence(source_of(spec))}, as sources of {spec.name}"
        return reason or needs_pairs(spec)

    def players(self) -> tuple[Player, ...]:
        """The features of captions, the discriminator, then the generator."""
        game = adam(self.lr, (self.beta1, 0.999))
        return (
            Player(
                "matcher",
                self.matcher,
                self.matcher_loss,
                adam(self.lr),
                schedule=lambda progress: float(progress <= LEARNING),
            ),
            Player("discriminator", self.discriminator, self.discriminator_loss, game),
            Player("generator", self.generator, self.generator_loss, game),
        )

    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns images of captions, shape (S, B, *event)."""
        return self.draw(self.read(source), rng)

    def draw(self, text: Tensor, rng: Rng) -> Tensor:
        """Returns images of captions' features (S, B, features), shape (S, B, *event)."""
        return self.decode(text, rng.normal(text.shape[1], self.latent))

    def decode(self, text: Tensor, z: Tensor) -> Tensor:
        """Returns images of captions' features and noise (S, B, latent), shape (S, B, *event)."""
        x = self.generator(torch.cat([text, z], -1)).unflatten(-1, self.spec.event)
        return about_mean(x, self.mean, self.spec, logistic=True)

    def read(self, source: Tensor) -> Tensor:
        """Returns features of captions, which the game does not move, shape (S, B, features)."""
        with torch.no_grad():
            text = self.matcher(source)
            return math.sqrt(text.shape[-1]) * text

    def matcher_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns how badly images and captions find each other in the minibatch, shape (S,)."""
        return self.matcher.loss(batch.x - self.mean, source_in(batch))

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of matching real pairs against all else plus the penalty, shape (S,)."""
        text = self.read(source_in(batch))
        with torch.no_grad():
            fake = self.draw(text, rng)
        wrong = functional.softplus(self.logits(fake, text)).mean(-1)
        if self.match:
            other = functional.softplus(self.logits(batch.x, text.roll(1, 1))).mean(-1)
            wrong = 0.5 * (wrong + other)
        right = functional.softplus(-self.logits(batch.x, text)).mean(-1)
        return right + wrong + r1(lambda x: self.logits(x, text), batch.x, self.penalty)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D of what is drawn of the captions plus the mode-seeking term, shape (S,)."""
        text = self.read(source_in(batch))
        if self.diversity == 0:
            return non_saturating(self.logits(self.draw(text, rng), text))
        text = text.repeat(1, 2, 1)
        z = rng.normal(text.shape[1], self.latent)
        x = self.decode(text, z)
        seeking = mean_distance(z) / (mean_distance(centred(x, self.spec)) + TINY)
        return non_saturating(self.logits(x, text)) + self.diversity * seeking

    def logits(self, x: Tensor, text: Tensor) -> Tensor:
        """Returns the discriminator's logits of images beside features of captions, shape (S, B)."""
        inputs = torch.cat([flat(x - self.mean), text], -1)
        return self.discriminator(inputs).squeeze(-1)


def mean_distance(x: Tensor) -> Tensor:
    """Returns the mean absolute difference a coordinate of the two halves of a minibatch, shape (S,)."""
    first, second = x.chunk(2, 1)
    return (first - second).abs().flatten(1).mean(-1)
