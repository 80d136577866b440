"""The generative adversarial network as a zero-sum game."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.adversarial import Pair, PairGame, cross_entropy
from genbench.nn.optim import adam


@model("gan_minimax")
class MinimaxGAN(PairGame):
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

    taxonomy = "implicit/direct"
    paper = "Goodfellow et al., 2014"
    year = 2014

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: int | None = None,
        hidden: tuple[int, ...] = (128, 128),
        activation: Literal["relu", "leaky_relu", "tanh"] | None = None,
        lr: float = 1e-3,
        discriminator_lr: float | None = None,
        beta1: float = 0.5,
    ) -> None:
        betas = (beta1, 0.999)
        judges = adam(discriminator_lr or lr, betas)
        super().__init__(spec, rng, adam(lr, betas), discriminator_optimizer=judges)
        self.pair = Pair(spec, latent, hidden, rng, activation=activation)

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against fake, shape (S,)."""
        return cross_entropy(*self.pair.both(batch, rng))

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns log(1 - D(G(z))), shape (S,)."""
        return -functional.softplus(self.pair.judged(batch, rng)).mean(-1)
