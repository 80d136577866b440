"""The GAN of token sequences whose samples are relaxed, so that gradients pass."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, Density, Model, Player, model
from genbench.core.rng import Rng
from genbench.nn.adversarial import cross_entropy, non_saturating
from genbench.nn.optim import adam
from genbench.nn.sequences import Reader, Writer, gumbel, tokens_only


@model("gan_gumbel")
class GANGumbel(Model, Density):
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
    a causal convolutional network that judges every place, in place of an LSTM's last state.

    Arguments:
        units: The size of the generator's state.
        discriminator_units: The width of the discriminator's layers.
        straight_through: Whether the discriminator sees tokens in place of relaxed ones.
        temperature: Tau at first.
        last_temperature: Tau at the end of the budget.
        lr: Adam's step size of the generator.
        discriminator_lr: Adam's step size of the discriminator.
    """

    taxonomy = "implicit/direct"
    paper = "Jang et al., 2017; Kusner and Hernandez-Lobato, 2016"
    year = 2016

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        units: int = 64,
        discriminator_units: int = 32,
        straight_through: bool = True,
        temperature: float = 1.0,
        last_temperature: float = 1.0,
        lr: float = 3e-3,
        discriminator_lr: float = 3e-3,
    ) -> None:
        super().__init__(spec, rng)
        if temperature <= 0 or last_temperature <= 0:
            raise SpecError(
                f"gan_gumbel needs temperatures above 0, got {temperature} and {last_temperature}; "
                "the usual is 1"
            )
        assert spec.tokens is not None
        self.straight_through, self.tokens = straight_through, spec.tokens
        self.temperatures = temperature, last_temperature
        self.lr, self.discriminator_lr = lr, discriminator_lr
        size = spec.tokens, spec.size
        self.generator = Writer(*size, units, rng.fork("generator"))
        self.discriminator = Reader(*size, discriminator_units, rng.fork("discriminator"))

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """A relaxed draw stands in for one of a finite alphabet."""
        return tokens_only(spec)

    def players(self) -> tuple[Player, ...]:
        """The discriminator, then the generator."""
        d, g = adam(self.discriminator_lr, (0.5, 0.999)), adam(self.lr, (0.5, 0.999))
        return (
            Player("discriminator", self.discriminator, self.discriminator_loss, d),
            Player("generator", self.generator, self.generator_loss, g),
        )

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

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns sequences of tokens, int64, shape (S, n, L)."""
        return self.generator.sample(n, rng)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the generator's log p(x) in nats, exact, shape (S, B)."""
        return self.generator.log_prob(x).sum(-1)

    def sequential_steps(self) -> int:
        """Returns L: a token waits for those before it."""
        return self.spec.size
