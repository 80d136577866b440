"""Translation by regression, the control of every other way."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from genbench.core.allowed import Amount, Count, Positive, Widths
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Player, model
from genbench.core.rng import Rng
from genbench.core.search import LogUniform
from genbench.families.search import SCHEDULE
from genbench.families.translation import Network, NetworkTranslator, regress, source_in


@model("regression")
class Regression(NetworkTranslator):
    r"""Creates a network that is trained to give the true point of a source: its mean, or its median.

    .. math:: L = E (x - f(s))^2 \quad \text{or} \quad E |x - f(s)|

    Where a source has several right answers the first loss gives their average and the second their
    median, coordinate by coordinate.

    References:
        | Image Super-Resolution Using Deep Convolutional Networks (Dong et al., 2016), section 3.2

    Differences: the networks are `pix2pix`'s, so that the two compare; Adam in place of SGD.

    Arguments:
        loss: `squared` or `absolute`.
        network: `unet`, `encoder_decoder` (the same without skips), `resnet` or `mlp`.
        hidden: The widths of the hidden layers of an MLP.
        width: The channels of the first hidden image of convolutional networks.
        blocks: The number of residual blocks.
        lr: Adam's step size.
    """

    taxonomy = "implicit/direct"
    paper = "Dong et al., 2016"
    year = 2016

    reads = True
    search = {"lr": LogUniform(3e-4, 2e-2), **SCHEDULE}

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        loss: Literal["squared", "absolute"] = "squared",
        network: Network = "unet",
        hidden: Widths = (256, 256),
        width: Count = 16,
        blocks: Amount = 4,
        lr: Positive = 1e-3,
    ) -> None:
        super().__init__(
            spec,
            rng,
            network=network,
            hidden=hidden,
            width=width,
            blocks=blocks,
            noise=0,
            logistic=False,
        )
        self.error = self.squared_error if loss == "squared" else self.absolute_error
        self.lr = lr

    def players(self) -> tuple[Player, ...]:
        """One."""
        return regress(self.generator, self.loss, self.lr)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean error a coordinate, in units of half the data's range, shape (S,)."""
        return self.error(batch.x, self.output(source_in(batch), rng))
