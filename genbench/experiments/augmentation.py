"""Classifiers trained on few real points and on samples of models that saw no others."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.dataset import Dataset
from genbench.core.model import Batch, Player, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.experiments.training import draw_samples, fail, train, train_players
from genbench.families.labels import labels_of
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam
from genbench.training.trainer import Trainer

#: given the class of what they learn and generate
GANS = ("cgan", "acgan")


CONDITIONAL = (*GANS, "vae_m2")


#: not given the class, so that every class has a generator of its own: trained ones, and references
APART: dict[str, dict[str, Any]] = {
    # enough for ten digits
    "made": {"hidden": (128,), "components": 2},
    "realnvp": {},
    "rbm": {"hidden": 32},
}


FITTED = ("gaussian", "kde")


#: what is added to the classifier's real points: nothing new, and the same points under noise
ALONE, NOISE = "real points alone", "real points under noise"


#: the noise's standard deviation in grey values, of 1
DEVIATION = 0.1


#: real points in a minibatch, of a generator's as of the classifier's, which has as many others
BATCH = 64


def choose_few(dataset: Dataset, count: int, rng: Rng) -> Tensor:
    """Returns training points that a seed sees, `count` of every class, shape (S, C, count, *event)."""
    points, labels = dataset.points("train").to(rng.device), dataset.labels("train")
    assert labels is not None
    labels = labels.to(rng.device)
    rows = [
        torch.stack([order[labels[order] == c][:count] for c in range(int(labels.max()) + 1)])
        for order in rng.permutation(len(points))
    ]
    return points[torch.stack(rows)]


def draw(shots: Tensor, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
    """Returns n points and their labels from (S, C, count, *event): (S, n, *event) and (S, n)."""
    count, rows = shots.shape[2], rng.integers(shots.shape[1] * shots.shape[2], n)
    x = torch.stack([points[row] for points, row in zip(shots.flatten(1, 2), rows, strict=True)])
    return x, rows // count


def generate_by_label(
    name: str, dataset: Dataset, shots: Tensor, n: int, rounds: int, rng: Rng
) -> Tensor:
    """Trains a model that is given the class; returns n samples of each, shape (S, C, n, *event)."""
    model: Any = build(name, dataset.spec, rng)
    data = rng.fork("data")

    def batch(progress: float) -> Batch:
        x, labels = draw(shots, BATCH, data)
        return Batch(dataset.to_model(x, data), labels, progress)

    Trainer(model, batch, Budget(steps=rounds), rng=rng).run().finish()
    labels = torch.arange(shots.shape[1], device=rng.device).repeat_interleave(n)
    with torch.no_grad():
        points = model.sample_class(labels.expand(len(rng), -1), rng.fork("sample"))
    return dataset.to_data(points).unflatten(1, (-1, n))


class Class(Dataset):
    """A class's few points, with replacement; the seeds of a stack are the classes of every seed in turn.

    Arguments:
        dataset: Where they are from.
        shots: The points, shape (S C, count, *event).
    """

    stream = True

    def __init__(self, dataset: Dataset, shots: Tensor) -> None:
        super().__init__()
        self.spec = replace(dataset.spec, classes=None)
        self.whole, self.shots = dataset, shots

    def points(self, split: str) -> Tensor:
        """Returns all points of all classes, whatever the split, shape (N, *event)."""
        return self.shots.flatten(0, 1)

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n points of every seed's class, shape (S C, n, *event)."""
        rows = rng.integers(self.shots.shape[1], n)
        return torch.stack([x[row] for x, row in zip(self.shots, rows, strict=True)])

    def to_model(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        """Maps as the whole data set does."""
        return self.whole.to_model(x, rng)

    def to_data(self, y: Tensor) -> Tensor:
        """Maps as the whole data set does."""
        return self.whole.to_data(y)


def generate_by_class(
    name: str, dataset: Dataset, shots: Tensor, n: int, rounds: int, rng: Rng
) -> Tensor:
    """Trains a model of every class separately; returns n samples of each, shape (S, C, n, *event)."""
    classes = shots.shape[1]
    seeds = [seed * classes + c for seed in rng.seeds for c in range(classes)]
    own = Rng(seeds, device=rng.device, dtype=rng.dtype, path=rng.path)
    one = Class(dataset, shots.flatten(0, 1))
    model = build(name, one.spec, own, APART.get(name))
    if name in FITTED:
        # not through a stream, since a kernel's width would follow its repeated draws
        model.prepare(Batch(one.to_model(one.shots, own.fork("data"))), own.fork("prepare"))
        with torch.no_grad():
            points = one.to_data(model.eval().sample(n, own.fork("sample")))
    else:
        trainer = train(model, one, rounds, own, batch=shots.shape[2])
        points = draw_samples(trainer, one, n, own.fork("sample"))
    return points.unflatten(0, (-1, classes))


def measure_accuracy(
    dataset: Dataset, shots: Tensor, extra: Tensor, steps: int, rng: Rng
) -> Tensor:
    """Returns the test accuracy of classifiers trained half on real points, half on others, (S,).

    It is -infinite where a point is not finite.
    """

    def see(x: Tensor) -> Tensor:
        # bounded data in [-1, 1], others as models see them
        return dataset.to_model(x) if dataset.spec.range is None else 2 * x - 1

    net = MLP(dataset.spec.size, shots.shape[1], (128,), rng.fork("init"))
    draws = rng.fork("real"), rng.fork("extra")

    def minibatch(progress: float) -> Batch:
        parts = [draw(p, BATCH, r) for p, r in zip((shots, extra), draws, strict=True)]
        x, labels = (torch.cat(column, 1) for column in zip(*parts, strict=True))
        return Batch(x, labels)

    def loss(batch: Batch, noise: Rng) -> Tensor:
        logits, labels = net(see(batch.x.flatten(2))), labels_of(batch)
        rows = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
        return rows.view(labels.shape).mean(1)

    train_players([Player("classifier", net, loss, adam(1e-3))], minibatch, steps, rng)
    test, truth = dataset.points("test").to(rng.device), dataset.labels("test")
    assert truth is not None
    with torch.no_grad():
        classes = net(see(test.flatten(1).expand(len(rng), -1, -1))).argmax(-1)
    return fail((classes == truth.to(rng.device)).double().mean(1), extra, -math.inf)


def blur(dataset: Dataset, points: Tensor, noise: Tensor) -> Tensor:
    """Returns points under noise of `DEVIATION`: grey values within their range, columns in deviations."""
    if dataset.spec.range is None:
        return dataset.to_data(dataset.to_model(points) + noise)
    return (points + noise).clamp(0, 1)


def compare_extras(
    dataset: Dataset, shot_count: int, extra_count: int, rounds: int, steps: int, rng: Rng
) -> dict[str, list[float]]:
    """Returns the test accuracy by what is added to `shot_count` real points of every class.

    Generators are trained on those points alone and generate `extra_count` of every class.
    """
    shots = choose_few(dataset, shot_count, rng.fork("few"))
    noise = DEVIATION * rng.fork("noise").normal(shots.shape[1], extra_count, *shots.shape[3:])
    again = shots.repeat_interleave(-(-extra_count // shot_count), 2)[:, :, :extra_count]
    extra = {ALONE: shots, NOISE: blur(dataset, again, noise)}
    for name in CONDITIONAL:
        extra[name] = generate_by_label(name, dataset, shots, extra_count, rounds, rng.fork(name))
    for name in (*APART, *FITTED):
        extra[name] = generate_by_class(
            name, dataset, shots, extra_count, rounds // 4, rng.fork(name)
        )
    draws = rng.fork("classifier")
    return {
        name: measure_accuracy(dataset, shots, points.to(shots), steps, draws).tolist()
        for name, points in extra.items()
    }
