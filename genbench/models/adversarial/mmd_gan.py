"""The GAN whose critic learns the kernel of a two-sample test."""

from __future__ import annotations

from torch import nn

from genbench.core.allowed import Count, Positive, Scales, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.adversarial import Pair
from genbench.families.learnt_kernel import KERNEL_GAME, SIGMAS, LearntKernelGame
from genbench.families.search import SHAPES
from genbench.nn.mlp import MLP


@model("mmd_gan")
class MMDGAN(LearntKernelGame):
    """Creates a generator that lowers the MMD which a learnt feature map raises, as `LearntKernelGame` says.

    References:
        | MMD GAN: Towards Deeper Understanding of Moment Matching Network (Li et al., 2017), algorithm 1
        | https://arxiv.org/abs/1705.08584
        | Demystifying MMD GANs (Binkowski et al., 2018), section 2.2, for the penalty

    Differences: the gradient penalty takes the place of the clipped weights and, with it, of the
    one-sided feasibility term; the squared MMD that of its root; five updates of the critic from the
    first round on; a step size of 5e-4 in place of 5e-5, for short budgets; multi-layer perceptrons.
    The critic sees points in the plane times 4 (`scale`): the kernels' widths are fixed.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of all networks.
        features: The size of f's values.
        sigmas: The widths sigma of the kernels.
        penalty: The weight lambda.
        reconstruction: The weight alpha of the autoencoder's mean squared error per coordinate.
        scale: Multiplies the critic's input; None chooses 4 without a range, 1 otherwise.
        critic_steps: Updates of the critic for one of the generator.
        lr: RMSProp's step size, for both.
    """

    paper = "Li et al., 2017"
    year = 2017
    search = {**KERNEL_GAME, **SHAPES}

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        features: Count = 16,
        sigmas: Scales = SIGMAS,
        penalty: Weight = 1.0,
        reconstruction: Weight = 8.0,
        scale: Positive | None = None,
        critic_steps: Count = 5,
        lr: Positive = 5e-4,
    ) -> None:
        super().__init__(
            spec,
            rng,
            sigmas=sigmas,
            penalty=penalty,
            reconstruction=reconstruction,
            scale=scale,
            critic_steps=critic_steps,
            lr=lr,
        )
        encoder = MLP(spec.size, features, hidden, rng.fork("encoder"), activation="leaky_relu")
        decoder = MLP(features, spec.size, hidden, rng.fork("decoder"), activation="leaky_relu")
        self.pair = Pair(
            spec, latent, hidden, rng, discriminator=nn.ModuleList([encoder, decoder])
        )
