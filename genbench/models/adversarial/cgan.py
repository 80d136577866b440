"""The conditional GAN."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.adversarial import cross_entropy, non_saturating
from genbench.families.labels import ConditionalGame, labels_of, one_hot
from genbench.nn.joint import Generator, Reader
from genbench.nn.losses import r1, usual_penalty
from genbench.nn.optim import adam


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

    taxonomy = "implicit/direct"
    paper = "Mirza and Osindero, 2014"
    year = 2014

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: int | None = None,
        hidden: tuple[int, ...] = (128, 128),
        network: str = "mlp",
        width: int = 32,
        lr: float = 1e-3,
        beta1: float = 0.5,
        penalty: float | None = None,
    ) -> None:
        super().__init__(spec, rng, adam(lr, (beta1, 0.999)), latent=latent)
        self.penalty = usual_penalty(spec) if penalty is None else penalty
        shape = (hidden, width, network)
        inputs = self.latent + self.classes
        self.generator = Generator(spec, inputs, *shape, rng.fork("generator"))
        self.discriminator = Reader(
            spec, 1, *shape, rng.fork("discriminator"), beside=self.classes
        )

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy of real against fake with the same labels, shape (S,)."""
        real = self.known.minibatch(batch, rng)
        labels = labels_of(real)
        with torch.no_grad():
            fake = self.sample_class(labels, rng)
        loss = cross_entropy(self.logits(real.x, labels), self.logits(fake, labels))
        if self.penalty > 0:
            loss = loss + r1(lambda x: self.logits(x, labels), real.x, self.penalty)
        return loss

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D(G(z, y), y) for labels of real points, shape (S,)."""
        labels = labels_of(self.known.minibatch(batch, rng))
        return non_saturating(self.logits(self.sample_class(labels, rng), labels))

    def logits(self, x: Tensor, labels: Tensor) -> Tensor:
        """Returns the discriminator's logits, shape (S, B)."""
        return self.discriminator(x, one_hot(labels, self.classes, x)).squeeze(-1)
