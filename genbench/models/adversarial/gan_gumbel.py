"""The GAN of token sequences whose samples are relaxed, so that gradients pass."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.allowed import Count, Positive
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.core.search import Choice
from genbench.families.adversarial import cross_entropy, non_saturating
from genbench.families.search import game_space
from genbench.families.sequences import SequenceGame, gumbel


@model("gan_gumbel")
class GANGumbel(SequenceGame):
    r"""Creates a GAN of token sequences that is trained through Gumbel-softmax samples.

    .. math::
        y = \operatorname{softmax}\bigl((\log p + g) / \tau\bigr), \qquad g \sim \text{Gumbel}(0, 1)

    A recurrent generator reads the tokens that it wrote. Its samples are argmax(log p + g), exact
    draws; with `straight_through` the discriminator sees them and the gradient alone takes the way of
    the relaxed y, otherwise y itself is shown and read. The temperature falls geometrically.

    References:
        | Categorical Reparameterization with Gumbel-Softmax (Jang et al., 2017), sections 2.1 and 2.2
        | GANS for Sequences of Discrete Elements with the Gumbel-softmax Distribution (Kusner and
        | Hernandez-Lobato, 2016), section 3
        | https://arxiv.org/abs/1611.01144

    Differences: Kusner and Hernandez-Lobato's generator is an LSTM started by noise, ours a GRU whose
    only noise are the draws, so that the likelihood of a sequence is known; the discriminator is
    a causal convolutional network that scores every place, in place of an LSTM's last state.

    Arguments:
        units: The size of the generator's state.
        discriminator_units: The width of the discriminator's layers.
        straight_through: Whether the discriminator sees tokens in place of relaxed ones.
        temperature: Tau at first.
        last_temperature: Tau at the end of the budget.
        lr: Adam's step size of the generator.
        discriminator_lr: Adam's step size of the discriminator.
    """

    paper = "Jang et al., 2017; Kusner and Hernandez-Lobato, 2016"
    year = 2016
    search = {
        **game_space(),
        "temperature": Choice((0.5, 1.0, 2.0)),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        units: Count = 64,
        discriminator_units: Count = 32,
        straight_through: bool = True,
        temperature: Positive = 1.0,
        last_temperature: Positive = 1.0,
        lr: Positive = 3e-3,
        discriminator_lr: Positive = 3e-3,
    ) -> None:
        super().__init__(spec, rng, (units, discriminator_units), (lr, discriminator_lr))
        self.straight_through = straight_through
        self.temperatures = temperature, last_temperature

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean cross-entropy of places, real and generated, in nats, shape (S,)."""
        with torch.no_grad():
            fake = self.relaxed(batch.x.shape[1], rng, batch.progress)
        real = functional.one_hot(batch.x, self.tokens).to(fake)
        odds = [self.discriminator(x).flatten(1) for x in (real, fake)]
        return cross_entropy(*odds)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -E log D over places of generated sequences, in nats, shape (S,)."""
        fake = self.relaxed(batch.x.shape[1], rng, batch.progress)
        return non_saturating(self.discriminator(fake).flatten(1))

    def relaxed(self, n: int, rng: Rng, progress: float) -> Tensor:
        """Returns what the discriminator sees of n generated sequences, shape (S, n, L, A)."""
        first, last = self.temperatures
        temperature = first * (last / first) ** progress
        noise = gumbel(rng, n, self.spec.size, self.tokens)

        def draw(place: int, odds: Tensor) -> Tensor:
            score = odds.log_softmax(-1) + noise[:, :, place]
            soft = (score / temperature).softmax(-1)
            if not self.straight_through:
                return soft
            hard = functional.one_hot(score.argmax(-1), self.tokens).to(soft)
            return hard + (soft - soft.detach())

        return self.generator.write(n, draw)
