"""A generator and an encoder that are trained as each other's inverse by a discriminator of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from genbench.core.allowed import Count, Decay, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Encoder, Inpainter, Model, Player, Reconstructor
from genbench.core.rng import Rng
from genbench.families.adversarial import cross_entropy
from genbench.nn.image import NetworkKind
from genbench.nn.inpainting import chain
from genbench.nn.joint import Generator, PointEncoder
from genbench.nn.losses import r1, usual_penalty
from genbench.nn.optim import adam
from genbench.nn.output import code_size, only_continuous


class Inverses(nn.Module):
    """Creates S generators and encoders, and the discriminators of pairs (x, E(x)) and (G(z), z).

    Arguments:
        spec: The data.
        latent: The dimension of the code; None takes 2 for points in the plane, 50 otherwise.
        hidden: The widths of the hidden layers of all three networks.
        width: Their channels, where they are convolutional.
        network: `mlp` or `conv`.
        rng: Draws the weights.
        penalty: The weight of `r1` in the discriminator's loss; None takes `usual_penalty`.
        stochastic: Whether codes are normal, the prior standard and the encoder's with a mean and a
            deviation below the prior's; else the prior is uniform on [-1, 1] and the encoder a map.
    """

    def __init__(
        self,
        spec: DataSpec,
        latent: int | None,
        hidden: Sequence[int],
        width: int,
        network: NetworkKind,
        rng: Rng,
        *,
        stochastic: bool,
        penalty: Weight | None = None,
    ) -> None:
        super().__init__()
        self.latent = latent = code_size(latent, 2 if spec.size == 2 else 50)
        self.stochastic = stochastic
        self.penalty = usual_penalty(spec) if penalty is None else penalty
        shape = (hidden, width, network)
        outputs = 2 * latent if stochastic else latent
        generator = Generator(spec, latent, *shape, rng.fork("generator"))
        encoder = PointEncoder(spec, outputs, *shape, rng.fork("encoder"))
        self.discriminator = PointEncoder(
            spec, 1, *shape, rng.fork("discriminator"), beside=latent
        )
        # one player moves both; a module that is held twice would be saved twice
        self.inverses = nn.ModuleList((generator, encoder))

    @property
    def generator(self) -> nn.Module:
        """Maps codes (S, B, latent) to points (S, B, *event)."""
        return self.inverses[0]

    @property
    def encoder(self) -> nn.Module:
        """Maps points (S, B, *event) to codes, or what sets their distributions, (S, B, outputs)."""
        return self.inverses[1]

    def prior(self, n: int, rng: Rng) -> Tensor:
        """Returns codes from the prior, shape (S, n, latent)."""
        if self.stochastic:
            return rng.normal(n, self.latent)
        return rng.uniform(n, self.latent, low=-1.0, high=1.0)

    def code(self, x: Tensor, rng: Rng | None) -> Tensor:
        """Returns codes of points, shape (S, B, latent): draws, or without an rng their means."""
        out = self.encoder(x)
        if not self.stochastic:
            return out
        mean, raw = out.chunk(2, dim=-1)
        if rng is None:
            return mean
        return mean + torch.sigmoid(raw) * rng.normal(*mean.shape[1:])

    def completed(self, x: Tensor, observed: Tensor, steps: int, rng: Rng) -> Tensor:
        """Returns completions by a chain of reconstructions from a sample on, shape (S, B, *event).

        Half-known points are far from all data, where an encoder may say anything: codes are kept where
        the prior has its mass, in [-1, 1] or within three deviations.
        """
        reach = 3.0 if self.stochastic else 1.0
        start = self.generator(self.prior(x.shape[1], rng))
        return chain(
            lambda y: self.generator(self.code(y, rng).clamp(-reach, reach)),
            start,
            x,
            observed,
            steps,
        )

    def logits(self, x: Tensor, z: Tensor) -> Tensor:
        """Returns the discriminator's logits that a pair is of the data's side, shape (S, B)."""
        return self.discriminator(x, z).squeeze(-1)

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of (x, E(x)) against (G(z), z), shape (S,)."""
        with torch.no_grad():
            code, z = self.code(batch.x, rng), self.prior(batch.x.shape[1], rng)
            fake = self.generator(z)
        loss = cross_entropy(self.logits(batch.x, code), self.logits(fake, z))
        return loss + r1(lambda x: self.logits(x, code), batch.x, self.penalty)

    def inverse_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy with the sides exchanged, for both inverses, shape (S,)."""
        code, z = self.code(batch.x, rng), self.prior(batch.x.shape[1], rng)
        return cross_entropy(self.logits(self.generator(z), z), self.logits(batch.x, code))


class InverseGame(Model, Encoder, Reconstructor, Inpainter):
    """The skeleton of games of `Inverses`: all but the kind of code.

    Arguments:
        spec: The data.
        rng: Draws the initial weights.
        latent: The dimension of the code; None takes 2 for points in the plane, 50 otherwise.
        hidden: The widths of the hidden layers of the three networks.
        network: `mlp`, or `conv` for images.
        width: The channels of convolutional networks.
        lr: Adam's step size.
        beta1: Adam's first decay.
        penalty: The weight of `r1`; None takes `usual_penalty`.
        chain_steps: How many reconstructions complete a point.
    """

    taxonomy = "implicit/direct"
    #: whether codes are normal and the encoder gives a distribution
    stochastic: ClassVar[bool]

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        network: NetworkKind = "mlp",
        width: Count = 32,
        lr: Positive = 1e-3,
        beta1: Decay = 0.5,
        penalty: Weight | None = None,
        chain_steps: Count = 20,
    ) -> None:
        super().__init__(spec, rng)
        self.optimizer, self.chain_steps = adam(lr, (beta1, 0.999)), chain_steps
        shape = (hidden, width, network)
        self.game = Inverses(
            spec, latent, *shape, rng, stochastic=self.stochastic, penalty=penalty
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points have no gradient for the generator."""
        return only_continuous(spec)

    def players(self) -> tuple[Player, ...]:
        """The discriminator, then generator and encoder together."""
        game, make = self.game, self.optimizer
        return (
            Player("discriminator", game.discriminator, game.discriminator_loss, make),
            Player("generator and encoder", game.inverses, game.inverse_loss, make),
        )

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns G(z), shape (S, n, *event)."""
        return self.game.generator(self.game.prior(n, rng))

    def encode(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the codes' means, shape (S, B, L)."""
        return self.game.code(x, None)

    def reconstruct(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns G at the mean codes, shape (S, B, *event)."""
        return self.game.generator(self.game.code(x, None))

    def inpaint(self, x: Tensor, observed: Tensor, rng: Rng) -> Tensor:
        """Returns completions by the chain of reconstructions, shape (S, B, *event)."""
        return self.game.completed(x, observed, self.chain_steps, rng)
