"""Independent random searches, and how good the best trial is on held-out points after 1, 2, 4, … trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from genbench.core.dataset import Dataset
from genbench.core.model import MODELS, build
from genbench.core.rng import Rng
from genbench.core.search import draw_point, split_point
from genbench.core.spec import Budget, Training
from genbench.experiments.training import Discrepancy, draw_samples
from genbench.training.minibatches import prepare
from genbench.training.trainer import Trainer

#: held-out points to a split, where there are so many, and samples
POINTS = 2000


@dataclass(frozen=True)
class SearchTrial:
    """Squared MMDs of one trial: to validation points, by which it is chosen, and to test points.

    Unbiased: with what equal distributions are apart in so many points, 2e-3, logarithms would differ less
    the better all families are. What is left is noise, of 3e-4.
    """

    validation: float
    test: float


def run_trial(
    name: str, dataset: Dataset, point: dict[str, Any], rounds: int, batch: int, rng: Rng
) -> SearchTrial:
    """Trains one seed of a model at a point of its search space.

    A trial whose samples are not finite is infinitely far from the data.

    Arguments:
        name: The model.
        dataset: What it learns.
        point: The point.
        rounds: Rounds of training.
        batch: Points in a minibatch.
        rng: Of one seed.
    """
    options, training = split_point(point)
    model = prepare(build(name, dataset.spec, rng, options), dataset, rng)
    adjusted = Training(**training) if training else None
    budget = Budget(steps=rounds)
    trainer = Trainer(model, dataset, budget, rng=rng, batch=batch, training=adjusted).run()
    fake = draw_samples(trainer, dataset, POINTS, rng.fork("sample"))
    if int(trainer.diverged[0]) >= 0 or not bool(fake.isfinite().all()):
        return SearchTrial(torch.inf, torch.inf)
    values = [
        float(Discrepancy(dataset.points(split)[:POINTS], unbiased=True)(fake)[0])
        for split in ("validation", "test")
    ]
    return SearchTrial(*values)


def search(
    name: str, dataset: Dataset, trials: int, rounds: int, batch: int, rng: Rng
) -> list[SearchTrial]:
    """Returns the trials of one seed's own random search, in the order in which they were drawn."""
    space, seed = MODELS.get(name).search, rng.seeds[0]
    results = []
    for k in range(trials):
        point = draw_point(space, "tuning-budget", name, dataset.name, seed, k)
        results.append(run_trial(name, dataset, point, rounds, batch, rng.fork("trial", k)))
    return results


def best_after(trials: Sequence[SearchTrial], k: int) -> float:
    """Returns the test score of the one of the first k trials that validation chooses."""
    return min(trials[:k], key=lambda trial: trial.validation).test
