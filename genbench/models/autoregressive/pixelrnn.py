"""PixelRNN with row LSTM layers."""

from __future__ import annotations

from typing import Annotated

from genbench.core.allowed import Count, Decay, Positive, Weight, whole
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.raster import RasterModel, one_channel
from genbench.families.search import PIXELWISE
from genbench.models.autoregressive._row_lstm import RecurrentPixels
from genbench.nn.distributions import not_discrete
from genbench.nn.optim import adam


@model("pixelrnn")
class PixelRNN(RasterModel):
    r"""Creates a PixelRNN: pixels in raster order, each by recurrent layers that read rows from above.

    .. math::
        p(x) = \prod_d p(x_d \mid x_1, \dots, x_{d-1})

    A row LSTM's state at a pixel sees the state above and on both sides of that, and the input to the
    left. Bits are Bernoulli; grey levels have a softmax, in model space a density that is constant on
    cells of width 1/levels, and samples uniform in their cell. The sampler keeps the states of the
    row above and computes those of the new pixel alone.

    References:
        | Pixel Recurrent Neural Networks (van den Oord et al., 2016), sections 3.1 and 3.3 to 3.5
        | https://arxiv.org/abs/1601.06759

    Differences: images of one channel; every place has its own learnt bias in the first layer; the
    residual stream has as many channels as the state, not twice as many; dropout; AdamW with a
    falling step size and clipped gradients in place of RMSProp; a small network, evaluated at a
    running average of the weights.

    Arguments:
        channels: The number of channels of every layer and of the states.
        recurrent: The number of recurrent layers.
        first: The width of the first convolution, odd.
        head: The width of the layer before the outputs.
        dropout: The share of the features that recurrent layers add which training drops.
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
        channels: Count = 32,
        recurrent: Count = 1,
        first: Annotated[int, whole(3)] = 7,
        head: Count = 64,
        dropout: Decay = 0.5,
        lr: Positive = 3e-3,
        weight_decay: Weight = 0.1,
        average: Decay | None = 0.999,
        clip: Positive = 1.0,
    ) -> None:
        if first % 2 == 0:
            raise SpecError(f"pixelrnn needs an odd kernel, got first={first}; the default is 7")
        optimizer = adam(lr, weight_decay=weight_decay)
        super().__init__(spec, rng, optimizer, dropout=dropout, clip=clip, average=average)
        self.network = RecurrentPixels(
            spec.event[-2],
            spec.event[-1],
            self.distribution.outputs,
            rng.fork("network"),
            channels=channels,
            depth=recurrent,
            first=first,
            head=head,
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Rows want images, and an order of colours within a pixel is not built."""
        return one_channel(spec) or not_discrete(spec)
