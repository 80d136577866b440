"""Translation by a generator against a discriminator of pairs."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from genbench.core.allowed import Amount, Count, Decay, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.search import ADAM_GAME
from genbench.families.translation import Network
from genbench.families.translation_game import TranslationGame
from genbench.nn.discriminators import Patch
from genbench.nn.optim import adam


@model("pix2pix")
class Pix2Pix(TranslationGame):
    r"""Creates a translator trained by a discriminator of pairs and by its errors, both optional.

    .. math::
        L_D = -E \log D(s, x) - E \log(1 - D(s, G(s, z))), \qquad
        L_G = -E \log D(s, G(s, z)) + \lambda_1 E |x - G(s, z)| + \lambda_2 E (x - G(s, z))^2

    The options are the rows of the paper's Table 1 and Figures 4 to 6: `judge=none` is regression,
    `judge=image` a GAN beside it, `l1=0` the game alone.

    References:
        | Image-to-Image Translation with Conditional Adversarial Networks (Isola et al., 2017), section 3
        | https://arxiv.org/abs/1611.07004

    Differences: small networks without normalisation; noise is Gaussian and enters beside the source, where
    the paper has dropout in the generator; the generator's output starts at the training mean, and is
    linear where the absolute error counts;
    a gradient penalty on real points (Mescheder et al., 2018), without which small networks collapse; an MLP,
    for which the paper has no use.

    Arguments:
        judge: `pair` sees the source beside the point, `image` the point alone, `none` plays no game.
        l1: The weight of the mean absolute error, in units of half the data's range as in the paper.
        squared: The weight of the mean squared error.
        network: `unet`, `encoder_decoder` (the same without skips), `resnet` or `mlp`.
        hidden: The widths of the hidden layers of MLPs, in both players.
        width: The channels of the first hidden image of convolutional networks.
        blocks: The number of residual blocks.
        patch: The side in pixels of what an output of a convolutional discriminator sees, of 1, 4, 10, 22;
            None lets it see all.
        noise: The dimension of the noise z; None takes 16 beside a discriminator, otherwise none.
        output: `linear`, clipped to the data's range when the model translates, or, of data with a range,
            `logistic`; None takes a linear one where the absolute error counts, since a logistic one may die
            at black there.
        lr: Adam's step size, for both.
        beta1: Adam's first decay.
        penalty: The weight gamma of the discriminator's squared slope at real points, gamma/2 times it; None
            takes 0.1 without a range and 0.25 with one; 0 leaves it out, as the paper does.
    """

    taxonomy = "implicit/direct"
    paper = "Isola et al., 2017"
    year = 2017

    search = ADAM_GAME

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        judge: Literal["pair", "image", "none"] = "pair",
        l1: Weight = 100.0,
        squared: Weight = 0.0,
        network: Network = "unet",
        hidden: Widths = (256, 256),
        width: Count = 16,
        blocks: Amount = 4,
        patch: Patch | None = None,
        noise: Amount | None = None,
        output: Literal["linear", "logistic"] | None = None,
        lr: Positive = 1e-3,
        beta1: Decay = 0.5,
        penalty: Weight | None = None,
    ) -> None:
        if output == "logistic" and spec.range is None:
            raise SpecError(
                f"pix2pix with output=logistic needs data with a range, {spec.name} has none; take "
                "output=linear"
            )
        super().__init__(
            spec,
            rng,
            judge=judge,
            patch=patch,
            penalty=penalty,
            optimizer=adam(lr, (beta1, 0.999)),
            network=network,
            hidden=hidden,
            width=width,
            blocks=blocks,
            noise=(0 if judge == "none" else 16) if noise is None else noise,
            logistic=output == "logistic" if output is not None else not l1,
        )
        self.l1, self.squared = l1, squared

    def errors(self, real: Tensor, fake: Tensor) -> Tensor:
        """Returns the weighted absolute and squared errors, shape (S,)."""
        loss = fake.new_zeros(len(fake))
        if self.l1:
            loss = loss + self.l1 * self.absolute_error(real, fake)
        if self.squared:
            loss = loss + self.squared * self.squared_error(real, fake)
        return loss
