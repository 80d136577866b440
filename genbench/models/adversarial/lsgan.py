"""The least squares generative adversarial network."""

from __future__ import annotations

from torch import Tensor

from genbench.core.allowed import Count, Decay, Positive, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.adversarial import Pair, PairGame
from genbench.families.search import PERCEPTRON_GAME
from genbench.nn.optim import adam


@model("lsgan")
class LSGAN(PairGame):
    r"""Creates a GAN whose discriminator regresses on 1 for real and 0 for generated points.

    .. math::
        L_D = \tfrac12 E (D(x) - 1)^2 + \tfrac12 E\,D(G(z))^2, \qquad L_G = \tfrac12 E (D(G(z)) - 1)^2

    References:
        | Least Squares Generative Adversarial Networks (Mao et al., 2017), equation 9
        | https://arxiv.org/abs/1611.04076

    Differences: multi-layer perceptrons in place of convolutions; a step size of 1e-3, for short
    budgets.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of both networks.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
    """

    paper = "Mao et al., 2017"
    year = 2017
    search = PERCEPTRON_GAME

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        lr: Positive = 1e-3,
        beta1: Decay = 0.5,
    ) -> None:
        super().__init__(spec, rng, adam(lr, (beta1, 0.999)))
        self.pair = Pair(spec, latent, hidden, rng)

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns half the squared errors on real and fake, shape (S,)."""
        real, fake = self.pair.both(batch, rng)
        return 0.5 * ((real - 1).square() + fake.square()).mean(-1)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns half the squared distance of D(G(z)) from 1, shape (S,)."""
        return 0.5 * (self.pair.fake_logits(batch, rng) - 1).square().mean(-1)
