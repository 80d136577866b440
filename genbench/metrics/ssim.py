"""Structural similarity of what was made of sources."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics._checks import no_grey_levels
from genbench.metrics._model import mean_score
from genbench.metrics._pairs import pairs
from genbench.metrics._similarity import gaussian_line, largest_window, similarity

COLUMN = Column("higher", "likeness", 1.0, "structural similarity of outputs to true points", 42)
#: images compared at once
ROWS = 256


@metric(
    "ssim",
    view="pairs",
    columns={"ssim": COLUMN},
    needs=("translator",),
    paper="Wang et al., 2004",
    beside=("fid",),
)
def ssim(source: Tensor, real: Tensor, fake: Tensor, truth: Truth | None, *, rng: Rng) -> Score:
    r"""Returns the mean structural similarity of outputs to true images, over places and channels.

    Under an 11 x 11 Gaussian window of standard deviation 1.5 that lies inside the image, with constants
    0.01 and 0.03 and population variances; for images under 11 pixels under the largest odd window that
    fits, as the protocol says.

    References:
        | Image Quality Assessment: From Error Visibility to Structural Similarity (Wang et al., 2004),
        | section III

    Arguments:
        source: What the images were made from, shape (N, *source.event).
        real: Their true images, shape (N, C, H, W).
        fake: What was made, shape (N, C, H, W).
        truth: Not used.
        rng: Not used.

    Returns:
        A score with its standard error over images; null for points that are no images in [0, 1].
    """
    real, fake = pairs("ssim", source, real, fake)
    reason = no_grey_levels(real, fake)
    if reason is not None:
        return Score(None, reason=reason)
    window = largest_window(min(real.shape[2:]))
    line = gaussian_line(window, torch.zeros(1, dtype=torch.float64, device=real.device))
    values = [
        similarity(x.double(), y.double(), line)[0]
        for x, y in zip(real.split(ROWS), fake.to(real.device).split(ROWS), strict=True)
    ]
    return mean_score(torch.cat(values).cpu(), window=window)
