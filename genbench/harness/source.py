"""Where minibatches come from: a fixed array on the device, or a stream of exact samples."""

from __future__ import annotations

from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.model import Batch, Model
from genbench.core.rng import Rng


class Source:
    """Creates minibatches for every seed, each seed's own, in model space.

    Rows are drawn with replacement from a fixed training set, or afresh from a stream;
    dequantisation noise is drawn with them.

    Arguments:
        dataset: Gives points in data space.
        rng: Its state after t minibatches is all that is needed to go on from there.
        batch: The number of points a seed, B.
    """

    def __init__(self, dataset: Dataset, rng: Rng, batch: int) -> None:
        self.dataset, self.rng, self.batch = dataset, rng, batch
        self.points: Tensor | None = None
        self.labels: Tensor | None = None
        if not dataset.stream:
            points = dataset.points("train")
            floating = points.is_floating_point()
            self.points = points.to(rng.device, rng.dtype if floating else points.dtype)
            labels = dataset.labels("train")
            self.labels = None if labels is None else labels.to(rng.device)

    def next(self, progress: float = 0.0) -> Batch:
        """Returns the next minibatch, x of shape (S, B, *event)."""
        if self.points is None:
            x = self.dataset.draw(self.batch, self.rng)
            return Batch(self.dataset.to_model(x, self.rng), None, progress)
        rows = self.rng.integers(len(self.points), self.batch)
        labels = None if self.labels is None else self.labels[rows]
        return Batch(self.dataset.to_model(self.points[rows], self.rng), labels, progress)


def training_set(dataset: Dataset, model: type[Model], rng: Rng) -> Batch:
    """Returns what `Model.prepare` sees: the whole fixed set, or `prepare_size` points of a stream.

    A fixed set is dequantised once for all seeds and expanded, so it takes the memory of one.
    """
    if dataset.stream:
        x = dataset.draw(model.prepare_size, rng.fork("prepare-data"))
        return Batch(dataset.to_model(x))
    points = dataset.points("train").to(rng.device)
    points = points.to(rng.dtype) if points.is_floating_point() else points
    once = Rng([0], device=rng.device, dtype=rng.dtype).fork("prepare-data")
    x = dataset.to_model(points.unsqueeze(0), once)
    labels = dataset.labels("train")
    if labels is not None:
        labels = labels.to(rng.device).expand(len(rng), -1)
    return Batch(x.expand(len(rng), *x.shape[1:]), labels)
