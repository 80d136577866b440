"""What metrics of a model's abilities ask of it, and how they answer where it has none."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.metric import Score
from genbench.core.rng import Rng
from genbench.core.trained import Trained

#: points to a call of the model
ROWS = 1024


def nothing(columns: Iterable[str], reason: str) -> dict[str, Score]:
    """Returns every column without a value, for a reason."""
    return dict.fromkeys(columns, Score(None, reason=reason))


def lacks(trained: Trained, ability: type, name: str) -> str | None:
    """Returns why a model's ability cannot be measured, or None."""
    return None if isinstance(trained.model, ability) else f"{trained.model.name} has no {name}"


def unlabelled(dataset: Dataset) -> str | None:
    """Returns why there are no labels to compare with, or None."""
    return None if dataset.labels("test") is not None else f"{dataset.name} has no labels"


def in_model_space(trained: Trained, x: Tensor, rng: Rng) -> Tensor:
    """Maps points (N, *event) to model space, shape (1, N, *event), on the rng's device.

    Grey levels go to the middles of their cells: no noise is drawn.
    """
    x = x.to(rng.device, rng.dtype if x.is_floating_point() else x.dtype)
    return trained.dataset.to_model(x.unsqueeze(0))


def squared_error(real: Tensor, fake: Tensor) -> Tensor:
    """Returns each point's mean squared difference a coordinate, float64, shape (N,)."""
    return (real.double().cpu() - fake.double().cpu()).square().flatten(1).mean(1)


def mean_score(values: Tensor, **facts: object) -> Score:
    """Returns the mean of one value a point with its standard error."""
    error = values.double().std().item() / max(len(values), 1) ** 0.5
    return Score(values.double().mean().item(), error, protocol=facts)


def largest(labels: Tensor) -> float:
    """Returns the share of the commonest class: the accuracy of naming it always."""
    return float(torch.bincount(labels).max()) / len(labels)
