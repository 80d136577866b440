"""The generative adversarial network as a zero-sum game."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.adversarial import PlainGame
from genbench.families.search import PERCEPTRON_GAME


@model("gan_minimax")
class MinimaxGAN(PlainGame):
    r"""Creates a GAN whose generator lowers what the discriminator raises, the saturating loss.

    .. math::
        L_D = -E \log D(x) - E \log(1 - D(G(z))), \qquad L_G = E \log(1 - D(G(z)))

    References:
        | Generative Adversarial Nets (Goodfellow et al., 2014), equation 1 and algorithm 1
        | https://arxiv.org/abs/1406.2661

    Differences: ReLU generator and leaky ReLU discriminator trained by Adam, in place of maxout,
    dropout and SGD with momentum; Gaussian in place of uniform noise. Weights and updates are those of
    `gan`: the generator's loss alone differs.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of both networks.
        activation: That of both networks; None takes ReLU in the generator and leaky ReLU in the
            discriminator.
        lr: Adam's step size, the generator's.
        discriminator_lr: The discriminator's; None takes the same.
        beta1: Adam's first decay.
    """

    paper = "Goodfellow et al., 2014"
    year = 2014
    search = PERCEPTRON_GAME

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns log(1 - D(G(z))), shape (S,)."""
        return -functional.softplus(self.pair.fake_logits(batch, rng)).mean(-1)
