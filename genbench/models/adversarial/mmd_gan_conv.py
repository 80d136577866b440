"""The GAN whose critic learns the kernel of a two-sample test, by convolutions."""

from __future__ import annotations

from torch import nn

from genbench.core.allowed import Count, Positive, Scales, Weight
from genbench.core.dataset import DataSpec
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.adversarial import Pair, images_only
from genbench.families.learnt_kernel import KERNEL_GAME, SIGMAS, LearntKernelGame
from genbench.nn.image import ConvDecoder, ConvEncoder


@model("mmd_gan_conv")
class ConvMMDGAN(LearntKernelGame):
    """Creates a generator of images that lowers the MMD which a learnt feature map raises.

    References:
        | MMD GAN: Towards Deeper Understanding of Moment Matching Network (Li et al., 2017), section 5, and
        | the convolutions of DCGAN (Radford et al., 2016)
        | https://arxiv.org/abs/1705.08584

    Differences: as for `mmd_gan`, but for its perceptrons; two convolutions a network; the critic's are not
    batch normalised, since its penalty is of single points; two updates of the critic in place of five, whose
    penalty is dear by convolutions.

    Arguments:
        latent: The dimension of the noise z.
        width: The channels of the largest hidden image of all networks.
        features: The size of f's values.
        sigmas: The widths sigma of the kernels.
        penalty: The weight lambda.
        reconstruction: The weight alpha of the autoencoder's mean squared error per coordinate.
        critic_steps: Updates of the critic for one of the generator.
        lr: RMSProp's step size, for both.
    """

    paper = "Li et al., 2017"
    year = 2017
    search = KERNEL_GAME

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count = 64,
        width: Count = 16,
        features: Count = 16,
        sigmas: Scales = SIGMAS,
        penalty: Weight = 1.0,
        reconstruction: Weight = 8.0,
        critic_steps: Count = 2,
        lr: Positive = 5e-4,
    ) -> None:
        super().__init__(
            spec,
            rng,
            sigmas=sigmas,
            penalty=penalty,
            reconstruction=reconstruction,
            scale=None,
            critic_steps=critic_steps,
            lr=lr,
        )
        encoder = ConvEncoder(spec, features, width, rng.fork("encoder"), norm=False)
        decoder = ConvDecoder(features, spec, width, rng.fork("decoder"), norm=False)
        self.pair = Pair(
            spec,
            latent,
            (),
            rng,
            generator=ConvDecoder(latent, spec, width, rng.fork("generator")),
            discriminator=nn.ModuleList([encoder, decoder]),
            images=True,
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Convolutions need images; discrete points have no gradient for the generator."""
        return images_only(spec)
