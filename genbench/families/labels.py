"""Labels as networks take them, also where most of them are hidden (-1); games given labels."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.allowed import Count, Decay, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import ContractError
from genbench.core.model import Batch, Conditional
from genbench.core.rng import Rng
from genbench.families.adversarial import Game
from genbench.nn.image import NetworkKind
from genbench.nn.joint import Generator, PointEncoder
from genbench.nn.losses import usual_penalty
from genbench.nn.optim import adam
from genbench.nn.output import code_size, noise_size


class LabelledPoints(nn.Module):
    """Keeps the labelled points of a training set of which most labels are hidden.

    Where labels are few a random minibatch holds hardly any; models that learn from labels then draw
    minibatches of labelled points beside it. Where nothing is hidden nothing is kept.

    References:
        | Improved Techniques for Training GANs (Salimans et al., 2016), authors' code: as many labelled
        | as unlabelled points in every minibatch
    """

    x: Tensor
    labels: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("x", torch.zeros(0), persistent=False)
        self.register_buffer("labels", torch.zeros(0, dtype=torch.int64), persistent=False)

    def keep(self, training: Batch) -> None:
        """Takes the labelled points of what `Model.prepare` sees, equally many of every seed."""
        labels = training.labels
        if labels is None or bool((labels >= 0).all()):
            return
        rows = (labels >= 0).nonzero()[:, 1].view(len(labels), -1)
        self.x = torch.stack([x[row] for x, row in zip(training.x, rows, strict=True)])
        self.labels = labels.gather(1, rows)

    def minibatch(self, batch: Batch, rng: Rng) -> Batch:
        """Returns as many labelled points as the minibatch has: itself, where nothing is hidden."""
        if not len(self.labels):
            return batch
        rows = rng.integers(self.labels.shape[1], batch.x.shape[1])
        x = torch.stack([x[row] for x, row in zip(self.x, rows, strict=True)])
        return Batch(x, self.labels.gather(1, rows), batch.progress)


class ConditionalGame(Game, Conditional):
    """The skeleton of games whose generator is given a label beside its noise: all but the losses.

    Arguments:
        spec: The data.
        rng: Draws the initial weights.
        latent: The dimension of the noise; None takes `noise_size`.
        hidden: The widths of the hidden layers of both networks.
        network: `mlp`, or `conv` for images.
        width: The channels of convolutional networks.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
        penalty: The weight of `r1`; None takes `usual_penalty`.
    """

    #: whether the discriminator has an output a class; else it is given the label
    names_class: ClassVar[bool]
    #: the classes that samples are of
    support: Tensor

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        latent: Count | None = None,
        hidden: Widths = (128, 128),
        network: NetworkKind = "mlp",
        width: Count = 32,
        lr: Positive = 1e-3,
        beta1: Decay = 0.5,
        penalty: Weight | None = None,
    ) -> None:
        super().__init__(spec, rng, adam(lr, (beta1, 0.999)))
        self.penalty = usual_penalty(spec) if penalty is None else penalty
        self.latent, self.classes = code_size(latent, noise_size(spec)), spec.classes or 0
        self.labelled = LabelledPoints()
        self.register_buffer("support", torch.arange(self.classes), persistent=False)
        shape = (hidden, width, network)
        inputs = self.latent + self.classes
        self.generator = Generator(spec, inputs, *shape, rng.fork("generator"))
        outputs, beside = (1 + self.classes, 0) if self.names_class else (1, self.classes)
        self.discriminator = PointEncoder(
            spec, outputs, *shape, rng.fork("discriminator"), beside=beside
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """There must be labels, and discrete points have no gradient for the generator."""
        return needs_labels(spec) or super().refuses(spec)

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Keeps the labelled points, where most are not, and notes which classes there are."""
        self.labelled.keep(batch)
        self.support = list_classes(batch, self.support)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns points of labels drawn uniformly from those of training points, shape (S, n, *event)."""
        return self.sample_class(self.support[rng.integers(len(self.support), n)], rng)

    def sample_class(self, labels: Tensor, rng: Rng) -> Tensor:
        """Returns G(z, y), one point per label, shape (S, n, *event)."""
        z = rng.normal(labels.shape[1], self.latent)
        return self.generator(torch.cat([z, one_hot(labels, self.classes, z)], dim=-1))


def list_classes(training: Batch, classes: Tensor) -> Tensor:
    """Returns those of all classes, shape (C,), that a training set has; all, where labels are hidden.

    A generator has learnt nothing of the others, whose samples would be noise.
    """
    labels = training.labels
    if labels is None or bool((labels < 0).any()):  # seeds may see different ones
        return classes
    return labels[0].unique()


def labels_of(batch: Batch) -> Tensor:
    """Returns a minibatch's labels, shape (S, B).

    Raises:
        ContractError: If it has none, or (looked for on a CPU alone) hidden ones.
    """
    # on an accelerator a look at the labels would wait for it in every round
    if batch.labels is None or (batch.labels.device.type == "cpu" and (batch.labels < 0).any()):
        got = "none" if batch.labels is None else "hidden ones"
        raise ContractError(
            f"a conditional model needs the labels of a minibatch, got {got}; "
            f"keep the labelled points in prepare and draw from them"
        )
    return batch.labels


def one_hot(labels: Tensor, classes: int, like: Tensor) -> Tensor:
    """Returns indicators (S, B, classes) of labels (S, B), in the type of another tensor."""
    return functional.one_hot(labels, classes).to(like)


def label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Returns the cross-entropy of class logits (S, B, classes) in nats, shape (S,).

    Points whose label is hidden do not count; a seed whose minibatch has none gets 0.
    """
    log_prob = logits.log_softmax(-1).gather(-1, labels.clamp_min(0).unsqueeze(-1)).squeeze(-1)
    labelled = (labels >= 0).to(logits)
    return -(log_prob * labelled).sum(-1) / labelled.sum(-1).clamp_min(1)


def needs_labels(spec: DataSpec) -> str | None:
    """Returns why a model of points given their labels refuses data, or None if it does not."""
    if spec.classes is None:
        return f"needs labels, {spec.name} has none"
    return None
