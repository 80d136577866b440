"""The deep convolutional GAN."""

from __future__ import annotations

from torch import Tensor

from genbench.core.allowed import Count, Decay, Positive
from genbench.core.dataset import DataSpec
from genbench.core.model import Inpainter, model
from genbench.core.rng import Rng
from genbench.families.adversarial import (
    NonSaturatingGame,
    Pair,
    images_only,
)
from genbench.families.search import ADAM_GAME
from genbench.nn.image import ConvDecoder, ConvEncoder
from genbench.nn.optim import adam


@model("dcgan")
class DCGAN(NonSaturatingGame, Inpainter):
    r"""Creates a non-saturating GAN of strided convolutions with batch normalisation.

    .. math::
        L_D = -E \log D(x) - E \log(1 - D(G(z))), \qquad L_G = -E \log D(G(z))

    Real and generated images pass the discriminator in turn, each normalised by its own minibatch.

    References:
        | Unsupervised Representation Learning with Deep Convolutional GANs (Radford et al., 2016), section 3
        | https://arxiv.org/abs/1511.06434

    Differences: two strided layers per network, in place of four, and narrower ones, for small images;
    Gaussian in place of uniform noise; weights uniform by fan-in in place of normal ones of standard
    deviation 0.02; a logistic in place of a tanh output, which is the same on the data's range.

    Arguments:
        latent: The dimension of the noise z.
        width: The channels of both networks at half the image's size; they double at a quarter.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
    """

    paper = "Radford et al., 2016"
    year = 2016
    search = ADAM_GAME

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count = 100,
        width: Count = 32,
        lr: Positive = 2e-4,
        beta1: Decay = 0.5,
    ) -> None:
        super().__init__(spec, rng, adam(lr, (beta1, 0.999)))
        self.pair = Pair(
            spec,
            latent,
            (),
            rng,
            generator=ConvDecoder(latent, spec, width, rng.fork("generator")),
            discriminator=ConvEncoder(spec, 1, width, rng.fork("discriminator")),
            images=True,
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Convolutions need images; discrete points have no gradient for the generator."""
        return images_only(spec)

    def inpaint(self, x: Tensor, observed: Tensor, rng: Rng) -> Tensor:
        """Returns completions by a search over the noise, shape (S, B, *event)."""
        return self.pair.inpaint(x, observed, rng)
