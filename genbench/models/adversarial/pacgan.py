"""The GAN whose discriminator sees several points at once."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.adversarial import Pair, PairGame, cross_entropy, non_saturating
from genbench.nn.optim import adam


@model("pacgan")
class PacGAN(PairGame):
    r"""Creates a non-saturating GAN whose discriminator judges packs of points of one source.

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

    taxonomy = "implicit/direct"
    paper = "Lin et al., 2018"
    year = 2018

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: int | None = None,
        hidden: tuple[int, ...] = (128, 128),
        pack: int = 2,
        activation: Literal["relu", "leaky_relu", "tanh"] | None = None,
        lr: float = 1e-3,
        discriminator_lr: float | None = None,
        beta1: float = 0.5,
    ) -> None:
        betas = (beta1, 0.999)
        judges = adam(discriminator_lr or lr, betas)
        super().__init__(spec, rng, adam(lr, betas), discriminator_optimizer=judges)
        self.pair = Pair(spec, latent, hidden, rng, pack=pack, activation=activation)

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of packs of real against packs of fake points, shape (S,)."""
        return cross_entropy(*self.pair.both(batch, rng))

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D of packs of samples, shape (S,)."""
        return non_saturating(self.pair.judged(batch, rng))
