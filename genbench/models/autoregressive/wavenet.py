"""WaveNet, over tokens and over pixels in raster order."""

from __future__ import annotations

import math

from genbench.core.allowed import Count, Decay, Positive, Weight
from genbench.core.dataset import DataSpec
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.raster import RasterModel
from genbench.families.search import PIXELWISE
from genbench.models.autoregressive._dilated import DilatedStack
from genbench.nn.distributions import not_discrete
from genbench.nn.optim import adam


@model("wavenet")
class WaveNet(RasterModel):
    r"""Creates a WaveNet: a sequence's entries one after the other, by dilated causal convolutions.

    .. math::
        p(x) = \prod_d p(x_d \mid x_1, \dots, x_{d-1})

    Layers of kernel 2 and dilations 1, 2, 4, … see 2^cycle entries back; each has a gate and adds to
    the next layer and to the outputs. Images are sequences of pixels in raster order, one channel
    after the other. Tokens and grey levels have a softmax, bits a Bernoulli distribution; in model space the
    density of grey levels is constant on cells of width 1/levels, and samples are uniform in their
    cell. The sampler keeps queues of the layers' inputs, so that an entry costs one evaluation.

    References:
        | WaveNet: A Generative Model for Raw Audio (van den Oord et al., 2016), section 2
        | https://arxiv.org/abs/1609.03499
        | Fast Wavenet Generation Algorithm (Paine et al., 2016)

    Differences: sequences have one length and every place its own learnt input (the paper's local
    condition); grey levels enter as numbers, not one-hot; dropout; AdamW with a falling step size and
    clipped gradients; a small network, evaluated at a running average of the weights.

    Arguments:
        channels: The number of channels of the layers.
        skip: The number of features of the outputs.
        cycle: The number of dilations before they start again; None takes as few as see all entries.
        stacks: The number of cycles.
        dropout: The share of the features, of those a layer adds, that training drops; None chooses
            0.5 for images and 0 for tokens.
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
        skip: Count = 64,
        cycle: Count | None = None,
        stacks: Count = 1,
        dropout: Decay | None = None,
        lr: Positive = 3e-3,
        weight_decay: Weight = 0.1,
        average: Decay | None = 0.999,
        clip: Positive = 1.0,
    ) -> None:
        if dropout is None:
            dropout = 0.5 if spec.is_image else 0.0
        optimizer = adam(lr, weight_decay=weight_decay)
        super().__init__(spec, rng, optimizer, dropout=dropout, clip=clip, average=average)
        cycle = max(math.ceil(math.log2(spec.size)), 1) if cycle is None else cycle
        self.network = DilatedStack(
            spec.size,
            self.distribution.inputs,
            self.distribution.outputs,
            rng.fork("network"),
            channels=channels,
            skip=skip,
            cycle=cycle,
            stacks=stacks,
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Real numbers would want another distribution."""
        return not_discrete(spec)
