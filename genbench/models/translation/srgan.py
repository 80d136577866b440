"""Super-resolution against a discriminator."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from genbench.core.allowed import Amount, Count, Decay, Positive, Weight
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.core.search import LogUniform
from genbench.families.adversarial import cross_entropy, non_saturating
from genbench.families.search import game_space
from genbench.families.super_resolution import Enlarger
from genbench.families.translation import source_in
from genbench.families.translation_game import TranslationGame
from genbench.nn.losses import r1
from genbench.nn.optim import adam
from genbench.nn.perceptual import unit_vectors

#: the share of the budget after which the discriminator plays
SWITCH = 0.5


@model("srgan")
class SRGAN(Enlarger, TranslationGame):
    r"""Creates SRResNet, trained by squared error first and then by its content and a discriminator.

    .. math::
        L_G = w \, d(x, G(s)) - \lambda E \log D(G(s)), \qquad
        L_D = -E \log D(x) - E \log(1 - D(G(s)))

    The content's error d is the squared error, or the squared distance between hidden images of a trained
    network (`perceptual`) or of the discriminator itself (`adaptive`). Its weight w is measured when the
    discriminator enters, once per seed, so that the gradient of w d at the output is as large as the squared
    error's; it is the buffer `content_weight`, which records hold (`learnt`).

    References:
        | Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network (Ledig et al.,
        | 2017), equation 3 and section 3.2
        | https://arxiv.org/abs/1609.04802
        | Deep Identity-aware Transfer of Facial Attributes (Li et al., 2016), section 3.2, for content by the
        | discriminator's own hidden images

    Differences: those of `srresnet`; the discriminator has two strides, no normalisation, and a gradient
    penalty on real points (Mescheder et al., 2018); made images get the noise of the real ones' grey levels
    before it sees them, or few levels would give real images away; half of the rounds are the squared
    error's; the content's weight is measured, where the paper divides VGG's hidden images by 12.75.

    Arguments:
        content: `mse`, `perceptual` or `adaptive`.
        judge: `image` sees the image alone, as in the paper, `pair` its source beside.
        adversary: The weight lambda of the discriminator, beside a mean squared error in units of half the
            range; the paper has 1e-3 beside an error of VGG-19's hidden images over 12.75 squared.
        noise: The dimension of the noise beside the source, 0 for none as in the paper.
        width: The channels of hidden images; the paper has 64.
        blocks: The number of residual blocks; the paper has 16.
        vgg: A file of VGG-19's weights, by torchvision's names, for perceptual content; None takes
            EfficientNet-Lite0.
        side: The height and width at which perceptual content looks; None leaves images as they are.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
        penalty: The weight gamma of the discriminator's squared slope at real points; None takes
            `usual_penalty`.
    """

    taxonomy = "implicit/direct"
    paper = "Ledig et al., 2017"
    year = 2017

    recorded = ("content_weight",)
    search = {**game_space(), "adversary": LogUniform(2e-3, 0.2)}

    content_weight: Tensor

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        content: Literal["mse", "perceptual", "adaptive"] = "mse",
        judge: Literal["image", "pair"] = "image",
        adversary: Weight = 0.02,
        noise: Amount = 0,
        width: Count = 16,
        blocks: Amount = 4,
        vgg: str | None = None,
        side: Count | None = None,
        lr: Positive = 1e-3,
        beta1: Decay = 0.9,
        penalty: Weight | None = None,
    ) -> None:
        super().__init__(
            spec,
            rng,
            judge=judge,
            patch=None,
            penalty=penalty,
            optimizer=adam(lr, (beta1, 0.999)),
            network="enlarging",
            hidden=(),
            width=width,
            blocks=blocks,
            noise=noise,
            logistic=False,
        )
        self.content, self.adversary = content, adversary
        self.perceptual = self.look_through(vgg, side) if content == "perceptual" else None
        ones = torch.ones(self.seeds, device=rng.device, dtype=rng.dtype)
        self.register_buffer("content_weight", ones * (content == "mse"))
        #: whether this process has measured the weight, or read it from a state
        self.measured = content == "mse"

    def discriminator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the cross-entropy plus the penalty, shape (S,); 0 before the discriminator enters."""
        if batch.progress < SWITCH:
            return self.rest(batch)
        source = source_in(batch)
        with torch.no_grad():
            fake = self.with_levels(self.output(source, rng), rng)
        loss = cross_entropy(self.logits(batch.x, source), self.logits(fake, source))
        return loss + r1(lambda x: self.discriminator(x, source).mean(-1), batch.x, self.penalty)

    def generator_loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the squared error, then weighted content and -log D, shape (S,)."""
        source = source_in(batch)
        fake = self.output(source, rng)
        if batch.progress < SWITCH:
            return self.squared_error(batch.x, fake)
        if not self.measured:
            self.measure_weight(batch.x, fake.detach(), source)
        game = non_saturating(self.logits(self.with_levels(fake, rng), source))
        error = self.content_error(batch.x, fake, source)
        return self.content_weight * error + self.adversary * game

    def errors(self, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the squared error, shape (S,)."""
        return self.squared_error(real, fake)

    def content_error(self, real: Tensor, fake: Tensor, source: Tensor) -> Tensor:
        """Returns the error of the content, unweighted, shape (S,)."""
        if self.perceptual is not None:
            return self.perceptual.distance(real, fake)
        if self.content == "mse":
            return self.squared_error(real, fake)
        pairs = zip(
            self.discriminator.hidden(real, source),
            self.discriminator.hidden(fake, source),
            strict=True,
        )
        return torch.stack([_distance(x.detach(), y) for x, y in pairs]).mean(0)

    def measure_weight(self, real: Tensor, fake: Tensor, source: Tensor) -> None:
        """Sets the weight of the content where no state has one, by gradients at outputs (S, B, *event)."""
        slopes = []
        for error in (self.squared_error, lambda x, y: self.content_error(x, y, source)):
            leaf = fake.clone().requires_grad_()
            with torch.enable_grad():
                (slope,) = torch.autograd.grad(error(real, leaf).sum(), leaf)
            slopes.append(slope.flatten(1).norm(dim=1))
        ratio = slopes[0] / slopes[1].clamp_min(1e-12)
        self.content_weight.copy_(torch.where(self.content_weight > 0, self.content_weight, ratio))
        self.measured = True

    def with_levels(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns made images with the noise that real ones have within their grey levels."""
        if self.spec.levels is None or self.spec.range is None:
            return x
        low, high = self.spec.range
        return x + (rng.uniform(*x.shape[1:]).to(x) - 0.5) * ((high - low) / self.spec.levels)

    def rest(self, batch: Batch) -> Tensor:
        """Returns a loss of 0, shape (S,), that leaves the discriminator where it is."""
        return batch.x.new_zeros(len(batch.x), requires_grad=True) * 0


def _distance(x: Tensor, y: Tensor) -> Tensor:
    """The mean squared distance of hidden images (S, B, C, h, w) whose channels have unit length, (S,)."""
    one, two = (unit_vectors(part.flatten(0, 1)) for part in (x, y))
    return (one - two).square().sum(1).unflatten(0, x.shape[:2]).mean(1)
