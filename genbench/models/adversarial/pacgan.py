"""The GAN whose discriminator sees several points at once."""

from __future__ import annotations

from typing import Literal

from genbench.core.allowed import Count, Decay, Positive, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.adversarial import (
    NonSaturatingGame,
    Pair,
    adams,
)
from genbench.families.search import PERCEPTRON_GAME


@model("pacgan")
class PacGAN(NonSaturatingGame):
    r"""Creates a non-saturating GAN whose discriminator sees packs of points of one source.

    .. math::
        L_D = -E \log D(x_1, \dots, x_m) - E \log(1 - D(G(z_1), \dots, G(z_m))), \qquad
        L_G = -E \log D(G(z_1), \dots, G(z_m))

    References:
        | PacGAN: The power of two samples in generative adversarial networks (Lin et al., 2018), section 2
        | https://arxiv.org/abs/1712.04086

    Differences: leaky ReLU in place of maxout and no batch normalisation; Adam's step size of 1e-3
    for short budgets. A minibatch of B points gives B // pack packs.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of both networks.
        pack: The number m of points in a pack; 1 is the plain GAN.
        activation: That of both networks; None takes ReLU in the generator and leaky ReLU in the
            discriminator.
        lr: Adam's step size, the generator's.
        discriminator_lr: The discriminator's; None takes the same.
        beta1: Adam's first decay.
    """

    paper = "Lin et al., 2018"
    year = 2018
    search = PERCEPTRON_GAME

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        pack: Count = 2,
        activation: Literal["relu", "leaky_relu", "tanh"] | None = None,
        lr: Positive = 1e-3,
        discriminator_lr: Positive | None = None,
        beta1: Decay = 0.5,
    ) -> None:
        super().__init__(spec, rng, *adams(lr, discriminator_lr, beta1))
        self.pair = Pair(spec, latent, hidden, rng, pack=pack, activation=activation)
