"""The GAN of residual networks."""

from __future__ import annotations

from genbench.core.allowed import Count, Decay, Positive, Weight
from genbench.core.dataset import DataSpec
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.adversarial import (
    NonSaturatingGame,
    Pair,
    images_only,
)
from genbench.families.search import ADAM_GAME, R1
from genbench.models.adversarial._residual import ResidualDecoder, ResidualEncoder
from genbench.nn.optim import adam


@model("resgan")
class ResGAN(NonSaturatingGame):
    r"""Creates a GAN whose generator and discriminator are residual networks, held flat at the data.

    .. math::
        L_D = -E \log D(x) - E \log(1 - D(G(z))) + \tfrac\gamma2 E\|\nabla d(x)\|^2, \qquad
        L_G = -E \log D(G(z))

    The generator is batch normalised, the discriminator is not: its penalty holds each image alone.

    References:
        | Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018), section 4.1
        | https://arxiv.org/abs/1801.04406
        | Improved Training of Wasserstein GANs (Gulrajani et al., 2017), appendix F, for the networks

    Differences: two blocks per network and narrower ones, for small images; the generator's batch
    normalisation is Gulrajani's; Adam in place of RMSProp, at a step size of 1e-3 for short budgets; a
    penalty weight of 1 in place of 10.

    Arguments:
        latent: The dimension of the noise z.
        width: The channels of both networks at the image's size; they double below.
        penalty: The weight gamma.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
        average: The decay of the generator's running average for evaluation, or None.
    """

    paper = "Mescheder et al., 2018"
    year = 2018
    search = {**ADAM_GAME, **R1}

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count = 64,
        width: Count = 32,
        penalty: Weight = 1.0,
        lr: Positive = 1e-3,
        beta1: Decay = 0.0,
        average: Decay | None = 0.99,
    ) -> None:
        super().__init__(spec, rng, adam(lr, (beta1, 0.99)), average=average)
        self.penalty = penalty
        self.pair = Pair(
            spec,
            latent,
            (),
            rng,
            generator=ResidualDecoder(latent, spec, width, rng.fork("generator"), norm=True),
            discriminator=ResidualEncoder(spec, 1, width, rng.fork("discriminator")),
            images=True,
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Images whose sides halve twice; discrete points have no gradient for the generator."""
        reason = images_only(spec)
        if reason is None and any(side % 4 for side in spec.event[1:]):
            return f"needs images whose sides 4 divides, {spec.name} has {spec.event[1:]}"
        return reason
