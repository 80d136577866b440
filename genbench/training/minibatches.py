"""Where minibatches come from: a fixed array on the device, or a stream of exact samples."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.guard import unchanged
from genbench.core.model import Batch, Model
from genbench.core.rng import Rng
from genbench.training.honesty import check_networks, draw_halves

#: stands in place of a label that a seed is not shown
HIDDEN = -1


class Minibatches:
    """Draws minibatches for every seed, each seed's own, in model space.

    Rows are drawn with replacement from a fixed training set, or afresh from a stream;
    dequantisation noise is drawn with them. Where the data set has sources they are drawn after the
    points: those of the same rows, or, unpaired, of rows of the other half (`Dataset.unpaired_rows`).

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
        self.sources: Tensor | None = None
        self.labels: Tensor | None = None
        if not dataset.stream:
            self.points, self.sources = _fixed_points(dataset, rng)
            self.labels = _fixed_labels(dataset, rng, labels)

    def __call__(self, progress: float = 0.0) -> Batch:
        """Returns the next minibatch, x of shape (S, B, *event)."""
        if self.points is None:
            x, source = _draw(self.dataset, self.batch, self.rng)
            x = self.dataset.to_model(x, self.rng)
            return Batch(x, None, progress, self._to_model(source))
        rows = self.rng.integers(len(self.points), self.batch)
        labels = None if self.labels is None else self.labels.gather(1, rows)
        x = self.dataset.to_model(self.points[rows], self.rng)
        if self.sources is None:
            return Batch(x, labels, progress)
        if not self.dataset.paired:
            rows = self.rng.integers(len(self.sources), self.batch)
        return Batch(x, labels, progress, self._to_model(self.sources[rows]))

    def _to_model(self, source: Tensor | None) -> Tensor | None:
        source_data = self.dataset.given
        if source is None or source_data is None:
            return None
        return source_data.to_model(source, self.rng)


def training_set(
    dataset: Dataset, model: type[Model], rng: Rng, *, labels: Tensor | None = None
) -> Batch:
    """Returns what `Model.prepare` sees: the whole fixed set, or `prepare_size` points of a stream.

    A fixed set is dequantised once for all seeds and expanded, so it takes the memory of one.
    `labels`, shape (S, N), are what each seed sees of the training labels; None shows them all.
    """
    if dataset.stream:
        x, source = _draw(dataset, model.prepare_size, rng.fork("prepare-data"))
        return Batch(dataset.to_model(x), source=_middles(dataset, source))
    points, sources = _fixed_points(dataset, rng)
    once = rng.for_seeds([0]).fork("prepare-data")
    with unchanged(f"data set {dataset.name!r}", [points], code=type(dataset)):
        x = dataset.to_model(points.unsqueeze(0), once)
    source = None if sources is None else _middles(dataset, sources.unsqueeze(0))
    return Batch(
        x.expand(len(rng), *x.shape[1:]),
        _fixed_labels(dataset, rng, labels),
        source=None if source is None else source.expand(len(rng), *source.shape[1:]),
    )


def _middles(dataset: Dataset, source: Tensor | None) -> Tensor | None:
    """Sources in the model space of what is given, grey levels in the middles of their cells."""
    return None if source is None or dataset.given is None else dataset.given.to_model(source)


def _draw(dataset: Dataset, n: int, rng: Rng) -> tuple[Tensor, Tensor | None]:
    """Fresh points of a stream, and sources where it has some: of other points, if it is unpaired."""
    if dataset.given is None:
        return dataset.draw(n, rng), None
    x, source = dataset.draw_pairs(n, rng)
    return (x, source) if dataset.paired else (x, dataset.draw_pairs(n, rng)[1])


def _fixed_points(dataset: Dataset, rng: Rng) -> tuple[Tensor, Tensor | None]:
    """The training points that are shown, and the sources, on the device of rng and in its type."""
    points, source_data = dataset.points("train"), dataset.given
    if source_data is None:
        return _moved(points, rng), None
    sources = source_data.points("train")
    if dataset.paired:
        return _moved(points, rng), _moved(sources, rng)
    rows, others = draw_halves(dataset)
    return _moved(points[rows], rng), _moved(sources[others], rng)


def _moved(x: Tensor, rng: Rng) -> Tensor:
    return x.to(rng.device, rng.dtype if x.is_floating_point() else x.dtype)


def prepare(model: Model, dataset: Dataset, rng: Rng, *, labelled: int | None = None) -> Model:
    """Shows a built model its training set, `labelled` labels per seed (None: all); returns it.

    Arguments:
        model: As `build` returns it.
        dataset: What it will learn.
        rng: The stack's, with which it was built.
        labelled: How many training labels a seed sees.
    """
    check_networks(model)
    labels = visible_labels(dataset, labelled, rng)
    batch = training_set(dataset, type(model), rng, labels=labels)
    inputs = batch.x, batch.labels, batch.source
    with torch.no_grad(), unchanged(f"model {model.name!r}", inputs, code=type(model)):
        model.prepare(batch, rng.fork("prepare"))
    return model


def visible_labels(dataset: Dataset, labelled: int | None, rng: Rng) -> Tensor | None:
    """Returns what each seed sees of the training labels, shape (S, N); None where nothing is hidden.

    Every seed sees `labelled` labels of its own, drawn at random, as many of each class as of the
    others (give or take one); the rest become -1. The draw depends on the seed and on `labelled`
    alone, is the same on every device, and a seed's larger choice includes its smaller one. Unpaired training
    shows some of the points alone, and it is of these that labels are seen.

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
    rows = torch.arange(count)
    if count and dataset.given is not None and not dataset.paired:
        rows = draw_halves(dataset)[0]
    if labels is None or labelled > len(rows):
        raise DataError(
            f"labelled needs at most the {len(rows)} training labels of {dataset.name}, got {labelled}; "
            f"lower it, or take a data set with more labels"
        )
    visible = torch.full((len(rng), count), HIDDEN)
    draws = rng.to("cpu").fork("labelled")
    orders = draws.fork("points").permutation(len(rows))
    ranks = draws.fork("classes").permutation(int(labels.max()) + 1)
    for row, places, rank in zip(visible, orders, ranks, strict=True):
        order = rows[places]
        chosen = order[_balanced(labels[order], rank)[:labelled]]
        row[chosen] = labels[chosen]
    return visible


def _balanced(labels: Tensor, rank: Tensor) -> Tensor:
    """Orders points so that classes take turns, in the order of their ranks, until each is used up."""
    counts = torch.nn.functional.one_hot(labels, len(rank)).cumsum(0)
    turn = counts.gather(1, labels.unsqueeze(1)).squeeze(1)
    return (turn * len(rank) + rank[labels]).argsort()


def _fixed_labels(dataset: Dataset, rng: Rng, labels: Tensor | None) -> Tensor | None:
    """What each seed sees of the labels of the points that are shown, (S, N)."""
    if labels is None:
        every = dataset.labels("train")
        labels = None if every is None else every.expand(len(rng), -1)
    if labels is not None and dataset.given is not None and not dataset.paired:
        labels = labels[:, draw_halves(dataset)[0]]
    return None if labels is None else labels.to(rng.device)
