"""The GAN whose generator looks ahead at the discriminator's steps."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.func import functional_call

from genbench.core.allowed import Amount, Count, Decay, Positive, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.core.search import LogUniform
from genbench.families.adversarial import Pair, PairGame, adams, cross_entropy
from genbench.families.search import PERCEPTRON_GAME


@model("unrolled_gan")
class UnrolledGAN(PairGame):
    r"""Creates a GAN whose generator meets the discriminator as it will be K steps on.

    .. math::
        L_G = -L_D(\theta_G, \theta_D^K), \qquad
        \theta_D^0 = \theta_D, \quad \theta_D^{k+1} = \theta_D^k - \eta\,\nabla L_D(\theta_G, \theta_D^k)

    References:
        | Unrolled Generative Adversarial Networks (Metz et al., 2017), section 2.2
        | https://arxiv.org/abs/1611.02163

    Differences: the steps looked ahead are plain gradient descent on one minibatch, while the
    discriminator itself moves by Adam; ReLU networks of equal size and noise in the plane.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of both networks.
        unroll: The number K of steps looked ahead; 0 is the zero-sum game.
        inner_lr: The step size eta of the steps looked ahead.
        activation: That of both networks; None takes ReLU in the generator and leaky ReLU in the
            discriminator.
        lr: Adam's step size, the generator's.
        discriminator_lr: The discriminator's, slower as in the paper's mixtures: at the same pace it
            wins, and a zero-sum generator then learns nothing. None takes the same.
        beta1: Adam's first decay.
    """

    version = 2
    paper = "Metz et al., 2017"
    year = 2017
    search = {
        **PERCEPTRON_GAME,
        "inner_lr": LogUniform(0.01, 0.5),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        unroll: Amount = 5,
        inner_lr: Positive = 0.1,
        activation: Literal["relu", "leaky_relu", "tanh"] | None = None,
        lr: Positive = 1e-3,
        discriminator_lr: Positive | None = 1e-4,
        beta1: Decay = 0.5,
    ) -> None:
        super().__init__(spec, rng, *adams(lr, discriminator_lr, beta1))
        self.unroll, self.inner_lr = unroll, inner_lr
        self.pair = Pair(spec, latent, hidden, rng, activation=activation)

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against fake, shape (S,)."""
        return cross_entropy(*self.pair.both(batch, rng))

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns minus the loss of the discriminator K steps on, differentiable through them, (S,)."""
        pair = self.pair
        real, fake = pair.inputs(batch.x), pair.inputs(pair.sample(batch.x.shape[1], rng))
        weights: dict[str, Tensor] = dict(pair.discriminator.named_parameters())
        for _ in range(self.unroll):
            loss = self.loss_with(weights, real, fake).sum()
            slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
            weights = {
                name: weight - self.inner_lr * slope
                for (name, weight), slope in zip(weights.items(), slopes, strict=True)
            }
        return -self.loss_with(weights, real, fake)

    def loss_with(self, weights: dict[str, Tensor], real: Tensor, fake: Tensor) -> Tensor:
        """Returns the loss of a discriminator of given weights on its inputs, shape (S,)."""
        both = torch.cat([real, fake], dim=1)
        logits = functional_call(self.pair.discriminator, weights, (both,)).squeeze(-1)
        return cross_entropy(logits[:, : real.shape[1]], logits[:, real.shape[1] :])
