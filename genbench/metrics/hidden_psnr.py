"""Peak signal-to-noise ratio of what was made where sources show nothing."""

from __future__ import annotations

from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics._checks import no_grey_levels
from genbench.metrics._model import mean_score
from genbench.metrics._pairs import pairs
from genbench.metrics.psnr import decibels

COLUMN = Column(
    "higher", "dB", None, "peak signal-to-noise ratio of outputs in what is hidden", 56
)


@metric(
    "hidden_psnr",
    view="pairs",
    columns={"hidden_psnr": COLUMN},
    needs=("translator", "hidden"),
    paper="Pathak et al., 2016",
    beside=("fid",),
)
def hidden_psnr(
    source: Tensor, real: Tensor, fake: Tensor, truth: Truth | None, *, rng: Rng
) -> Score:
    r"""Returns the mean peak signal-to-noise ratio over the pixels that no source shows, in decibels.

    .. math:: \frac1N \sum_i 10 \log_{10} \frac{1}{\mathrm{MSE}_H(x_i, y_i)}

    for the hidden pixels H alone: what a source shows anybody could copy, so that `psnr`, of whole images,
    is as much about copying as about completion. The average of all right completions wins both.

    References:
        | Context Encoders: Feature Learning by Inpainting (Pathak et al., 2016), section 5.1, for PSNR of
        | completions; Image Quality Assessment: From Error Visibility to Structural Similarity (Wang et al.,
        | 2004), section II

    Differences:
        An image counts no more than with one hidden value off by one of 256 levels, as for `psnr`.

    Arguments:
        source: What the images were made from, shape (N, *source.event).
        real: Their true images, shape (N, C, H, W).
        fake: What was made, shape (N, C, H, W).
        truth: Knows what is hidden.
        rng: Not used.

    Returns:
        A score with its standard error over images; null for points that are no images in [0, 1].

    Raises:
        DataError: If it is not known what is hidden, or of points of another shape.
    """
    real, fake = pairs("hidden_psnr", source, real, fake)
    reason = no_grey_levels(real, fake)
    if reason is not None:
        return Score(None, reason=reason)
    hidden = None if truth is None else truth.hidden
    if hidden is None or hidden.shape != real.shape[1:]:
        shape = "none" if hidden is None else f"one of points {tuple(hidden.shape)}"
        raise DataError(
            f"hidden_psnr needs a data set that knows what is hidden in images {tuple(real.shape[1:])}, "
            f"got {shape}; take psnr"
        )
    x, y = (part.cpu()[:, hidden.cpu()] for part in (real, fake))
    return mean_score(decibels(x, y))
