"""The Laplacian pyramid of GANs."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from genbench.core.allowed import Count, Decay, Positive
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Model, Player, model
from genbench.core.rng import Rng
from genbench.core.search import Choice, LogUniform
from genbench.families.adversarial import cross_entropy, images_only, non_saturating
from genbench.families.search import SCHEDULE
from genbench.models.adversarial._pyramid import ResidualPainter, level_specs, pyramid
from genbench.nn.conv import downsample, upsample
from genbench.nn.image import ConvDecoder, ConvEncoder
from genbench.nn.optim import adam
from genbench.nn.output import centred, uncentred


@model("lapgan")
class LAPGAN(Model):
    r"""Creates a GAN for every level of a Laplacian pyramid, each trained apart from the others.

    With :math:`x_k` the image halved k times and :math:`l_k` the next coarser one doubled, level k
    generates what is missing, and the coarsest level generates an image from noise alone:

    .. math::
        \tilde x_K = G_K(z_K), \qquad \tilde x_k = l_k + G_k(z_k, l_k), \qquad
        L_{D_k} = -E \log D_k(x_k, l_k) - E \log(1 - D_k(l_k + G_k(z_k, l_k), l_k))

    In training l_k comes from real images; in sampling from the level below. What an image lacks to
    its finer one has no mean over 2x2 pixels, so G_k's is taken off.

    References:
        | Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks (Denton et al.,
          2015), section 2.3 and algorithm 1
        | https://arxiv.org/abs/1506.05751

    Differences: images are halved by means and doubled by repetition, without blurring; levels start
    at 7 or 8 pixels (4 for 8x8); non-saturating losses; Adam; a DCGAN at the coarsest level; batch
    normalisation; noise enters as a plane beside the image, as in the paper.

    Arguments:
        latent: The dimension of the coarsest level's noise.
        width: The channels of every network's first hidden image.
        levels: The most levels K + 1 of the pyramid, each half as large as the one before.
        lr: Adam's step size, for all.
        beta1: Adam's first decay.
    """

    taxonomy = "implicit/direct"
    paper = "Denton et al., 2015"
    year = 2015
    search = {
        "lr": LogUniform(1e-4, 1e-2),
        **SCHEDULE,
        "beta1": Choice((0.0, 0.5, 0.9)),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count = 64,
        width: Count = 32,
        levels: Count = 3,
        lr: Positive = 5e-4,
        beta1: Decay = 0.5,
    ) -> None:
        super().__init__(spec, rng)
        self.latent, self.lr, self.beta1 = latent, lr, beta1
        self.specs = level_specs(spec, levels)
        coarsest = self.specs[-1]
        self.generators = nn.ModuleList(
            [
                *(
                    ResidualPainter(level, width, rng.fork("generator", k))
                    for k, level in enumerate(self.specs[:-1])
                ),
                ConvDecoder(latent, coarsest, width, rng.fork("generator", "coarsest")),
            ]
        )
        self.discriminators = nn.ModuleList(
            ConvEncoder(
                level,
                1,
                width,
                rng.fork("discriminator", k),
                inputs=level.event[0] * (1 if level is coarsest else 2),
            )
            for k, level in enumerate(self.specs)
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Images that halve at least once, of known range; discrete points have no gradient."""
        reason = images_only(spec)
        if reason is None and spec.range is None:
            return f"needs images of known range, {spec.name} has none"
        if reason is None and len(level_specs(spec, 2)) < 2:
            return f"needs images of even sides of 8 or more, {spec.name} has {spec.event[1:]}"
        return reason

    def players(self) -> tuple[Player, ...]:
        """From the coarsest level to the finest, the level's discriminator and its generator."""
        optimizer = adam(self.lr, (self.beta1, 0.999))
        players = []
        for k in reversed(range(len(self.specs))):
            size = self.specs[k].event[-1]
            for kind, networks, loss in (
                ("discriminator", self.discriminators, self.discriminator_loss),
                ("generator", self.generators, self.generator_loss),
            ):
                players.append(Player(f"{kind}_{size}", networks[k], partial(loss, k), optimizer))
        return tuple(players)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns the finest images of levels run from coarse to fine, shape (S, n, *event)."""
        x = self.paint(len(self.specs) - 1, n, None, rng)
        for k in reversed(range(len(self.specs) - 1)):
            x = self.paint(k, n, upsample(x), rng)
        return uncentred(x, self.spec)

    def sequential_steps(self) -> int:
        """One a level."""
        return len(self.specs)

    def paint(self, k: int, n: int, coarse: Tensor | None, rng: Rng) -> Tensor:
        """Returns n of level k's images in [-1, 1] given the coarser ones doubled, (S, n, C, h, w)."""
        if coarse is None:
            return torch.tanh(self.generators[k](rng.normal(n, self.latent)))
        fine = self.generators[k](coarse, rng.normal(n, 1, *coarse.shape[3:]))
        return coarse + fine - upsample(downsample(fine))

    def logits(self, k: int, x: Tensor, coarse: Tensor | None) -> Tensor:
        """Returns what level k's discriminator says of images and their coarser ones, (S, B)."""
        both = x if coarse is None else torch.cat([x, coarse], dim=2)
        return self.discriminators[k](both).squeeze(-1)

    def real(self, k: int, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Returns level k's real images and their coarser ones doubled, None at the coarsest."""
        images = pyramid(centred(batch.x, self.spec), k + 1)
        if k == len(self.specs) - 1:
            return images[k], None
        return images[k], upsample(downsample(images[k]))

    def discriminator_loss(self, k: int, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of level k's real against generated images, shape (S,)."""
        real, coarse = self.real(k, batch)
        with torch.no_grad():
            fake = self.paint(k, real.shape[1], coarse, rng)
        return cross_entropy(self.logits(k, real, coarse), self.logits(k, fake, coarse))

    def generator_loss(self, k: int, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D of level k's generated images, shape (S,)."""
        real, coarse = self.real(k, batch)
        fake = self.paint(k, real.shape[1], coarse, rng)
        return non_saturating(self.logits(k, fake, coarse))
