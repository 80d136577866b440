"""The Wasserstein GAN with gradient penalty."""

from __future__ import annotations

from torch import Tensor

from genbench.core.allowed import Count, Decay, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.core.search import LogUniform
from genbench.families.adversarial import CriticGame, Pair
from genbench.families.search import SHAPES, game_space
from genbench.nn.losses import between, slopes
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam, linear_decay


@model("wgan_gp")
class WGANGP(CriticGame):
    r"""Creates a Wasserstein GAN whose critic is held 1-Lipschitz by a gradient penalty.

    .. math::
        L_C = E\,C(G(z)) - E\,C(x) + \lambda\,E(\|\nabla C(\hat x)\| - 1)^2, \qquad L_G = -E\,C(G(z))

    References:
        | Improved Training of Wasserstein GANs (Gulrajani et al., 2017), algorithm 1
        | https://arxiv.org/abs/1704.00028

    Differences: the penalty is 0.1 on points without a range, as in the authors' toy code, and 10
    elsewhere; the step size falls linearly to zero over the budget, as in their CIFAR-10 runs, on
    every data set; narrower networks.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of both networks.
        penalty: The weight lambda; None chooses 0.1 or 10 as said above.
        critic_steps: Updates of the critic for one of the generator.
        lr: Adam's step size, for both.
        average: The decay of the generator's running average for evaluation, or None.
    """

    paper = "Gulrajani et al., 2017"
    year = 2017
    search = {
        **game_space("critic"),
        **SHAPES,
        "penalty": LogUniform(0.1, 20.0),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        penalty: Weight | None = None,
        critic_steps: Count = 5,
        lr: Positive = 1e-3,
        average: Decay | None = None,
    ) -> None:
        super().__init__(
            spec,
            rng,
            adam(lr, (0.0, 0.9)),
            steps=critic_steps,
            schedule=linear_decay(),
            average=average,
        )
        self.penalty = penalty if penalty is not None else (0.1 if spec.range is None else 10.0)
        critic = MLP(spec.size, 1, hidden, rng.fork("critic"), activation="leaky_relu")
        self.pair = Pair(spec, latent, hidden, rng, discriminator=critic)

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns minus the estimated Wasserstein distance plus the penalty, shape (S,)."""
        fake = self.pair.fakes(batch, rng)
        slope = slopes(self.pair.logits, between(batch.x, fake, rng))
        gap = self.pair.logits(fake) - self.pair.logits(batch.x)
        return (gap + self.penalty * (slope - 1).square()).mean(-1)
