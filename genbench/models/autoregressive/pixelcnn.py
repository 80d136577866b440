"""The gated PixelCNN."""

from __future__ import annotations

from typing import Annotated

from genbench.core.allowed import Count, Decay, Positive, Weight, whole
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.raster import RasterModel, one_channel
from genbench.families.search import PIXELWISE
from genbench.models.autoregressive._gated import GatedPixels
from genbench.nn.distributions import not_discrete
from genbench.nn.optim import adam


@model("pixelcnn")
class PixelCNN(RasterModel):
    r"""Creates a gated PixelCNN: pixels in raster order, each by convolutions of those before it.

    .. math::
        p(x) = \prod_d p(x_d \mid x_1, \dots, x_{d-1})

    A vertical stack sees the rows above, a horizontal one the pixels to the left and the vertical
    stack, so that there is no blind spot. Bits are Bernoulli; grey levels have a softmax, in model
    space a density that is constant on cells of width 1/levels, and samples uniform in their cell.
    The sampler keeps every layer's activations and computes those of the new pixel alone.

    References:
        | Conditional Image Generation with PixelCNN Decoders (van den Oord et al., 2016), section 2
        | https://arxiv.org/abs/1606.05328
        | Pixel Recurrent Neural Networks (van den Oord et al., 2016), section 3
        | Fast Generation for Convolutional Autoregressive Models (Ramachandran et al., 2017)

    Differences: images of one channel; no labels; every place has its own learnt bias in the first
    layer; causality by cutting kernels and images, as in the first paper, where the second masks;
    dropout; AdamW with a falling step size and clipped gradients in place of RMSProp; a small
    network, evaluated at a running average of the weights.

    Arguments:
        channels: The number of channels of every layer.
        depth: The number of gated layers.
        first: The width of the first layer's kernel, odd.
        kernel: The width of the other layers' kernels, odd.
        head: The width of the layer before the outputs.
        dropout: The share of the features, of those a layer adds, that training drops.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay.
        average: The decay of the weights' running average for evaluation, or None.
        clip: The largest gradient norm.
    """

    paper = "van den Oord et al., 2016"
    year = 2016
    search = PIXELWISE

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        channels: Count = 24,
        depth: Count = 3,
        first: Annotated[int, whole(3)] = 5,
        kernel: Annotated[int, whole(3)] = 3,
        head: Count = 64,
        dropout: Decay = 0.5,
        lr: Positive = 3e-3,
        weight_decay: Weight = 0.1,
        average: Decay | None = 0.999,
        clip: Positive = 1.0,
    ) -> None:
        optimizer = adam(lr, weight_decay=weight_decay)
        super().__init__(spec, rng, optimizer, dropout=dropout, clip=clip, average=average)
        if first % 2 == 0 or kernel % 2 == 0:
            raise SpecError(
                f"pixelcnn needs odd kernels, got first={first} and kernel={kernel}; the defaults are 5 and "
                f"3"
            )
        self.network = GatedPixels(
            spec.event[-2],
            spec.event[-1],
            self.distribution.outputs,
            rng.fork("network"),
            channels=channels,
            depth=depth,
            first=first,
            kernel=kernel,
            head=head,
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Convolutions want images, and an order of colours within a pixel is not built."""
        return one_channel(spec) or not_discrete(spec)
