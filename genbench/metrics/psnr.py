"""Peak signal-to-noise ratio of what was made of sources."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics._model import mean_score, squared_error
from genbench.metrics._pairs import no_grey_levels, pairs

COLUMN = Column(
    "higher", "dB", None, "peak signal-to-noise ratio of outputs against true points", 41
)
#: the mean squared error of rounding to 256 levels, which an equal image counts
ROUNDING = (1 / 255) ** 2 / 12


@metric(
    "psnr",
    view="pairs",
    columns={"psnr": COLUMN},
    needs=("translator",),
    paper="Wang et al., 2004",
    beside=("fid",),
)
def psnr(source: Tensor, real: Tensor, fake: Tensor, truth: Truth | None, *, rng: Rng) -> Score:
    r"""Returns the mean over images of the peak signal-to-noise ratio, in decibels.

    .. math:: \frac1N \sum_i 10 \log_{10} \frac{1}{\mathrm{MSE}(x_i, y_i)}

    Pixels are in [0, 1] and on the data's grid; no border is cut and no colour is turned to grey. The
    average of all right answers wins it, so that it is never measured without FID.

    References:
        | Image Quality Assessment: From Error Visibility to Structural Similarity (Wang et al., 2004),
        | section II; The Perception-Distortion Tradeoff (Blau and Michaeli, 2018), for its limits

    Differences:
        An image that is equal to the true one, in every value, counts 58.92 dB, the error of rounding to 256
        levels, so that it does not make the mean infinite. All others count what they have, be it more.

    Arguments:
        source: What the images were made from, shape (N, *source.event).
        real: Their true images, shape (N, C, H, W).
        fake: What was made, shape (N, C, H, W).
        truth: Not used.
        rng: Not used.

    Returns:
        A score with its standard error over images; null for points that are no images in [0, 1].
    """
    real, fake = pairs("psnr", source, real, fake)
    reason = no_grey_levels(real, fake)
    if reason is not None:
        return Score(None, reason=reason)
    return mean_score(decibels(squared_error(real, fake)))


def decibels(error: Tensor) -> Tensor:
    """Maps mean squared errors of images in [0, 1] to peak signal-to-noise ratios in decibels.

    No error at all counts as that of rounding to 256 levels.
    """
    return -10 * torch.log10(torch.where(error > 0, error, ROUNDING))
