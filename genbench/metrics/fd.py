"""Frechet distance under whatever extractor is named, by a name that promises no Inception."""

from __future__ import annotations

from torch import Tensor

from genbench.core.metric import Column, metric
from genbench.core.rng import Rng
from genbench.metrics.fid import distance, frechet

DISTANCE = Column("lower", "squared feature distance", 0.0, "Frechet distance of Gaussian fits")


@metric(
    "fd",
    view="features",
    columns={"fd": DISTANCE},
    paper="Stein et al., 2023",
    matrices=8,
    moments=lambda *moments: frechet(*moments, who="fd"),
)
def fd(real: Tensor, fake: Tensor, *, rng: Rng) -> float:
    r"""Returns the squared Frechet distance between Gaussians fitted to two sets of features.

    .. math:: |\mu_r - \mu_f|^2 + \mathrm{tr}(C_r) + \mathrm{tr}(C_f) - 2\,\mathrm{tr}(C_r C_f)^{1/2}

    It is `fid`'s number. Under `dinov2` it is FD-DINOv2; the protocol names the extractor.

    References:
        | GANs Trained by a Two Time-Scale Update Rule (Heusel et al., 2017), section 4
        | Exposing flaws of generative model evaluation metrics (Stein et al., 2023), for other features

    Arguments:
        real: Held-out features, shape (N, F), N > 1.
        fake: Generated features, shape (M, F), M > 1.
        rng: Not used.

    Returns:
        A number >= 0, lower is better; covariances are unbiased (divided by n - 1), sums float64.
    """
    return distance("fd", real, fake)
