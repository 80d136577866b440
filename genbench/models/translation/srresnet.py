"""Super-resolution by regression."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from genbench.core.allowed import Amount, Count, Positive
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Player, model
from genbench.core.rng import Rng
from genbench.core.search import LogUniform
from genbench.families.search import SCHEDULE
from genbench.families.super_resolution import Enlarger
from genbench.families.translation import regress, source_in


@model("srresnet")
class SRResNet(Enlarger):
    r"""Creates a residual network that enlarges images, trained to come near the true ones.

    .. math:: L = E (x - f(s))^2, \quad E |x - f(s)| \quad \text{or} \quad E \, d(x, f(s))

    with d the squared distance between hidden images of a trained network (`nn.perceptual`), which does not
    judge this model then.

    References:
        | Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network (Ledig et al.,
        | 2017), sections 2.1 and 2.2
        | https://arxiv.org/abs/1609.04802

    Differences: narrow networks without batch normalisation (Lim et al., 2017), leaky ReLU in place of
    PReLU, first and last kernels of 5 in place of 9, the output added to the bicubic enlargement (Kim et
    al., 2016); for the perceptual loss several hidden images of EfficientNet-Lite0 at unit length in place of
    one of VGG-19, beside a tenth of the squared error, since lengths of hidden images carry brightness.

    Arguments:
        loss: `mse`, `l1` or `perceptual`.
        width: The channels of hidden images; the paper has 64.
        blocks: The number of residual blocks; the paper has 16.
        vgg: A file of VGG-19's weights, by torchvision's names, for the perceptual loss; None takes
            EfficientNet-Lite0.
        side: The height and width at which the perceptual loss looks; None leaves images as they are.
        lr: Adam's step size.
    """

    taxonomy = "implicit/direct"
    paper = "Ledig et al., 2017"
    year = 2017

    search = {"lr": LogUniform(3e-4, 2e-2), **SCHEDULE}

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        loss: Literal["mse", "l1", "perceptual"] = "mse",
        width: Count = 16,
        blocks: Amount = 4,
        vgg: str | None = None,
        side: Count | None = None,
        lr: Positive = 1e-3,
    ) -> None:
        super().__init__(
            spec,
            rng,
            network="enlarging",
            hidden=(),
            width=width,
            blocks=blocks,
            noise=0,
            logistic=False,
        )
        self.error, self.lr = loss, lr
        self.perceptual = self.look_through(vgg, side) if loss == "perceptual" else None

    def players(self) -> tuple[Player, ...]:
        """One."""
        return regress(self.generator, self.loss, self.lr)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean error or distance, in units of half the data's range, shape (S,)."""
        fake = self.output(source_in(batch), rng)
        if self.perceptual is not None:
            squared = self.squared_error(batch.x, fake)
            return self.perceptual.distance(batch.x, fake) + 0.1 * squared
        error = self.squared_error if self.error == "mse" else self.absolute_error
        return error(batch.x, fake)
