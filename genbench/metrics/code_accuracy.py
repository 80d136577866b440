"""What codes, learnt without labels, know of the classes."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from genbench.core.allowed import Several
from genbench.core.metric import Column, Score, metric
from genbench.core.model import Encoder
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._model import (
    ROWS,
    in_model_space,
    lacks,
    largest,
    mean_score,
    nothing,
    unlabelled,
)

COLUMNS = {
    "code_accuracy": Column(
        "higher", "share", 1.0, "held-out points whose nearest training code has their class"
    ),
    "category_accuracy": Column(
        "higher", "share", 1.0, "held-out points whose category is the one assigned to their class"
    ),
}


@metric(
    "code_accuracy",
    view="model",
    columns=COLUMNS,
    needs=("encoder",),
    paper="Donahue et al., 2017",
)
def code_accuracy(
    trained: Trained, test: Tensor, *, rng: Rng, points: Several = 10_000
) -> dict[str, Score]:
    """Returns how well codes tell classes apart: by one neighbour, and by the categorical code.

    The neighbour is the nearest of the training codes in Euclidean distance. Categories are assigned to
    classes one to one, the best way on the training codes (Hungarian algorithm), and counted on the held-
    out ones; where there are fewer categories than classes, some classes have none and count as wrong.

    References:
        | Adversarial Feature Learning (Donahue et al., 2017), table 1: one nearest neighbour
        | InfoGAN (Chen et al., 2016), section 7.2: the categorical code as a classifier

    Arguments:
        trained: A model that is an Encoder, of one seed, and its data set.
        test: The whole test split in data space, shape (N, *event).
        rng: The model's own noise.
        points: How many training and held-out points are encoded at most, the first ones.

    Returns:
        Shares in [0, 1], higher is better; the protocol gives `chance`, the share of the commonest
        class. Without an encoder, labels, or a categorical code there is no value.
    """
    reason = lacks(trained, Encoder, "encoder") or unlabelled(trained.dataset)
    train_labels, labels = trained.dataset.labels("train"), trained.dataset.labels("test")
    if reason is not None or labels is None or train_labels is None:
        return nothing(COLUMNS, reason or "no labels")
    train_codes = _codes(trained, trained.dataset.points("train")[:points], rng.fork("train"))
    codes = _codes(trained, test[:points], rng.fork("test"))
    train_labels, labels = train_labels[:points], labels[: len(codes)]
    near = torch.cat([torch.cdist(part, train_codes).argmin(-1) for part in codes.split(ROWS)])
    facts = {"chance": largest(labels)}
    scores = {"code_accuracy": mean_score(train_labels[near] == labels, **facts)}
    model = trained.model
    categories = model.categories if isinstance(model, Encoder) else 0
    if not categories:
        reason = f"the codes of {model.name} have no categorical part"
        return {**scores, "category_accuracy": Score(None, reason=reason)}
    named = assigned(train_codes[:, :categories], train_labels, codes[:, :categories])
    return {**scores, "category_accuracy": mean_score(named == labels, **facts)}


def assigned(train_codes: Tensor, labels: Tensor, codes: Tensor) -> Tensor:
    """Returns the class assigned to each code's category, -1 where it has none, shape (M,).

    Arguments:
        train_codes: Training codes, probabilities of the categories, shape (N, K).
        labels: Their classes, shape (N,).
        codes: Held-out codes, shape (M, K).
    """
    classes = int(labels.max()) + 1
    counts = torch.zeros(train_codes.shape[1], classes, dtype=torch.float64)
    counts.index_put_(
        (train_codes.argmax(-1), labels),
        torch.ones(len(labels), dtype=torch.float64),
        accumulate=True,
    )
    rows, columns = linear_sum_assignment(-counts.numpy())
    meaning = torch.full((train_codes.shape[1],), -1)
    meaning[torch.as_tensor(rows)] = torch.as_tensor(columns)
    return meaning[codes.argmax(-1)]


@torch.no_grad()
def _codes(trained: Trained, x: Tensor, rng: Rng) -> Tensor:
    """Codes on the CPU, float64, shape (N, L)."""
    assert isinstance(trained.model, Encoder)
    parts = [
        trained.model.encode(in_model_space(trained, part, rng), rng)[0].flatten(1).cpu()
        for part in x.split(ROWS)
    ]
    return torch.cat(parts).double()
