"""The masked autoencoder for distribution estimation."""

from __future__ import annotations

from genbench.core.allowed import Count, Decay, Positive, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.core.search import Choice, LogUniform
from genbench.families.raster import RasterModel
from genbench.families.search import density_space
from genbench.nn.distributions import Mixtures
from genbench.nn.masked import MaskedMLP
from genbench.nn.optim import adam


@model("made")
class MADE(RasterModel):
    r"""Creates an autoregressive model of one masked network.

    .. math::
        \log p(x) = \sum_d \log p(x_d \mid x_1, \dots, x_{d-1})

    Bits are Bernoulli given the bits before them; tokens have a softmax; real numbers, grey levels
    among them, are mixtures of Gaussians. The sampler computes a hidden unit once, when the last
    coordinate that it sees is drawn.

    References:
        | MADE: Masked Autoencoder for Distribution Estimation (Germain et al., 2015), section 4
        | https://arxiv.org/abs/1502.03509
        | RNADE: The real-valued neural autoregressive density-estimator (Uria et al., 2013), section 3

    Differences: one order (the coordinates' own) and one set of masks, degrees assigned in turn and
    not at random; no direct connections; AdamW on a linearly falling step size in place of Adadelta.
    Real data are RNADE's mixtures under MADE's masks. On data with a range the density is that of the
    real line, and what samples fall outside are moved to the nearer end.

    Arguments:
        hidden: The widths of the hidden layers, at least one.
        components: The number of Gaussians per coordinate, for continuous data.
        dropout: The share of the hidden units that training drops.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay; None chooses 1 for images and 0 elsewhere.
        clip: The largest gradient norm.
    """

    paper = "Germain et al., 2015"
    year = 2015
    search = {
        **density_space(),
        "hidden": Choice(((128, 128), (112, 112, 112))),
        "weight_decay": LogUniform(1e-3, 1.0),
        "dropout": Choice((0.0, 0.1, 0.3)),
    }
    version = 2

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        hidden: Widths = (128, 128),
        components: Count = 16,
        dropout: Decay = 0.0,
        lr: Positive = 5e-3,
        weight_decay: Weight | None = None,
        clip: Positive = 5.0,
    ) -> None:
        decay = weight_decay if weight_decay is not None else (1.0 if spec.is_image else 0.0)
        if not hidden:
            raise SpecError(
                "made needs a hidden layer, got hidden=(); give at least one, e.g. (128, 128)"
            )
        super().__init__(
            spec,
            rng,
            adam(lr, weight_decay=decay),
            distribution=Mixtures(spec, rng.dtype, components)
            if spec.kind == "continuous"
            else None,
            dropout=dropout,
            clip=clip,
        )
        self.network = MaskedMLP(
            spec.size,
            self.distribution.outputs,
            hidden,
            rng.fork("network"),
            width=self.distribution.inputs,
        )
