"""Translators that play against a discriminator."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Player
from genbench.core.rng import Rng
from genbench.families.adversarial import cross_entropy, non_saturating
from genbench.families.translation import NetworkTranslator, source_in
from genbench.nn.discriminators import Discriminator, check_patch
from genbench.nn.losses import r1, usual_penalty
from genbench.nn.optim import Maker
from genbench.nn.translation import mean_of


class TranslationGame(NetworkTranslator):
    """The skeleton of translators against a discriminator: all but what the generator's loss adds.

    Arguments:
        spec: The data.
        rng: Draws the initial weights.
        judge: `pair` sees the source beside the point, `image` the point alone, `none` plays no game.
        patch: The side in pixels of what an output of a convolutional discriminator sees; None: all.
        penalty: The weight of `r1`; None takes `usual_penalty`.
        optimizer: Makes the optimiser of either player.
        hidden: The widths of the hidden layers of MLPs.
        width: The channels of the first hidden image of convolutional networks.
        network: The generator's; a discriminator of an MLP's outputs is an MLP, others convolve.
        rest: What `NetworkTranslator` takes beside.
    """

    discriminator: Any

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        judge: str,
        patch: int | None,
        penalty: float | None,
        optimizer: Maker,
        hidden: tuple[int, ...],
        width: int,
        network: str,
        **rest: Any,
    ) -> None:
        super().__init__(spec, rng, network=network, hidden=hidden, width=width, **rest)
        check_patch(patch, network)
        self.penalty = usual_penalty(spec) if penalty is None else penalty
        self.optimizer = optimizer
        self.discriminator = (
            None
            if judge == "none"
            else Discriminator(
                spec,
                pairs=judge == "pair",
                hidden=hidden if network == "mlp" else None,
                width=width,
                patch=patch,
                rng=rng.fork("discriminator"),
            )
        )

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Keeps what translators keep, and the means of points and sources."""
        super().prepare(batch, rng)
        if self.discriminator is not None:
            self.discriminator.centre(self.mean, mean_of(source_in(batch)))

    def players(self) -> tuple[Player, ...]:
        """The discriminator, if there is one, then the generator."""
        generator = Player("generator", self.generator, self.generator_loss, self.optimizer)
        if self.discriminator is None:
            return (generator,)
        return (
            Player("discriminator", self.discriminator, self.discriminator_loss, self.optimizer),
            generator,
        )

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against made points plus the penalty, shape (S,)."""
        source = source_in(batch)
        with torch.no_grad():
            fake = self.output(source, rng)
        loss = cross_entropy(self.logits(batch.x, source), self.logits(fake, source))
        return loss + r1(lambda x: self.discriminator(x, source).mean(-1), batch.x, self.penalty)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D of translated sources, where there is a discriminator, and `errors`, shape (S,)."""
        source = source_in(batch)
        fake = self.output(source, rng)
        loss = self.errors(batch.x, fake)
        if self.discriminator is None:
            return loss
        return loss + non_saturating(self.logits(fake, source))

    @abstractmethod
    def errors(self, real: Tensor, fake: Tensor) -> Tensor:
        """Returns what the generator pays for differences from the true points, shape (S,)."""

    def logits(self, x: Tensor, source: Tensor) -> Tensor:
        """Returns the discriminator's logits of all points and patches, shape (S, B P)."""
        return self.discriminator(x, source).flatten(1)
