"""Completion of images by the exemplar of another view, against a discriminator."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from genbench.core.allowed import Amount, Count, Decay, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.search import ADAM_GAME
from genbench.families.translation import Network, source_in
from genbench.families.translation_game import TranslationGame
from genbench.nn.discriminators import Patch
from genbench.nn.optim import adam
from genbench.nn.translation import source_of


@model("exgan")
class ExGAN(TranslationGame):
    r"""Creates a completion of images by an exemplar and against a discriminator, both optional.

    .. math::
        L_D = -E \log D(x, s, r) - E \log(1 - D(G(s, r), s, r)), \qquad
        L_G = -E \log D(G(s, r), s, r) + \lambda E |x - G(s, r)|

    for images s with a hole and exemplars r, which are the second half of a source's channels.

    References:
        | Eye In-Painting with Exemplar Generative Adversarial Networks (Dolhansky and Canton Ferrer, 2018),
        | section 3.1, the exemplar as reference
        | https://arxiv.org/abs/1712.03999

    Differences: `pix2pix`'s small networks, one discriminator in place of a local and a global one, no
    perceptual loss; the whole image is made, not the hole alone.

    Arguments:
        exemplar: Whether generator and discriminator see it.
        adversary: Whether there is a discriminator.
        l1: The weight of the mean absolute error, in units of half the data's range.
        network: `unet`, `encoder_decoder`, `resnet` or `mlp`.
        hidden: The widths of the hidden layers of MLPs, in both players.
        width: The channels of the first hidden image of convolutional networks.
        blocks: The number of residual blocks.
        patch: The side in pixels of what an output of a convolutional discriminator sees, of 1, 4, 10, 22;
            None lets it see all.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
        penalty: The weight gamma of the discriminator's squared slope at real points; None takes 0.25, or 0.1
            without a range.
    """

    taxonomy = "implicit/direct"
    paper = "Dolhansky and Canton Ferrer, 2018"
    year = 2018

    search = ADAM_GAME

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        exemplar: bool = True,
        adversary: bool = True,
        l1: Weight = 100.0,
        network: Network = "unet",
        hidden: Widths = (256, 256),
        width: Count = 16,
        blocks: Amount = 4,
        patch: Patch | None = None,
        lr: Positive = 1e-3,
        beta1: Decay = 0.5,
        penalty: Weight | None = None,
    ) -> None:
        super().__init__(
            spec,
            rng,
            judge="pair" if adversary else "none",
            patch=patch,
            penalty=penalty,
            optimizer=adam(lr, (beta1, 0.999)),
            network=network,
            hidden=hidden,
            width=width,
            blocks=blocks,
            noise=0,
            logistic=False,
        )
        self.l1, self.exemplar = l1, exemplar

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Sources must hold an image and an exemplar of the points' shape."""
        reason = super().refuses(spec)
        if reason is not None:
            return reason
        channels, source = 2 * spec.event[0], source_of(spec).event
        if spec.is_image and source == (channels, *spec.event[1:]):
            return None
        return f"needs images with exemplars of their shape beside, {spec.name} gives {source}"

    def errors(self, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the weighted absolute error, shape (S,)."""
        return self.l1 * self.absolute_error(real, fake)

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the discriminator's loss on what it may see, shape (S,)."""
        return super().discriminator_loss(self._seen(batch), rng)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the generator's loss on what it may see, shape (S,)."""
        return super().generator_loss(self._seen(batch), rng)

    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns completions of what may be seen, clipped to the data's range, shape (S, B, *event)."""
        return super().translate(self._hide(source), rng)

    def _seen(self, batch: Batch) -> Batch:
        return replace(batch, source=self._hide(source_in(batch)))

    def _hide(self, source: Tensor) -> Tensor:
        """Sources, with black exemplars where none is to be seen."""
        if self.exemplar:
            return source
        first = source[:, :, : self.spec.event[0]]
        return torch.cat([first, torch.zeros_like(source[:, :, self.spec.event[0] :])], 2)
