"""How well a model finds points again from their codes."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Several
from genbench.core.metric import Column, Score, metric
from genbench.core.model import Reconstructor
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._model import (
    ROWS,
    in_model_space,
    lacks,
    mean_score,
    nothing,
    squared_error,
)

UNIT = "squared error"
COLUMNS = {
    "reconstruction": Column("lower", UNIT, 0.0, "between points and their reconstructions"),
    "reconstruction_shuffled": Column(
        "none", UNIT, None, "between points and reconstructions of others: what chance gives"
    ),
    "reconstruction_mean": Column(
        "none", UNIT, None, "between points and the training mean, which needs no code"
    ),
}


@metric(
    "reconstruction",
    view="model",
    columns=COLUMNS,
    needs=("reconstructor",),
    paper="Donahue et al., 2017",
)
def reconstruction(
    trained: Trained, test: Tensor, *, rng: Rng, points: Several = 10_000
) -> dict[str, Score]:
    r"""Returns the mean squared error of reconstructions a coordinate, in data space.

    .. math:: \frac{1}{N D} \sum_i \|x_i - \hat x_i\|^2, \quad
        \text{shuffled:}\ \hat x_{i+1}\ \text{for}\ \hat x_i

    References:
        | Adversarial Feature Learning (Donahue et al., 2017), authors' code, for the shuffled baseline

    Arguments:
        trained: A model that is a Reconstructor, of one seed, and its data set.
        test: Held-out points in data space, shape (N, *event).
        rng: The model's own noise.
        points: How many points count at most, the first ones.

    Returns:
        The error, lower is better, and two baselines: reconstructions of other points, and the mean of
        the training set. Without a reconstructor there is no value.
    """
    model, reason = trained.model, lacks(trained, Reconstructor, "reconstructor")
    if reason is not None or not isinstance(model, Reconstructor):
        return nothing(COLUMNS, reason or "")
    real, parts = test[:points], []
    with torch.no_grad():
        for x in real.split(ROWS):
            again = model.reconstruct(in_model_space(trained, x, rng), rng)
            parts.append(trained.dataset.to_data(again)[0].cpu())
    fake = torch.cat(parts)
    mean = trained.dataset.points("train").double().mean(0, keepdim=True)
    return {
        "reconstruction": mean_score(squared_error(real, fake)),
        "reconstruction_shuffled": mean_score(squared_error(real, fake.roll(1, 0))),
        "reconstruction_mean": mean_score(squared_error(real, mean)),
    }
