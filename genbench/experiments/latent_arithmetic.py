"""Sums and differences of digits' codes: tasks, and the shares of them that models solve."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from genbench.core.dataset import DATASETS, Dataset
from genbench.core.feature import EXTRACTORS
from genbench.core.model import Model, build
from genbench.core.rng import Rng
from genbench.experiments.strokes import slant, stroke_width
from genbench.experiments.training import train

#: options; the plain game drops classes of digits, so that its gradient penalty is on
MODELS: dict[str, dict[str, Any]] = {
    "r1_gan": {"latent": 16},
    "vae": {"latent": 16},
    "bigan": {"latent": 16},
    "realnvp": {"layers": 6},
}


#: codes averaged for a term of the sum, as in DCGAN's paper
EXEMPLARS = 3


#: a class takes part with so many codes on either side of its middle third
LEAST = 10


ATTRIBUTES: dict[str, Callable[[Tensor], Tensor]] = {"stroke width": stroke_width, "slant": slant}


@dataclass(frozen=True)
class Space:
    """The codes of a trained model.

    Arguments:
        prior: Draws codes, (n, rng) to (S, n, L).
        decode: Maps codes (S, n, L) to points in model space.
        encode: Maps points (S, n, *event) to codes, or None where there is no such map.
    """

    prior: Callable[[int, Rng], Tensor]
    decode: Callable[[Tensor], Tensor]
    encode: Callable[[Tensor], Tensor] | None


def open_space(model: Model, rng: Rng) -> Space:
    """Returns the codes of a model named in `MODELS`."""
    m: Any = model
    if model.name == "vae":
        net = m.autoencoder
        return Space(
            lambda n, r: r.normal(n, net.latent),
            lambda z: net.draw(z, rng, mean=True),
            lambda x: m.encode(x, rng),
        )
    if model.name == "bigan":
        return Space(m.game.prior, m.game.generator, lambda x: m.encode(x, rng))
    if model.name == "realnvp":
        return Space(m.prior, lambda z: m.inverse(z).clamp(0, 1), lambda x: m(x)[0])
    return Space(lambda n, r: r.normal(n, m.pair.latent), m.pair.decode, None)


@dataclass(frozen=True)
class Tasks:
    """Sums of one seed: rows of codes, (N, EXEMPLARS) a term, the class and the value to reach.

    Arguments:
        plus: High of one class.
        minus: Low of it.
        unsorted: Of the same, high and low alike, twice: (2, N, EXEMPLARS).
        start: Low of another class.
        target: That class, shape (N,).
        beyond: Its median, shape (N,).
    """

    plus: Tensor
    minus: Tensor
    unsorted: Tensor
    start: Tensor
    target: Tensor
    beyond: Tensor


def draw_tasks(labels: Tensor, values: Tensor, n: int, rng: Rng) -> Tasks | None:
    """Returns n tasks: high of class i, less low of i, plus low of j, for the high of j.

    High and low are a class's outer thirds; the sum must be of class j and beyond its median.

    Arguments:
        labels: Classes, shape (N,).
        values: The attribute, shape (N,).
        n: How many tasks.
        rng: Of one seed.
    """
    low, high, middle, classes = [], [], [], []
    for c in labels.unique().tolist():
        rows = (labels == c).nonzero().squeeze(1)
        rows = rows[values[rows].argsort()]
        third = len(rows) // 3
        if third >= LEAST:
            low.append(rows[:third])
            high.append(rows[-third:])
            middle.append(values[rows].median())
            classes.append(c)
    if len(classes) < 2:
        return None
    i = rng.integers(len(classes), n)[0]
    j = (i + 1 + rng.integers(len(classes) - 1, n)[0]) % len(classes)

    def some(groups: list[Tensor], which: Tensor) -> Tensor:
        sizes = torch.tensor([len(group) for group in groups], device=which.device)
        chosen = (rng.uniform(n, EXEMPLARS)[0] * sizes[which].unsqueeze(1)).long()
        return pad_sequence(groups, batch_first=True)[which.unsqueeze(1), chosen]

    both = [torch.cat(pair) for pair in zip(low, high, strict=True)]
    named, medians = torch.tensor(classes, device=labels.device), torch.stack(middle)
    unsorted = torch.stack([some(both, i), some(both, i)])
    return Tasks(some(high, i), some(low, i), unsorted, some(low, j), named[j], medians[j])


def solve(
    space: Space,
    dataset: Dataset,
    z: Tensor,
    labels: Tensor,
    values: Tensor,
    measure: Callable[[Tensor], Tensor],
    n: int,
    rng: Rng,
) -> dict[str, Tensor]:
    """Returns shares of tasks solved by sums, by unsorted ones, and by random steps as long, (S,).

    They are -infinite where a model generates fewer than two classes, so that it can be set no task.

    Arguments:
        space: Where sums are made.
        dataset: Maps to data space, and has the classes that a classifier distinguishes.
        z: Codes, shape (S, N, L).
        labels: Their classes, shape (S, N).
        values: Their attribute, shape (S, N).
        measure: Measures the attribute of images.
        n: How many tasks each seed has.
        rng: Draws them.
    """
    tasks = [draw_tasks(labels[k], values[k], n, rng.only(k)) for k in range(len(rng))]
    starts, steps, blind = torch.zeros(3, len(rng), n, z.shape[-1], device=rng.device).unbind(0)
    for k, task in enumerate(tasks):
        if task is not None:
            starts[k] = z[k, task.start].mean(1)
            steps[k] = z[k, task.plus].mean(1) - z[k, task.minus].mean(1)
            blind[k] = z[k, task.unsorted[0]].mean(1) - z[k, task.unsorted[1]].mean(1)
    chance = rng.fork("direction").normal(n, z.shape[-1])
    chance = chance * (steps.norm(dim=-1, keepdim=True) / chance.norm(dim=-1, keepdim=True))
    shares = {}
    for name, step in {"sum": steps, "unsorted": blind, "random": chance}.items():
        images = dataset.to_data(space.decode(starts + step))
        shares[name] = torch.tensor(
            [
                -math.inf if task is None else _share(task, one, dataset, measure)
                for task, one in zip(tasks, images, strict=True)
            ]
        )
    return shares


def _share(
    task: Tasks, images: Tensor, dataset: Dataset, measure: Callable[[Tensor], Tensor]
) -> float:
    right = classify(dataset, images) == task.target
    return float((right & (measure(images) > task.beyond)).double().mean())


def classify(dataset: Dataset, x: Tensor) -> Tensor:
    """Returns the classes that a classifier of real digits gives to images (N, 1, H, W), shape (N,)."""
    extractor: Any = EXTRACTORS.get("classifier")(dataset)
    return extractor.logits(x).argmax(-1)


def train_space(name: str, dataset: Dataset, rounds: int, rng: Rng) -> tuple[Space, Tensor]:
    """Trains a model; returns its codes and whether each seed's losses stayed finite, shape (S,)."""
    model = build(name, dataset.spec, rng, MODELS[name])
    trainer = train(model, dataset, rounds, rng, batch=128)
    return open_space(model, rng.fork("codes")), trainer.diverged < 0


@torch.no_grad()
def measure_shares(
    space: Space, dataset: Dataset, pool: int, tasks: int, rng: Rng
) -> dict[str, Tensor]:
    """Returns shares of tasks solved in a space, by where codes are from, attribute and step, (S,)."""
    z = space.prior(pool, rng.fork("pool"))
    images = dataset.to_data(space.decode(z))
    sources = {"samples": (z, images, torch.stack([classify(dataset, x) for x in images]))}
    labels = dataset.labels("train")
    if space.encode is not None and labels is not None:
        real = dataset.points("train").to(rng.device).expand(len(rng), -1, -1, -1, -1)
        codes = space.encode(dataset.to_model(real))
        # reconstructed, lest blur pass for thickness
        again = dataset.to_data(space.decode(codes))
        sources["digits"] = codes, again, labels.to(rng.device).expand(len(rng), -1)
    columns = {}
    for source, (codes, points, classes) in sources.items():
        for attribute, measure in ATTRIBUTES.items():
            values = torch.stack([measure(x) for x in points])
            draws = rng.fork(source, attribute)
            shares = solve(space, dataset, codes, classes, values, measure, tasks, draws)
            columns |= {f"{source}_{attribute}_{step}": row for step, row in shares.items()}
    return columns


def experiment(
    rng: Rng, *, rounds: int = 3000, pool: int = 2000, tasks: int = 1000
) -> dict[str, list[float]]:
    """Returns the shares of tasks solved, by model, source of codes, attribute and step.

    They are -infinite where a seed's losses did not stay finite.
    """
    dataset = DATASETS.get("digits")()
    columns: dict[str, list[float]] = {}
    for name in MODELS:
        space, finite = train_space(name, dataset, rounds, rng.fork(name))
        shares = measure_shares(space, dataset, pool, tasks, rng.fork(name, "tasks"))
        columns |= {
            f"{name}_{key}": row.where(finite, -math.inf).tolist() for key, row in shares.items()
        }
    return columns
