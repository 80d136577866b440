"""A generator against a discriminator, and what the variants of that game share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.errors import ContractError
from genbench.core.model import Batch, Optimizer, Player
from genbench.core.rng import Rng
from genbench.nn.mlp import MLP, flat
from genbench.nn.output import centred, into_range, noise_size

Loss = Callable[[Batch, Rng], Tensor]


class Pair(nn.Module):
    """Creates S ReLU generators, each against its leaky ReLU discriminator.

    Arguments:
        spec: The data.
        latent: The dimension of the Gaussian noise; None takes `noise_size`.
        hidden: The widths of the hidden layers of both networks.
        rng: Draws the weights, the same for every variant.
        pack: How many points the discriminator sees at once.
        discriminator: Takes the place of the plain network.
    """

    def __init__(
        self,
        spec: DataSpec,
        latent: int | None,
        hidden: Sequence[int],
        rng: Rng,
        *,
        pack: int = 1,
        discriminator: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.spec, self.pack = spec, pack
        self.latent = latent or noise_size(spec)
        self.generator = MLP(self.latent, spec.size, hidden, rng.fork("generator"))
        self.discriminator = discriminator or MLP(
            pack * spec.size, 1, hidden, rng.fork("discriminator"), activation="leaky_relu"
        )

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns G(z), shape (S, n, *event)."""
        made = into_range(self.generator(rng.normal(n, self.latent)), self.spec)
        return made.unflatten(-1, self.spec.event)

    def inputs(self, x: Tensor) -> Tensor:
        """Returns what the discriminator sees of points: (S, B, *event) to (S, B // pack, pack D).

        Points that fill no pack are left out.
        """
        points = flat(centred(x, self.spec))
        packs = points.shape[1] // self.pack
        if packs == 0:
            raise ContractError(
                f"a discriminator of {self.pack} points at once needs minibatches of at least "
                f"{self.pack}, got {points.shape[1]}; raise batch or lower pack"
            )
        return points[:, : packs * self.pack].unflatten(1, (packs, self.pack)).flatten(2)

    def logits(self, x: Tensor) -> Tensor:
        """Returns the discriminator's outputs, shape (S, B // pack)."""
        return self.discriminator(self.inputs(x)).squeeze(-1)

    def both(self, batch: Batch, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns the outputs on real and on as many generated points, apart from the generator."""
        with torch.no_grad():
            fake = self.sample(batch.x.shape[1], rng)
        return self.logits(batch.x), self.logits(fake)

    def judged(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the outputs on as many generated points as the minibatch has, for the generator."""
        return self.logits(self.sample(batch.x.shape[1], rng))

    def players(
        self,
        discriminator_loss: Loss,
        generator_loss: Loss,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        *,
        name: str = "discriminator",
        steps: int = 1,
        project: Callable[[], None] | None = None,
    ) -> tuple[Player, ...]:
        """Returns the discriminator (under a name, making `steps` updates), then the generator."""
        first = Player(
            name, self.discriminator, discriminator_loss, optimizer, steps=steps, project=project
        )
        return first, Player("generator", self.generator, generator_loss, optimizer)


def continuous_only(spec: DataSpec) -> str | None:
    """Returns why a generator trained through its samples refuses data, or None if it does not."""
    if spec.kind == "continuous":
        return None
    return f"needs continuous data, {spec.name} is {spec.kind}"


def cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """Returns -E log D(x) - E log(1 - D(G(z))) of logits (S, B), in nats, shape (S,)."""
    return (functional.softplus(-real) + functional.softplus(fake)).mean(-1)


def non_saturating(fake: Tensor) -> Tensor:
    """Returns -E log D(G(z)) of logits (S, B), in nats, shape (S,)."""
    return functional.softplus(-fake).mean(-1)
