"""The progressively grown GAN."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.allowed import Count, Decay, Positive, Weight
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.adversarial import Game, cross_entropy, images_only, non_saturating
from genbench.families.search import R1, game_space
from genbench.models.adversarial._growing import GrowingDiscriminator, GrowingGenerator
from genbench.models.adversarial._pyramid import level_specs, pyramid
from genbench.nn.conv import downsample, upsample
from genbench.nn.losses import r1
from genbench.nn.optim import adam
from genbench.nn.output import centred, uncentred


@model("progan")
class ProGAN(Game):
    r"""Creates a GAN that learns small images first and grows, each new layer faded in.

    .. math::
        L_D = -E \log D(x) - E \log(1 - D(G(z))) + \tfrac\gamma2 E\|\nabla d(x)\|^2, \qquad
        L_G = -E \log D(G(z))

    The budget is cut into equal parts: the coarsest images, a fade to the next size, that size, and
    so on. While size k fades in by a share a, G's images are (1 - a) of size k - 1 doubled and a of
    size k, real images lose as much detail, and the discriminator mixes its inputs' features likewise.
    Until the last size has begun, samples are the images of the present size, doubled.

    References:
        | Progressive Growing of GANs for Improved Quality, Stability, and Variation (Karras et al.,
          2018), sections 2 to 4 and appendix A
        | https://arxiv.org/abs/1710.10196

    Differences: the non-saturating loss with a penalty on real images' slopes (R1, as the authors'
    later StyleGAN2 has it) in place of a Wasserstein distance, and twice the step size, for short
    budgets; narrower networks, all sizes as wide; one linear layer at the start; sizes from 7 or 8
    pixels (4 for 8x8) to the data's; the deviation is that of the whole minibatch; the minibatch stays
    as large; G's output is clipped to the range in sampling only, as in the authors' code.

    Arguments:
        latent: The dimension of the noise z.
        width: The channels of every hidden image.
        levels: The most sizes, each half as large as the one before.
        penalty: The weight gamma.
        lr: Adam's step size, for both.
        average: The decay of the generator's running average for evaluation, or None.
    """

    paper = "Karras et al., 2018"
    year = 2018
    search = {**game_space(), **R1}
    #: how many sizes are learnt so far, less one; with the share of one that fades in
    growth: Tensor

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count = 64,
        width: Count = 32,
        levels: Count = 3,
        penalty: Weight = 1.0,
        lr: Positive = 2e-3,
        average: Decay | None = 0.99,
    ) -> None:
        super().__init__(spec, rng, adam(lr, (0.0, 0.99)), average=average)
        self.latent, self.penalty = latent, penalty
        self.specs = level_specs(spec, levels)[::-1]
        self.generator = GrowingGenerator(latent, self.specs, width, rng.fork("generator"))
        self.discriminator = GrowingDiscriminator(self.specs, width, rng.fork("discriminator"))
        self.register_buffer("growth", torch.zeros((), dtype=torch.float64))
        #: the buffer that `present` knows, its version then, and its value
        self._known: tuple[Tensor, int, float] | None = None

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Images that halve at least once; discrete points have no gradient for the generator."""
        reason = images_only(spec)
        if reason is None and len(level_specs(spec, 2)) < 2:
            return f"needs images of even sides of 8 or more, {spec.name} has {spec.event[1:]}"
        return reason

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns G(z), doubled until it has the data's size, shape (S, n, *event)."""
        x = self.images(n, rng, self.present())
        while x.shape[3:] != self.spec.event[1:]:
            x = upsample(x)
        return uncentred(x, self.spec)

    def images(self, n: int, rng: Rng, growth: float) -> Tensor:
        """Returns G(z) on [-1, 1] and around, shape (S, n, C, h, w), of the size of a growth."""
        return self.generator(rng.normal(n, self.latent), growth)

    def grown(self, progress: float) -> float:
        """Returns the growth at a share of the budget: flat, rising by one, flat, and so on."""
        parts = 2 * len(self.specs) - 1
        done, within = divmod(min(progress, 1.0) * parts, 2)
        return min(done + max(0.0, within - 1), len(self.specs) - 1.0)

    def real(self, x: Tensor, growth: float) -> Tensor:
        """Returns real images as a growth shows them, shape (S, B, C, h, w)."""
        size, share = math.ceil(growth), growth - math.floor(growth)
        x = pyramid(centred(x, self.spec), len(self.specs) - size)[-1]
        return torch.lerp(upsample(downsample(x)), x, share) if share else x

    def begin(self, batch: Batch) -> float:
        """Sets and returns the growth at a minibatch's progress."""
        growth = self.grown(batch.progress)
        self.growth.fill_(growth)
        rounded = torch.tensor(growth, dtype=self.growth.dtype).item()
        self._known = self.growth, self.growth._version, rounded
        return growth

    def present(self) -> float:
        """Returns the growth as the buffer holds it, read only where another than `begin` wrote it."""
        cache, buffer = self._known, self.growth
        if cache is None or cache[0] is not buffer or cache[1] != buffer._version:
            cache = self._known = buffer, buffer._version, float(buffer)
        return cache[2]

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against fake plus the penalty, shape (S,)."""
        growth = self.begin(batch)
        real = self.real(batch.x, growth)
        with torch.no_grad():
            fake = self.images(real.shape[1], rng, growth)
        penalty = r1(lambda x: self.discriminator(x, growth), real, self.penalty)
        on_real, on_fake = (self.discriminator(x, growth).squeeze(-1) for x in (real, fake))
        return cross_entropy(on_real, on_fake) + penalty

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D(G(z)), shape (S,)."""
        growth = self.begin(batch)
        fake = self.images(batch.x.shape[1], rng, growth)
        return non_saturating(self.discriminator(fake, growth).squeeze(-1))
