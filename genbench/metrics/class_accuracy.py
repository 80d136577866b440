"""Whether samples asked of a class are of that class, and as varied as it is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genbench.core.allowed import Several
from genbench.core.feature import Logits
from genbench.core.metric import Column, Score, metric
from genbench.core.model import Conditional
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._model import ROWS, lacks, mean_score, nothing, unlabelled

COLUMNS = {
    "class_accuracy": Column("higher", "share", 1.0, "samples that are judged of the asked class"),
    "class_accuracy_worst": Column("higher", "share", 1.0, "the same in the worst class"),
    "class_spread": Column(
        "none", "ratio", 1.0, "variance of samples within a class over that of real points"
    ),
}


@metric(
    "class_accuracy",
    view="model",
    columns=COLUMNS,
    needs=("conditional",),
    paper="Odena et al., 2017",
)
def class_accuracy(
    trained: Trained, test: Tensor, *, rng: Rng, samples: Several = 200
) -> dict[str, Score]:
    """Returns how often an independent classifier finds the class that was asked for.

    The judge is the evaluation's extractor, trained on real points and never on samples; its own
    accuracy on the held-out points is the floor. All classes are asked for equally often.

    References:
        | Conditional Image Synthesis with Auxiliary Classifier GANs (Odena et al., 2017), section 4.2

    Arguments:
        trained: A model that is Conditional, of one seed, its data set and the extractor.
        test: The whole test split in data space, shape (N, *event).
        rng: Draws the samples.
        samples: How many samples a class.

    Returns:
        Shares in [0, 1], higher is better, over all classes and in the worst; and the total variance
        of samples within a class over that of real points of the class, averaged over classes (1 is
        right, 0 is one picture a class) of which two differ.
    """
    model, labels = trained.model, trained.dataset.labels("test")
    reason = lacks(trained, Conditional, "conditional") or unlabelled(trained.dataset)
    judge = trained.extractor() if reason is None and trained.extractor is not None else None
    if reason is None and not isinstance(judge, Logits):
        reason = f"{judge.name if judge else 'no extractor'} has no class logits"
    if reason is not None or labels is None or not isinstance(judge, Logits):
        return nothing(COLUMNS, reason or "")
    assert isinstance(model, Conditional)
    classes = int(trained.dataset.spec.classes or labels.max() + 1)
    fakes, right = [], []
    for label in range(classes):
        fake = _samples(trained, model, label, samples, rng)
        fakes.append(fake)
        right.append((judge.logits(fake).argmax(-1).cpu() == label).double())
    on_test = float((judge.logits(test).argmax(-1).cpu() == labels).double().mean())
    facts = {"judge": getattr(judge, "protocol", "?")}
    total = mean_score(torch.cat(right), **facts)
    worst = float(torch.stack(right).mean(1).min())
    return {
        "class_accuracy": Score(total.value, total.stderr, protocol=facts, floor=on_test),
        "class_accuracy_worst": Score(worst, protocol=facts),
        "class_spread": _spread(fakes, test, labels),
    }


def _spread(fakes: Sequence[Tensor], test: Tensor, labels: Tensor) -> Score:
    """The variance of samples of each class over that of its real points, averaged over classes."""
    ratios = []
    for label, fake in enumerate(fakes):
        least = test[labels == label]
        if len(least) > 1 and float(_variance(least)) > 0:
            ratios.append(float(_variance(fake) / _variance(least)))
    if not ratios:
        return Score(None, reason="no class has two test points that differ")
    return Score(sum(ratios) / len(ratios), protocol={})


@torch.no_grad()
def _samples(trained: Trained, model: Conditional, label: int, n: int, rng: Rng) -> Tensor:
    """Samples of one class in data space, shape (n, *event)."""
    stream, parts = rng.fork("class", label), []
    for rows in torch.full((1, n), label, device=rng.device).split(ROWS, dim=1):
        parts.append(trained.dataset.to_data(model.sample_class(rows, stream))[0].cpu())
    return torch.cat(parts)


def _variance(x: Tensor) -> Tensor:
    return x.double().flatten(1).var(0).sum()
