"""Games whose critic learns the kernel of a two-sample test."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch
from genbench.core.rng import Rng
from genbench.core.search import LogUniform, Space
from genbench.families.adversarial import PairGame
from genbench.families.search import game_space
from genbench.nn.kernels import gaussian_sum, squared_mmd
from genbench.nn.losses import between, slopes
from genbench.nn.optim import rmsprop

#: widths of the kernels, as in Li et al.
SIGMAS = (1.0, 2.0, 4.0, 8.0, 16.0)
#: what is searched of every game of the kind
KERNEL_GAME: Space = {
    **game_space("critic", 5e-5, 5e-3),
    "penalty": LogUniform(0.1, 10.0),
    "reconstruction": LogUniform(1.0, 16.0),
}


class LearntKernelGame(PairGame):
    r"""The skeleton of MMD-GANs: a generator lowers the MMD which a learnt feature map f raises.

    .. math::
        k(a, b) = \sum_\sigma e^{-\|f(a) - f(b)\|^2 / 2\sigma^2}, \qquad
        L_G = M(x, G(z)) = \overline{k(x, x')} + \overline{k(y, y')} - 2\,\overline{k(x, y)},
        \\ L_C = -M + \lambda\,E(\|\nabla w(\hat x)\| - 1)^2
            + \alpha\,E\|h(f(\cdot)) - \cdot\|^2, \qquad w(a) = \overline{k(a, x)} - \overline{k(a, y)}

    M is the biased squared MMD of a minibatch, a point with itself included. The decoder h keeps f
    injective on real and generated points; the penalty keeps the witness w of slope one between them.
    A concrete model builds `pair`, whose discriminator is a list of f and h.

    References:
        | MMD GAN: Towards Deeper Understanding of Moment Matching Network (Li et al., 2017), algorithm 1
        | https://arxiv.org/abs/1705.08584
        | Demystifying MMD GANs (Binkowski et al., 2018), section 2.2, for the penalty

    Arguments:
        spec: The data.
        rng: Draws the initial weights.
        sigmas: The widths sigma of the kernels.
        penalty: The weight lambda.
        reconstruction: The weight alpha of the autoencoder's mean squared error per coordinate.
        scale: Multiplies the critic's input; None chooses 4 without a range, 1 otherwise.
        critic_steps: Updates of the critic for one of the generator.
        lr: RMSProp's step size, for both.
    """

    discriminator_name = "critic"

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        sigmas: tuple[float, ...],
        penalty: float,
        reconstruction: float,
        scale: float | None,
        critic_steps: int,
        lr: float,
    ) -> None:
        super().__init__(spec, rng, rmsprop(lr), steps=critic_steps)
        if not sigmas:
            raise SpecError(f"{self.name} needs sigmas, got none; give at least one")
        self.sigmas, self.penalty, self.reconstruction = sigmas, penalty, reconstruction
        self.scale = scale if scale is not None else (4.0 if spec.range is None else 1.0)

    def features(self, x: Tensor) -> Tensor:
        """Returns f of the critic's inputs, (S, B, …) to (S, B, F)."""
        return self.pair.discriminator[0](x * self.scale)  # type: ignore[index]

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns minus the squared MMD, plus penalty and reconstruction error, shape (S,)."""
        real = self.pair.inputs(batch.x)
        fake = self.pair.inputs(self.pair.fakes(batch, rng))
        codes = self.features(real), self.features(fake)
        loss = -squared_mmd(*codes, self.sigmas)
        if self.penalty:
            fixed = [code.detach() for code in codes]
            slope = slopes(lambda x: self.witness(x, *fixed), between(real, fake, rng))
            loss = loss + self.penalty * (slope - 1).square().mean(-1)
        for points, code in zip((real, fake), codes, strict=True):
            error = self.pair.discriminator[1](code) - points  # type: ignore[index]
            loss = loss + self.reconstruction * error.square().mean(tuple(range(1, error.dim())))
        return loss

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the squared MMD of the critic's features, shape (S,)."""
        fake = self.pair.inputs(self.sample(batch.x.shape[1], rng))
        with torch.no_grad():
            real = self.features(self.pair.inputs(batch.x))
        return squared_mmd(real, self.features(fake), self.sigmas)

    def witness(self, x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """Returns how much nearer the critic's inputs (S, B, …) are to real than fake codes, (S, B)."""
        both = torch.cat([real, fake], dim=1)
        near = gaussian_sum(self.features(x), both, self.sigmas)
        return near[..., : real.shape[1]].mean(-1) - near[..., real.shape[1] :].mean(-1)
