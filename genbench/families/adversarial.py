"""A generator against a discriminator, and what the variants of that game share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.allowed import Count, Decay, Positive, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import ContractError
from genbench.core.model import Batch, Model, Player
from genbench.core.rng import Rng
from genbench.nn.image import small_image
from genbench.nn.inpainting import latent_search
from genbench.nn.losses import r1
from genbench.nn.mlp import MLP, flat
from genbench.nn.optim import Maker, adam
from genbench.nn.output import centred, code_size, into_range, noise_size, only_continuous


class Game(Model):
    """The skeleton of a generator against a discriminator: all but their networks and losses.

    A concrete model builds `generator` and `discriminator` after the call of this constructor.

    Arguments:
        spec: The data.
        rng: Draws the initial weights.
        optimizer: Makes the optimiser of either player.
        discriminator_optimizer: Makes the discriminator's, None where it is the same.
        steps: The discriminator's updates in a round, of which it makes the first.
        schedule: The factor on both step sizes.
        average: The decay of the generator's running average for evaluation, or None.
    """

    taxonomy = "implicit/direct"
    #: the name of the first player
    discriminator_name = "discriminator"
    generator: Any
    discriminator: Any

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        optimizer: Maker,
        discriminator_optimizer: Maker | None = None,
        *,
        steps: int = 1,
        schedule: Callable[[float], float] | None = None,
        average: Decay | None = None,
    ) -> None:
        super().__init__(spec, rng)
        self.optimizers = discriminator_optimizer or optimizer, optimizer
        self.steps, self.schedule, self.average = steps, schedule, average

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points have no gradient for the generator."""
        return only_continuous(spec)

    @abstractmethod
    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the first player's loss, shape (S,)."""

    @abstractmethod
    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the second player's loss, shape (S,)."""

    def project(self) -> None:
        """Is called after every update of the discriminator; moves nothing unless overridden."""

    def players(self) -> tuple[Player, ...]:
        """The discriminator, which is projected after every update, then the generator."""
        first, second = self.optimizers
        return (
            Player(
                self.discriminator_name,
                self.discriminator,
                self.discriminator_loss,
                first,
                steps=self.steps,
                project=self.project,
                schedule=self.schedule,
            ),
            Player(
                "generator",
                self.generator,
                self.generator_loss,
                second,
                schedule=self.schedule,
                average=self.average,
            ),
        )


class Pair(nn.Module):
    """Creates S generators, each against its discriminator: multi-layer perceptrons, or networks given.

    Arguments:
        spec: The data.
        latent: The dimension of the Gaussian noise; None takes `noise_size`.
        hidden: The widths of the hidden layers of both networks.
        rng: Draws the weights, the same for every variant.
        pack: How many points the discriminator sees at once.
        activation: A name in `ACTIVATIONS`, for both; None takes ReLU in the generator and leaky ReLU
            in the discriminator.
        generator: Takes the place of the plain network: (S, B, latent) to real numbers, as many as a
            point has.
        discriminator: Takes the place of the plain network: `inputs` to (S, B // pack, 1).
        images: Whether the discriminator sees images, not vectors.
    """

    def __init__(
        self,
        spec: DataSpec,
        latent: int | None,
        hidden: Sequence[int],
        rng: Rng,
        *,
        pack: Count = 1,
        activation: str | None = None,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        images: bool = False,
    ) -> None:
        super().__init__()
        self.spec, self.pack, self.images = spec, pack, images
        self.latent = code_size(latent, noise_size(spec))
        self.generator = generator or MLP(
            self.latent,
            spec.size,
            hidden,
            rng.fork("generator"),
            activation=activation or "relu",
        )
        self.discriminator = discriminator or MLP(
            pack * spec.size,
            1,
            hidden,
            rng.fork("discriminator"),
            activation=activation or "leaky_relu",
        )

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns G(z), shape (S, n, *event)."""
        return self.decode(rng.normal(n, self.latent))

    def decode(self, z: Tensor) -> Tensor:
        """Maps noise (S, n, latent) to points in the data's range, shape (S, n, *event)."""
        x = into_range(self.generator(z), self.spec)
        return x.reshape(*x.shape[:2], *self.spec.event)

    def inpaint(self, x: Tensor, observed: Tensor, rng: Rng) -> Tensor:
        """Returns completions by a search over the noise, shape (S, B, *event)."""
        return latent_search(self.decode, self.latent, x, observed, rng)

    def inputs(self, x: Tensor) -> Tensor:
        """Returns what the discriminator sees of points (S, B, *event), `pack` at once.

        Vectors, shape (S, B // pack, pack D), or images with the channels of all, shape
        (S, B // pack, pack C, H, W). Points that fill no pack are left out.
        """
        points = centred(x, self.spec) if self.images else flat(centred(x, self.spec))
        packs = points.shape[1] // self.pack
        if packs == 0:
            raise ContractError(
                f"a discriminator of {self.pack} points at once needs minibatches of at least "
                f"{self.pack}, got {points.shape[1]}; raise batch or lower pack"
            )
        whole = points[:, : packs * self.pack].unflatten(1, (packs, self.pack))
        return whole.flatten(2, 3)

    def logits(self, x: Tensor) -> Tensor:
        """Returns the discriminator's outputs, shape (S, B // pack)."""
        return self.discriminator(self.inputs(x)).squeeze(-1)

    def both(self, batch: Batch, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns the outputs on real and on as many generated points, apart from the generator.

        Perceptrons, which look at every point alone, see real and generated points at once; before
        other networks they pass in turn, so that batch normalisation sees each alone.
        """
        fake = self.fakes(batch, rng)
        if type(self.discriminator) is not MLP:
            return self.logits(batch.x), self.logits(fake)
        real = self.inputs(batch.x)
        outputs = self.discriminator(torch.cat([real, self.inputs(fake)], 1)).squeeze(-1)
        of_real, of_fake = outputs.split(real.shape[1], 1)
        return of_real, of_fake

    @torch.no_grad()
    def fakes(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns as many generated points as the minibatch has, apart from the generator."""
        return self.sample(batch.x.shape[1], rng)

    def fake_logits(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the outputs on as many generated points as the minibatch has, for the generator."""
        return self.logits(self.sample(batch.x.shape[1], rng))


class PairGame(Game):
    """The skeleton of games of a `Pair`, which a concrete model builds as `pair`."""

    pair: Pair

    @property
    def generator(self) -> nn.Module:
        """Maps noise (S, B, latent) to real numbers, as many as a point has."""
        return self.pair.generator

    @property
    def discriminator(self) -> nn.Module:
        """Maps what `Pair.inputs` returns to outputs."""
        return self.pair.discriminator

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns G(z), shape (S, n, *event)."""
        return self.pair.sample(n, rng)


class PlainGame(PairGame):
    """The skeleton of games of two multi-layer perceptrons by cross-entropy: all but the generator's loss.

    Arguments:
        spec: The data.
        rng: Draws the initial weights.
        latent: The dimension of the noise z; None takes `noise_size`.
        hidden: The widths of the hidden layers of both networks.
        activation: That of both networks; None takes `Pair`'s.
        lr: Adam's step size, the generator's.
        discriminator_lr: The discriminator's; None takes the same.
        beta1: Adam's first decay.
    """

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        activation: Literal["relu", "leaky_relu", "tanh"] | None = None,
        lr: Positive = 1e-3,
        discriminator_lr: Positive | None = None,
        beta1: Decay = 0.5,
    ) -> None:
        super().__init__(spec, rng, *adams(lr, discriminator_lr, beta1))
        self.pair = Pair(spec, latent, hidden, rng, activation=activation)

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against fake, shape (S,)."""
        return cross_entropy(*self.pair.both(batch, rng))


class NonSaturatingGame(PairGame):
    """The skeleton of games by cross-entropy whose generator raises log D(G(z)): all but their networks.

    A concrete model that holds its discriminator flat at the data sets `penalty`.
    """

    #: the weight of `r1`
    penalty: float = 0.0

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against fake plus the penalty, shape (S,)."""
        penalty = r1(self.pair.discriminator, self.pair.inputs(batch.x), self.penalty)
        return cross_entropy(*self.pair.both(batch, rng)) + penalty

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D(G(z)), shape (S,)."""
        return non_saturating(self.pair.fake_logits(batch, rng))


class CriticGame(PairGame):
    """The skeleton of Wasserstein GANs: all but the networks and the critic's loss."""

    discriminator_name = "critic"

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns minus the critic's mean score of samples, shape (S,)."""
        return -self.pair.fake_logits(batch, rng).mean(-1)


def adams(lr: float, discriminator_lr: float | None, beta1: float) -> tuple[Maker, Maker]:
    """Returns makers of the generator's and the discriminator's Adam; None takes one step size for both."""
    betas = (beta1, 0.999)
    return adam(lr, betas), adam(discriminator_lr or lr, betas)


def images_only(spec: DataSpec) -> str | None:
    """Returns why a convolutional generator refuses data, or None if it does not."""
    if not spec.is_image:
        return f"needs images, {spec.name} has points of shape {spec.event}"
    return small_image(spec) or only_continuous(spec)


def cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """Returns -E log D(x) - E log(1 - D(G(z))) of logits (S, B), in nats, shape (S,)."""
    return (functional.softplus(-real) + functional.softplus(fake)).mean(-1)


def non_saturating(fake: Tensor) -> Tensor:
    """Returns -E log D(G(z)) of logits (S, B), in nats, shape (S,)."""
    return functional.softplus(-fake).mean(-1)
