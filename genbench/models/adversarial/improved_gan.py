"""The semi-supervised GAN with feature matching."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.allowed import Count, Decay, Deviations, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Classifier, Model, Player, model
from genbench.core.rng import Rng
from genbench.core.search import Choice
from genbench.families.labels import LabelledPoints, label_loss
from genbench.families.search import game_space
from genbench.models.adversarial._noisy import NoisyMLP, NormMLP
from genbench.nn.mlp import flat
from genbench.nn.optim import adam
from genbench.nn.output import centred, code_size, into_range, noise_size, only_continuous


@model("improved_gan")
class ImprovedGAN(Model, Classifier):
    r"""Creates a GAN whose discriminator tells K classes of real points and, as one more, generated ones.

    .. math::
        p(\text{real}|x) = \frac{Z(x)}{1 + Z(x)}, \quad Z = \sum_k e^{l_k(x)}, \qquad
        L_D = -E \log p(y|x, \text{real}) - \frac{w}{2} E \log p(\text{real}|x)
              - \frac{w}{2} E \log p(\text{fake}|G(z)), \\
        L_G = \|E f(x) - E f(G(z))\|^2 / \dim f

    with f the last hidden layer (feature matching); the logit of "generated" is fixed at 0. Labelled
    points are drawn apart, so that few of them do not mean few a minibatch. With w = 0 (`unlabelled`) the
    same network learns from the labels alone. Without labels K is 1 and D plain.

    References:
        | Improved Techniques for Training GANs (Salimans et al., 2016), sections 3.1 and 5, and the
        | authors' code for MNIST
        | https://arxiv.org/abs/1606.03498

    Differences: narrower networks (1000-500-250-250-250 and 500-500 there); a faster running average
    (0.9999 there); plain weights in the generator's last layer; the step size falls to zero over the
    second half of the budget.

    Arguments:
        latent: The dimension of the noise z, uniform on [0, 1]; None takes 2 in the plane, 64 otherwise.
        hidden: The widths of the discriminator's hidden layers.
        generator: The widths of the generator's.
        noise: The noise's deviations on the discriminator's input and hidden layers.
        normalised: Whether the discriminator's weights are normalised.
        unlabelled: The weight w.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
        average: The decay of the discriminator's running average for evaluation, or None.
    """

    taxonomy = "implicit/direct"
    paper = "Salimans et al., 2016"
    year = 2016
    search = {
        **game_space(),
        "hidden": Choice(((250, 250, 250), (192, 192, 192, 192))),
        "beta1": Choice((0.0, 0.5, 0.9)),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (250, 250, 250),
        generator: Widths = (250, 250),
        noise: Deviations = (0.3, 0.5),
        normalised: bool = True,
        unlabelled: Weight = 1.0,
        lr: Positive = 3e-3,
        beta1: Decay = 0.5,
        average: Decay | None = 0.999,
    ) -> None:
        super().__init__(spec, rng)
        self.unlabelled, self.lr, self.beta1, self.average = unlabelled, lr, beta1, average
        self.latent = code_size(latent, noise_size(spec))
        self.generator = NormMLP(self.latent, spec.size, generator, rng.fork("generator"))
        self.discriminator = NoisyMLP(
            spec.size,
            spec.classes or 1,
            hidden,
            rng.fork("discriminator"),
            noise=noise,
            normalised=normalised,
        )
        self.labelled = LabelledPoints()

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points have no gradient for the generator."""
        return only_continuous(spec)

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Keeps the labelled points, where most are not."""
        self.labelled.keep(batch)

    def players(self) -> tuple[Player, ...]:
        """The discriminator, then the generator."""
        optimizer = adam(self.lr, (self.beta1, 0.999))
        return (
            Player(
                "discriminator",
                self.discriminator,
                self.discriminator_loss,
                optimizer,
                schedule=late_decay,
                average=self.average,
            ),
            Player(
                "generator", self.generator, self.generator_loss, optimizer, schedule=late_decay
            ),
        )

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns G(z), shape (S, n, *event)."""
        x = into_range(self.generator(rng.uniform(n, self.latent)), self.spec)
        return x.unflatten(-1, self.spec.event)

    def classify(self, x: Tensor) -> Tensor:
        """Returns class logits, shape (S, B, classes), without noise in evaluation mode."""
        return self.read(x, Rng([0] * self.seeds, device=x.device, dtype=x.dtype))[0]

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropies of class and source, shape (S,)."""
        loss = batch.x.new_zeros(self.seeds)
        if self.spec.classes is not None:
            named = self.labelled.minibatch(batch, rng)
            assert named.labels is not None
            loss = loss + label_loss(self.read(named.x, rng)[0], named.labels)
        if self.unlabelled == 0 and self.spec.classes is not None:
            return loss
        with torch.no_grad():
            generated = self.sample(batch.x.shape[1], rng)
        real, fake = (self.read(x, rng)[0].logsumexp(-1) for x in (batch.x, generated))
        source = functional.softplus(-real) + functional.softplus(fake)
        return loss + self.unlabelled * 0.5 * source.mean(-1)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean squared distance of the features' means, shape (S,)."""
        fake = self.sample(batch.x.shape[1], rng)
        with torch.no_grad():
            real = self.read(batch.x, rng)[1].mean(1)
        return (self.read(fake, rng)[1].mean(1) - real).square().mean(-1)

    def read(self, x: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns the discriminator's logits (S, B, K) and its last hidden layer."""
        return self.discriminator(flat(centred(x, self.spec)), rng)


def late_decay(progress: float) -> float:
    """Returns a factor that is 1 for half of the budget and then falls to 0."""
    return min(1.0, 2.0 - 2.0 * min(progress, 1.0))
