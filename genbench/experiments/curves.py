"""GANs that are looked at along their training, and what says how good their samples are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.feature import EXTRACTORS
from genbench.core.metric import METRICS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.experiments.training import Arrange, draw_samples, train
from genbench.training.trainer import Trainer

#: by data set, what says how good samples are, and knows nothing of the discriminator or of a discrepancy
QUALITY = {"ring": "js_to_truth", "grid": "js_to_truth", "digits": "fid"}
#: samples that are measured at a look
SAMPLES = 2000

#: maps samples of one seed in data space, (n, *event), and draws to a number
Measure = Callable[[Tensor, Rng], float]
#: maps a trainer to columns of one value per seed
Look = Callable[[Trainer], dict[str, list[float]]]


def make_quality(dataset: Dataset, name: str) -> Measure:
    """Returns what measures samples by the truth, or by test points in features of a classifier."""
    function = METRICS.get(name).function
    if name != "fid":
        return lambda fake, rng: float(function(fake, dataset.truth, rng=rng).value)
    extract = EXTRACTORS.get("classifier")(dataset).extract
    real = extract(dataset.points("test"))
    return lambda fake, rng: float(function(real, extract(fake), rng=rng))


def measure_samples(
    trainer: Trainer, dataset: Dataset, measure: Measure, draws: Rng, n: int | None = None
) -> list[float]:
    """Returns a measure of n fresh samples (None: `SAMPLES`) of every seed, lower being better.

    It is infinite where a sample is not finite.
    """
    fakes = draw_samples(trainer, dataset, n or SAMPLES, draws)
    return [
        measure(fake, draws.only(k)) if bool(fake.isfinite().all()) else math.inf
        for k, fake in enumerate(fakes)
    ]


def compare_with_last_and_best(at: Tensor, true: Tensor) -> dict[str, Tensor]:
    """Returns log ratios of a look's quality to that of the last and of the best look, lower being better.

    They are infinite where the look is of a seed that had diverged, and -infinite over a last one that had.

    Arguments:
        at: The quality at the look, shape (S,).
        true: At all looks, shape (S, T).
    """
    ratios = {"over_last": at / true[:, -1], "over_best": at / true.amin(1)}
    return {key: torch.where(at.isfinite(), row.log(), math.inf) for key, row in ratios.items()}


def train_and_look(
    dataset: Dataset,
    steps: int,
    points: int,
    rng: Rng,
    look: Look,
    *,
    batch: int = 128,
    options: dict[str, Any] | None = None,
    arrange: Arrange = list,
) -> dict[str, Tensor]:
    """Trains GANs and looks at them at equal steps; returns the columns, (S, points), float64.

    Arguments:
        dataset: What they learn.
        steps: Rounds of training.
        points: How many looks there are, the last at the end.
        rng: The stack's.
        look: Measures at a look.
        batch: Points per seed in a minibatch.
        options: Of the GAN.
        arrange: Maps its players to those that train.
    """
    model = build("gan", dataset.spec, rng, options)
    rows: dict[str, list[list[float]]] = {}
    marks = [round(steps * (i + 1) / points) for i in range(points)]

    def watch(trainer: Trainer) -> None:
        for _ in range(marks.count(trainer.step)):
            for key, values in look(trainer).items():
                rows.setdefault(key, []).append(values)

    train(model, dataset, steps, rng, batch=batch, arrange=arrange, listener=watch)
    return {key: torch.tensor(row, dtype=torch.float64).T for key, row in rows.items()}
