"""The GAN with hinge loss and spectral normalisation."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from genbench.core.allowed import Count, Decay, Positive, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.core.search import Choice
from genbench.families.adversarial import Pair, PairGame
from genbench.families.search import PERCEPTRON_GAME
from genbench.models.adversarial._spectral import SpectralMLP
from genbench.nn.optim import adam


@model("hinge_sn")
class HingeSN(PairGame):
    r"""Creates a GAN with hinge loss whose discriminator's layers have spectral norm one.

    .. math::
        L_D = E \max(0, 1 - d(x)) + E \max(0, 1 + d(G(z))), \qquad L_G = -E\,d(G(z))

    References:
        | Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018), section 2
        | https://arxiv.org/abs/1802.05957

    Differences: multi-layer perceptrons in place of convolutions. The discriminator's input is
    multiplied by 10 on points without a range: a 1-Lipschitz function cannot tell modes from their
    surroundings closer than the hinge's margin. The step size is 1e-3, for short budgets.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of both networks.
        scale: Multiplies the discriminator's input; None chooses 10 or 1 as said above.
        discriminator_steps: Updates of the discriminator for one of the generator.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
        beta2: Adam's second decay.
    """

    paper = "Miyato et al., 2018"
    year = 2018
    search = {
        **PERCEPTRON_GAME,
        "scale": Choice((None, 1.0, 2.0, 4.0)),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        scale: Positive | None = None,
        discriminator_steps: Count = 5,
        lr: Positive = 1e-3,
        beta1: Decay = 0.0,
        beta2: Decay = 0.9,
    ) -> None:
        super().__init__(spec, rng, adam(lr, (beta1, beta2)), steps=discriminator_steps)
        self.scale = scale if scale is not None else (10.0 if spec.range is None else 1.0)
        spectral = SpectralMLP(spec.size, 1, hidden, rng.fork("discriminator"), scale=self.scale)
        self.pair = Pair(spec, latent, hidden, rng, discriminator=spectral)

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the hinge loss of real against fake, shape (S,)."""
        real, fake = self.pair.both(batch, rng)
        return (functional.relu(1 - real) + functional.relu(1 + fake)).mean(-1)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns minus the discriminator's mean output on samples, shape (S,)."""
        return -self.pair.fake_logits(batch, rng).mean(-1)
