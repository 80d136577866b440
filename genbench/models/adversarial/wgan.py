"""The Wasserstein GAN with clipped weights."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Count, Positive, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.core.search import LogUniform
from genbench.families.adversarial import CriticGame, Pair
from genbench.families.search import SHAPES, game_space
from genbench.nn.optim import rmsprop


@model("wgan")
class WGAN(CriticGame):
    r"""Creates a Wasserstein GAN whose critic is kept Lipschitz by clipping its weights.

    .. math::
        L_C = E\,C(G(z)) - E\,C(x), \quad |w| \le c, \qquad L_G = -E\,C(G(z))

    References:
        | Wasserstein GAN (Arjovsky et al., 2017), algorithm 1
        | https://arxiv.org/abs/1701.07875

    Differences: weights are clipped at 0.1 on points without a range, 0.01 elsewhere as in the
    paper; a step size of 5e-4 in place of 5e-5, for short budgets; multi-layer perceptrons.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of both networks.
        clip: The largest size c of the critic's weights and biases; None chooses as said above.
        critic_steps: Updates of the critic for one of the generator.
        lr: RMSProp's step size, for both.
    """

    paper = "Arjovsky et al., 2017"
    year = 2017
    search = {
        **game_space("critic", 5e-5, 5e-3),
        **SHAPES,
        "clip": LogUniform(0.005, 0.3),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        clip: Positive | None = None,
        critic_steps: Count = 5,
        lr: Positive = 5e-4,
    ) -> None:
        super().__init__(spec, rng, rmsprop(lr), steps=critic_steps)
        self.clip = clip if clip is not None else (0.1 if spec.range is None else 0.01)
        self.pair = Pair(spec, latent, hidden, rng)

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns minus the estimated Wasserstein distance, up to a factor, shape (S,)."""
        real, fake = self.pair.both(batch, rng)
        return (fake - real).mean(-1)

    @torch.no_grad()
    def project(self) -> None:
        """Brings the critic's weights and biases into [-clip, clip]."""
        for p in self.pair.discriminator.parameters():
            p.clamp_(-self.clip, self.clip)
