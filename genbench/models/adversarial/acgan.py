"""The GAN with an auxiliary classifier."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Count, Decay, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Classifier, model
from genbench.core.rng import Rng
from genbench.core.search import Choice
from genbench.families.adversarial import cross_entropy, non_saturating
from genbench.families.labels import ConditionalGame, label_loss
from genbench.families.search import PERCEPTRON_GAME, R1
from genbench.nn.image import NetworkKind
from genbench.nn.losses import r1


@model("acgan")
class ACGAN(ConditionalGame, Classifier):
    r"""Creates a GAN whose discriminator also names the class, of real and of generated points.

    .. math::
        L_D = -E \log D(x) - E \log(1 - D(G(z, y))) - \lambda (E \log P(y|x) + E \log P(y|G(z, y))),
        \qquad L_G = -E \log D(G(z, y)) - \lambda E \log P(y|G(z, y))

    The classifier is the discriminator's other head. Labels of generated points are drawn uniformly;
    real points whose label is hidden count for D alone, and labelled ones are drawn apart.

    References:
        | Conditional Image Synthesis with Auxiliary Classifier GANs (Odena et al., 2017), section 3
        | https://arxiv.org/abs/1610.09585

    Differences: multi-layer perceptrons or small convolutional networks without dropout; a gradient
    penalty on real points (Mescheder et al., 2018), without which small networks collapse.

    Arguments:
        latent: The dimension of the noise z; None takes 2 for points in the plane, 64 otherwise.
        hidden: The widths of the hidden layers of both networks.
        network: `mlp`, or `conv` for images.
        width: The channels of convolutional networks.
        class_weight: The weight lambda of the class terms.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
        penalty: The weight gamma of the discriminator's squared slope at real points, gamma/2 times it;
            None takes 0.1 without a range and 0.25 with one; 0 leaves it out, as the paper does.
    """

    paper = "Odena et al., 2017"
    year = 2017
    search = {
        **PERCEPTRON_GAME,
        **R1,
        "class_weight": Choice((0.3, 1.0, 3.0)),
    }
    names_class = True

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        network: NetworkKind = "mlp",
        width: Count = 32,
        class_weight: Weight = 1.0,
        lr: Positive = 1e-3,
        beta1: Decay = 0.5,
        penalty: Weight | None = None,
    ) -> None:
        super().__init__(
            spec,
            rng,
            latent=latent,
            hidden=hidden,
            network=network,
            width=width,
            lr=lr,
            beta1=beta1,
            penalty=penalty,
        )
        self.class_weight = class_weight

    def classify(self, x: Tensor) -> Tensor:
        """Returns class logits, shape (S, B, classes)."""
        return self.discriminator(x)[..., 1:]

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropies of source and class, shape (S,)."""
        labels = rng.integers(self.classes, batch.x.shape[1])
        with torch.no_grad():
            fake = self.sample_class(labels, rng)
        on_real, on_fake = self.discriminator(batch.x), self.discriminator(fake)
        labelled = self.labelled.minibatch(batch, rng)
        logits = on_real[..., 1:] if labelled is batch else self.classify(labelled.x)
        assert labelled.labels is not None
        classes = label_loss(logits, labelled.labels) + label_loss(on_fake[..., 1:], labels)
        loss = cross_entropy(on_real[..., 0], on_fake[..., 0]) + self.class_weight * classes
        return loss + r1(lambda x: self.discriminator(x)[..., 0], batch.x, self.penalty)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns -log D and the class's cross-entropy at generated points, shape (S,)."""
        labels = rng.integers(self.classes, batch.x.shape[1])
        outputs = self.discriminator(self.sample_class(labels, rng))
        classes = label_loss(outputs[..., 1:], labels)
        return non_saturating(outputs[..., 0]) + self.class_weight * classes
