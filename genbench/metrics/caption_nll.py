"""How likely the true points are given their sources."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Several
from genbench.core.metric import Column, Score, metric
from genbench.core.model import ConditionalDensity
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._model import ROWS, lacks, mean_score

COLUMN = Column("lower", "nats", None, "mean -log p(point | source) of held-out pairs", 55)


@metric(
    "caption_nll",
    view="model",
    columns={"caption_nll": COLUMN},
    needs=("conditional_density",),
    paper="Vinyals et al., 2015",
)
@torch.no_grad()
def caption_nll(trained: Trained, test: Tensor, *, rng: Rng, points: Several = 5000) -> Score:
    r"""Returns the mean negative log probability of held-out points given their sources, in nats.

    .. math:: -\frac1N \sum_i \log p(x_i \mid s_i)

    References:
        | Show and Tell: A Neural Image Caption Generator (Vinyals et al., 2015), section 3, equation 1

    Grey levels are dequantised by one draw of noise a point, as `nll` does.

    Arguments:
        trained: A model that is a ConditionalDensity, of one seed, and its data set.
        test: Held-out points in data space, shape (N, *event).
        rng: The model's own noise.
        points: How many pairs count, the first ones, at least two.

    Returns:
        A mean with its standard error over pairs; its floor is the entropy of a point given its source,
        where that is known.
    """
    reason, source_data = (
        lacks(trained, ConditionalDensity, "conditional_density"),
        trained.dataset.given,
    )
    if reason is not None or source_data is None:
        return Score(None, reason=reason or f"{trained.dataset.name} has no sources")
    model = trained.model
    assert isinstance(model, ConditionalDensity)
    parts, noise, own = [], rng.fork("dequantise"), rng.fork("model")
    rows = zip(
        test[:points].split(ROWS), source_data.points("test")[:points].split(ROWS), strict=True
    )
    for x, source in rows:
        moved = source.to(rng.device, rng.dtype if source.is_floating_point() else source.dtype)
        y = source_data.to_model(moved.unsqueeze(0))
        # in the middles of their cells grey levels would have any density
        x = x.to(rng.device, rng.dtype if x.is_floating_point() else x.dtype)
        x = trained.dataset.to_model(x.unsqueeze(0), noise)
        parts.append(model.log_prob_given(x, y, own)[0].double())
    score = mean_score(-(torch.cat(parts).cpu() + trained.dataset.log_volume))
    truth = trained.dataset.truth
    entropy = None if truth is None or truth.described is None else truth.described.entropy
    return Score(score.value, score.stderr, floor=entropy)
