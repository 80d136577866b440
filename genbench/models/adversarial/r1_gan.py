"""The GAN with a gradient penalty on real points."""

from __future__ import annotations

from genbench.core.allowed import Count, Decay, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.adversarial import (
    NonSaturatingGame,
    Pair,
)
from genbench.families.search import PERCEPTRON_GAME, R1
from genbench.nn.optim import adam


@model("r1_gan")
class R1GAN(NonSaturatingGame):
    r"""Creates a non-saturating GAN whose discriminator is held flat at the data (R1).

    .. math::
        L_D = -E \log D(x) - E \log(1 - D(G(z))) + \tfrac\gamma2 E\|\nabla d(x)\|^2, \qquad
        L_G = -E \log D(G(z))

    References:
        | Which Training Methods for GANs do actually Converge? (Mescheder et al., 2018), section 4.1
        | https://arxiv.org/abs/1801.04406

    Differences: a weight of 0.1 on points without a range and 1 elsewhere, where the paper's large
    images have 10; Adam in place of RMSProp, and no running average of the generator. d are the logits,
    and gradients are with respect to the discriminator's inputs, in [-1, 1] where data have a range.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of both networks.
        penalty: The weight gamma; None chooses 0.1 or 1 as said above.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
    """

    paper = "Mescheder et al., 2018"
    year = 2018
    search = {**PERCEPTRON_GAME, **R1}

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        penalty: Weight | None = None,
        lr: Positive = 1e-3,
        beta1: Decay = 0.5,
    ) -> None:
        super().__init__(spec, rng, adam(lr, (beta1, 0.999)))
        self.penalty = penalty if penalty is not None else (0.1 if spec.range is None else 1.0)
        self.pair = Pair(spec, latent, hidden, rng)
