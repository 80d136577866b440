"""Whether what was made of a source is like that source."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.feature import Extractor
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics._model import mean_score
from genbench.metrics._pairs import pairs

COLUMN = Column(
    "lower", "rank", None, "of the own source among 100 by its distance from the output", 52
)
#: outputs that are compared with all sources at once
ROWS = 500


@metric(
    "content_kept",
    view="judged",
    columns={"content_kept": COLUMN},
    needs=("translator",),
    matched=False,
)
def content_kept(
    source: Tensor,
    real: Tensor,
    fake: Tensor,
    labels: Tensor | None,
    judge: Extractor,
    *,
    rng: Rng,
) -> Score:
    r"""Returns the mean rank of an output's own source among all, scaled to 1 of 100.

    .. math:: \frac1N \sum_i 1 + 99 \, \frac{r_i}{N - 1}, \qquad
        r_i = \#\{j : \| f(y_i) - f(s_j) \| < \| f(y_i) - f(s_i) \|\}

    for the extractor's features f; of sources equally far half count. "Not any woman, but the one like the
    man": 1 is the own source always, 50.5 is chance.

    References:
        | The Unreasonable Effectiveness of Deep Features as a Perceptual Metric (Zhang et al., 2018),
        | section 3, for distances of features

    Arguments:
        source: What the points were made from, shape (N, *event).
        real: Not used but for its shape.
        fake: What was made, shape (N, *event).
        labels: Not used.
        judge: The evaluation's extractor.
        rng: Not used.

    Returns:
        A rank between 1 and 100 with its standard error over sources; null where sources are of another
        shape than points, so that one extractor cannot see both.
    """
    real, fake = pairs("content_kept", source, real, fake)
    if source.shape != fake.shape:
        shapes = f"{tuple(source.shape[1:])} and {tuple(fake.shape[1:])}"
        return Score(None, reason=f"sources and points are of different shapes, {shapes}")
    if len(source) < 2:
        return Score(None, reason="a single source has no others beside it")
    keys, queries = (judge.extract(x).double().flatten(1).cpu() for x in (source, fake))
    ranks = []
    for at in range(0, len(queries), ROWS):
        away = torch.cdist(
            queries[at : at + ROWS], keys, compute_mode="donot_use_mm_for_euclid_dist"
        )
        own = away.diagonal(at).unsqueeze(1)
        ties = (away == own).sum(1) - 1
        ranks.append((away < own).sum(1) + ties / 2)
    return mean_score(1 + 99 * torch.cat(ranks).double() / (len(source) - 1))
