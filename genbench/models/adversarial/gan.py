"""The generative adversarial network with the non-saturating loss."""

from __future__ import annotations

from torch import Tensor

from genbench.core.model import Batch, Inpainter, model
from genbench.core.rng import Rng
from genbench.families.adversarial import PlainGame, non_saturating
from genbench.families.search import PERCEPTRON_GAME


@model("gan")
class GAN(PlainGame, Inpainter):
    r"""Creates a GAN: a generator against a discriminator, non-saturating loss.

    .. math::
        L_D = -E \log D(x) - E \log(1 - D(G(z))), \qquad L_G = -E \log D(G(z))

    References:
        | Generative Adversarial Nets (Goodfellow et al., 2014), section 3
        | https://arxiv.org/abs/1406.2661

    Differences: ReLU generator and leaky ReLU discriminator trained by Adam, in place of maxout,
    dropout and SGD with momentum; Gaussian in place of uniform noise.

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

    def inpaint(self, x: Tensor, observed: Tensor, rng: Rng) -> Tensor:
        """Returns completions by a search over the noise, shape (S, B, *event)."""
        return self.pair.inpaint(x, observed, rng)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D(G(z)), shape (S,)."""
        return non_saturating(self.pair.fake_logits(batch, rng))
