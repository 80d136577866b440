"""The conditional GAN."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.adversarial import cross_entropy, non_saturating
from genbench.families.labels import ConditionalGame, labels_of, one_hot
from genbench.families.search import PERCEPTRON_GAME, R1
from genbench.nn.losses import r1


@model("cgan")
class CGAN(ConditionalGame):
    r"""Creates a conditional GAN: both networks see the label.

    .. math::
        L_D = -E \log D(x, y) - E \log(1 - D(G(z, y), y)), \qquad L_G = -E \log D(G(z, y), y)

    `sample` draws labels uniformly. Points whose label is hidden are not learnt from.

    References:
        | Conditional Generative Adversarial Nets (Mirza and Osindero, 2014), section 3.2
        | https://arxiv.org/abs/1411.1784

    Differences: labels as indicators beside the input in place of layers of their own; leaky ReLU and
    Adam in place of maxout, dropout and SGD with momentum; Gaussian noise; the non-saturating loss; a
    gradient penalty on real points (Mescheder et al., 2018), without which small networks collapse.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of both networks.
        network: `mlp`, or `conv` for images.
        width: The channels of convolutional networks.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
        penalty: The weight gamma of the discriminator's squared slope at real points, gamma/2 times it;
            None takes 0.1 without a range and 0.25 with one; 0 leaves it out, as the paper does.
    """

    paper = "Mirza and Osindero, 2014"
    year = 2014
    search = {**PERCEPTRON_GAME, **R1}
    names_class = False

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against fake with the same labels, shape (S,)."""
        real = self.labelled.minibatch(batch, rng)
        labels = labels_of(real)
        with torch.no_grad():
            fake = self.sample_class(labels, rng)
        loss = cross_entropy(self.logits(real.x, labels), self.logits(fake, labels))
        return loss + r1(lambda x: self.logits(x, labels), real.x, self.penalty)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D(G(z, y), y) for labels of real points, shape (S,)."""
        labels = labels_of(self.labelled.minibatch(batch, rng))
        return non_saturating(self.logits(self.sample_class(labels, rng), labels))

    def logits(self, x: Tensor, labels: Tensor) -> Tensor:
        """Returns the discriminator's logits, shape (S, B)."""
        return self.discriminator(x, one_hot(labels, self.classes, x)).squeeze(-1)
