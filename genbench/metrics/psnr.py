"""Peak signal-to-noise ratio of what was made of sources."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics._checks import no_grey_levels
from genbench.metrics._model import mean_score, squared_error
from genbench.metrics._pairs import pairs

COLUMN = Column(
    "higher", "dB", None, "peak signal-to-noise ratio of outputs against true points", 41
)
#: the squared error of one value that is off by one of 256 levels
LEVEL = (1 / 255) ** 2


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
        No image counts more than one that is off by one of 256 levels in one value (69.2 dB of 128 values,
        83.0 of 3,072), so that one that is equal to the true one does not make the mean infinite.

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
    return mean_score(decibels(real, fake))


def decibels(real: Tensor, fake: Tensor) -> Tensor:
    """Returns the peak signal-to-noise ratio of each image in [0, 1], float64, shape (N,), in decibels.

    The least error that counts is that of one value off by one of 256 levels.
    """
    least = LEVEL / max(real[0].numel(), 1)
    return -10 * torch.log10(squared_error(real, fake).clamp_min(least))
