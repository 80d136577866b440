"""The GAN of waves: convolutions in one dimension."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from genbench.core.allowed import Count, Decay, Positive, Several, Weight
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Inpainter, model
from genbench.core.rng import Rng
from genbench.families.adversarial import NonSaturatingGame, Pair
from genbench.families.search import ADAM_GAME, R1
from genbench.nn.mlp import Linear
from genbench.nn.optim import adam
from genbench.nn.output import only_continuous

#: fewer samples than this are points, not waves
SHORTEST = 16


class WaveStack(nn.Module):
    """Creates S stacks of convolutions over frames, which map waves to waves of as many samples.

    A frame is `stride` samples, so that a convolution over frames is one over samples with that stride. It is
    made as a matrix product of every frame with its neighbours, which is one call for all seeds.

    Arguments:
        stride: Samples of a frame.
        outputs: Numbers of a frame of the output.
        width: The channels of hidden layers.
        depth: How many layers there are.
        taps: Frames that a kernel sees.
        rng: Draws the weights.
    """

    def __init__(
        self, stride: int, outputs: int, width: int, depth: int, taps: int, rng: Rng
    ) -> None:
        super().__init__()
        self.stride, self.taps = stride, taps
        sizes = [stride, *(width for _ in range(depth - 1)), outputs]
        self.layers = nn.ModuleList(
            Linear(taps * a, b, rng.fork("layer", i)) for i, (a, b) in enumerate(pairwise(sizes))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps waves (S, B, frames stride) to (S, B, frames, outputs); zeros stand beyond the ends."""
        x = x.unflatten(-1, (-1, self.stride))
        for i, layer in enumerate(self.layers):
            x = functional.leaky_relu(x, 0.2) if i else x
            reach = self.taps // 2
            near = functional.pad(x, (0, 0, reach, reach)).unfold(2, self.taps, 1).flatten(3)
            x = layer(near.flatten(1, 2)).unflatten(1, x.shape[1:3])
        return x


class WaveGenerator(WaveStack):
    """Creates S generators: noise as long as the wave, shaped by convolutions."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps noise (S, B, D) to real numbers of the same shape."""
        return super().forward(x).flatten(2)


class WaveCritic(WaveStack):
    """Creates S discriminators: the mean over all frames of what a stack makes of each."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps waves (S, B, D) to numbers (S, B, 1)."""
        return super().forward(x).mean(2)


@model("wavegan")
class WaveGAN(NonSaturatingGame, Inpainter):
    r"""Creates a GAN whose networks are strided convolutions in one dimension, for waves.

    .. math::
        L_D = -E \log D(x) - E \log(1 - D(G(z))) + \tfrac\gamma2 E\|\nabla d(x)\|^2, \qquad
        L_G = -E \log D(G(z))

    References:
        | Adversarial Audio Synthesis (Donahue et al., 2019), section 3
        | https://arxiv.org/abs/1802.04208

    Differences: all layers are convolutions over frames of a few samples, in place of five that grow by
    four each, so that one network does for any length; noise has as many numbers as the wave has samples;
    the discriminator's output is a mean over frames; R1 in place of the gradient penalty of WGAN-GP, and
    neither phase shuffle nor a filter after the generator.

    Arguments:
        width: The channels of hidden layers of both networks.
        depth: How many layers each has.
        taps: Frames that a kernel sees, an odd number.
        stride: Samples of a frame; it divides the wave's.
        penalty: The weight gamma.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
    """

    paper = "Donahue et al., 2019"
    year = 2019
    search = {**ADAM_GAME, **R1}

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        width: Count = 32,
        depth: Several = 4,
        taps: Count = 3,
        stride: Count = 8,
        penalty: Weight = 1.0,
        lr: Positive = 1e-3,
        beta1: Decay = 0.5,
    ) -> None:
        if spec.size % stride or depth < 2 or taps % 2 == 0:
            raise SpecError(
                f"wavegan needs a stride that divides the {spec.size} samples of {spec.name}, two layers "
                f"and an odd number of taps, got stride={stride}, depth={depth} and taps={taps}; "
                "the usual are 8, 4 and 3"
            )
        super().__init__(spec, rng, adam(lr, (beta1, 0.999)))
        self.penalty = penalty
        self.pair = Pair(
            spec,
            spec.size,
            (),
            rng,
            generator=WaveGenerator(stride, stride, width, depth, taps, rng.fork("generator")),
            discriminator=WaveCritic(stride, 1, width, depth, taps, rng.fork("discriminator")),
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Waves are long vectors of numbers."""
        if len(spec.event) != 1 or spec.size < SHORTEST:
            return f"needs waves of {SHORTEST} samples or more, {spec.name} has points of shape {spec.event}"
        return only_continuous(spec)

    def inpaint(self, x: Tensor, observed: Tensor, rng: Rng) -> Tensor:
        """Returns completions by a search over the noise, shape (S, B, *event)."""
        return self.pair.inpaint(x, observed, rng)
