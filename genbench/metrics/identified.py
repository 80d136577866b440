"""Whether what was made can be told from what others would have been."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics._model import mean_score
from genbench.metrics._pairs import pairs

COLUMNS = {
    "identified": Column(
        "higher",
        "share",
        None,
        "outputs whose own true point is the nearest, in what is hidden",
        53,
    ),
    "hidden_error": Column("lower", "L1", 0.0, "mean absolute difference, in what is hidden"),
}
#: outputs that are compared with all true points at once
ROWS = 500


@metric(
    "identified",
    view="pairs",
    columns=COLUMNS,
    needs=("translator",),
    beside=("fid",),
)
def identified(
    source: Tensor, real: Tensor, fake: Tensor, truth: Truth | None, *, rng: Rng
) -> dict[str, Score]:
    """Returns how often an output's true point is the nearest of all, and how far it is.

    Distances are Euclidean, over the coordinates that sources hide where the data set knows them (what a
    source shows anybody could copy), otherwise over all. Several nearest ones share the one.

    References:
        | Eye In-Painting with Exemplar Generative Adversarial Networks (Dolhansky and Canton Ferrer, 2018),
        | section 4, for the question whether an identity is kept

    Arguments:
        source: What the points were made from, shape (N, *source.event).
        real: Their true points, shape (N, *event).
        fake: What was made, shape (N, *event).
        truth: Knows what is hidden, or None.
        rng: Not used.

    Returns:
        A share in [0, 1], of which chance is 1/N, and the mean absolute difference a coordinate.
    """
    real, fake = pairs("identified", source, real, fake)
    hidden = None if truth is None else truth.hidden
    x, y = (part.double().cpu().flatten(1) for part in (real, fake))
    if hidden is not None and hidden.numel() == x.shape[1]:
        x, y = x[:, hidden.flatten()], y[:, hidden.flatten()]
    shares = []
    for at in range(0, len(y), ROWS):
        away = torch.cdist(y[at : at + ROWS], x, compute_mode="donot_use_mm_for_euclid_dist")
        least = away.amin(1)
        nearest = away <= least.unsqueeze(1)
        shares.append(nearest.diagonal(at).double() / nearest.sum(1))
    return {
        "identified": mean_score(torch.cat(shares)),
        "hidden_error": mean_score((x - y).abs().mean(1)),
    }
