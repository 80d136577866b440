"""How often a model that classifies names the right class."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.metric import Column, Score, metric
from genbench.core.model import Classifier
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
    "accuracy": Column("higher", "share", 1.0, "held-out points whose class the model names"),
}


@metric(
    "accuracy",
    view="model",
    columns=COLUMNS,
    needs=("classifier",),
    paper="Salimans et al., 2016",
)
def accuracy(trained: Trained, test: Tensor, *, rng: Rng) -> dict[str, Score]:
    """Returns the share of held-out points whose largest class logit is their label's.

    References:
        | Improved Techniques for Training GANs (Salimans et al., 2016), table 1, as errors

    Arguments:
        trained: A model that is a Classifier, of one seed, and its data set.
        test: The whole test split in data space, shape (N, *event).
        rng: Not drawn from; tells device and type.

    Returns:
        A share in [0, 1], higher is better; the protocol gives `chance`, the share of the commonest
        class. Without a classifier or labels there is no value.
    """
    model, labels = trained.model, trained.dataset.labels("test")
    reason = lacks(trained, Classifier, "classifier") or unlabelled(trained.dataset)
    if reason is not None or labels is None or not isinstance(model, Classifier):
        return nothing(COLUMNS, reason or "")
    with torch.no_grad():
        named = [
            model.classify(in_model_space(trained, x, rng))[0].argmax(-1).cpu()
            for x in test.split(ROWS)
        ]
    right = torch.cat(named) == labels[: len(test)]
    return {"accuracy": mean_score(right, chance=largest(labels))}
