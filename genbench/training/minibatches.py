"""Where minibatches come from: a fixed array on the device, or a stream of exact samples."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.model import Batch, Model
from genbench.core.rng import Rng

#: stands in place of a label that a seed is not shown
HIDDEN = -1


class Minibatches:
    """Draws minibatches for every seed, each seed's own, in model space.

    Rows are drawn with replacement from a fixed training set, or afresh from a stream;
    dequantisation noise is drawn with them.

    Arguments:
        dataset: Gives points in data space.
        rng: Its state after t minibatches is all that is needed to go on from there.
        batch: The number of points per seed, B.
        labels: What each seed sees of the training labels, shape (S, N); None shows them all.
    """

    def __init__(
        self, dataset: Dataset, rng: Rng, batch: int, *, labels: Tensor | None = None
    ) -> None:
        self.dataset, self.rng, self.batch = dataset, rng, batch
        self.points: Tensor | None = None
        self.labels: Tensor | None = None
        if not dataset.stream:
            points = dataset.points("train")
            floating = points.is_floating_point()
            self.points = points.to(rng.device, rng.dtype if floating else points.dtype)
            self.labels = (
                _expanded_labels(dataset, rng) if labels is None else labels.to(rng.device)
            )

    def __call__(self, progress: float = 0.0) -> Batch:
        """Returns the next minibatch, x of shape (S, B, *event)."""
        if self.points is None:
            x = self.dataset.draw(self.batch, self.rng)
            return Batch(self.dataset.to_model(x, self.rng), None, progress)
        rows = self.rng.integers(len(self.points), self.batch)
        labels = None if self.labels is None else self.labels.gather(1, rows)
        return Batch(self.dataset.to_model(self.points[rows], self.rng), labels, progress)


def training_set(
    dataset: Dataset, model: type[Model], rng: Rng, *, labels: Tensor | None = None
) -> Batch:
    """Returns what `Model.prepare` sees: the whole fixed set, or `prepare_size` points of a stream.

    A fixed set is dequantised once for all seeds and expanded, so it takes the memory of one.
    `labels`, shape (S, N), are what each seed sees of the training labels; None shows them all.
    """
    if dataset.stream:
        x = dataset.draw(model.prepare_size, rng.fork("prepare-data"))
        return Batch(dataset.to_model(x))
    points = dataset.points("train").to(rng.device)
    points = points.to(rng.dtype) if points.is_floating_point() else points
    once = Rng([0], device=rng.device, dtype=rng.dtype).fork("prepare-data")
    x = dataset.to_model(points.unsqueeze(0), once)
    labels = _expanded_labels(dataset, rng) if labels is None else labels.to(rng.device)
    return Batch(x.expand(len(rng), *x.shape[1:]), labels)


def prepare(model: Model, dataset: Dataset, rng: Rng, *, labelled: int | None = None) -> Model:
    """Shows a built model its training set, `labelled` labels per seed (None: all); returns it.

    Arguments:
        model: As `build` returns it.
        dataset: What it will learn.
        rng: The stack's, with which it was built.
        labelled: How many training labels a seed sees.
    """
    labels = visible_labels(dataset, labelled, rng)
    with torch.no_grad():
        model.prepare(training_set(dataset, type(model), rng, labels=labels), rng.fork("prepare"))
    return model


def visible_labels(dataset: Dataset, labelled: int | None, rng: Rng) -> Tensor | None:
    """Returns what each seed sees of the training labels, shape (S, N); None where nothing is hidden.

    Every seed sees `labelled` labels of its own, drawn at random, as many of each class as of the
    others (give or take one); the rest become -1. The draw depends on the seed and on `labelled`
    alone, is the same on every device, and a seed's larger choice includes its smaller one.

    Arguments:
        dataset: Fixed, with labels.
        labelled: How many labels a seed sees, or None.
        rng: The stack's, before any fork.

    Raises:
        DataError: If the data set has fewer labels, or none.
    """
    if labelled is None:
        return None
    labels = None if dataset.stream else dataset.labels("train")
    count = 0 if labels is None else len(labels)
    if labels is None or labelled > count:
        raise DataError(
            f"labelled needs at most the {count} training labels of {dataset.name}, got {labelled}; "
            f"lower it, or take a data set with more labels"
        )
    visible = torch.full((len(rng), count), HIDDEN)
    draws = rng.to("cpu").fork("labelled")
    orders = draws.fork("points").permutation(count)
    ranks = draws.fork("classes").permutation(int(labels.max()) + 1)
    for row, order, rank in zip(visible, orders, ranks, strict=True):
        chosen = order[_balanced(labels[order], rank)[:labelled]]
        row[chosen] = labels[chosen]
    return visible


def _balanced(labels: Tensor, rank: Tensor) -> Tensor:
    """Orders points so that classes take turns, in the order of their ranks, until each is used up."""
    counts = torch.nn.functional.one_hot(labels, len(rank)).cumsum(0)
    turn = counts.gather(1, labels.unsqueeze(1)).squeeze(1)
    return (turn * len(rank) + rank[labels]).argsort()


def _expanded_labels(dataset: Dataset, rng: Rng) -> Tensor | None:
    labels = dataset.labels("train")
    return None if labels is None else labels.to(rng.device).expand(len(rng), -1)
