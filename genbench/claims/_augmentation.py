"""What the claims on samples as training data have in common: the experiment, its plot and its effects."""

from __future__ import annotations

from genbench.core.claim import Evidence, Experiment
from genbench.core.dataset import DATASETS
from genbench.core.effect import Effect, compare_best, difference
from genbench.core.figure import Figure, Series
from genbench.core.rng import Rng
from genbench.experiments.augmentation import (
    ALONE,
    APART,
    CONDITIONAL,
    FITTED,
    GANS,
    NOISE,
    compare_extras,
)

#: one point in a hundred: five of 500 test digits, two of 200 test rows of a table
BAR = 0.01


def make_experiment(dataset: str) -> Experiment:
    """Returns the experiment on a data set, by its name."""

    def experiment(
        rng: Rng, *, each: int = 10, made: int = 200, rounds: int = 2000, steps: int = 1000
    ) -> dict[str, list[float]]:
        """Returns the test accuracy by what is added to `each` real points of every class."""
        return compare_extras(DATASETS.get(dataset)(), each, made, rounds, steps, rng)

    return experiment


def draw_accuracies(evidence: Evidence, points: str = "points") -> Figure:
    """Draws the accuracy by what is added to the real points, which may have another name."""
    others = tuple(name for name in CONDITIONAL if name not in GANS)
    kinds = {"no model": (ALONE, NOISE), "GANs": GANS, "others": (*others, *APART, *FITTED)}
    return Figure(
        "strip",
        "",
        "test accuracy of the classifier",
        [
            Series(kind, names, [evidence.measured(name) for name in names])
            for kind, names in kinds.items()
        ],
        note=f"Added to real {points}, as half of every minibatch.",
    )


def compare_accuracies(evidence: Evidence, points: str = "points") -> list[Effect]:
    """Accuracy with samples of the best GAN less that without; other families and noise beside."""
    alone, noise = evidence.measured(ALONE), evidence.measured(NOISE)
    gans = {name: evidence.measured(name) for name in GANS}
    gain = compare_best(gans, {ALONE: alone}, "higher")
    over = compare_best(gans, {NOISE: noise}, "higher")
    text = "accuracy with samples of the best GAN less that"
    beside = f"{text} with noise on real {points}{over.who}"
    parts = [
        Effect(f"{text} without{gain.who}", gain.values, BAR, contest=gain),
        Effect(beside, over.values, BAR, judged=False, contest=over),
    ]
    return parts + [
        Effect(
            f"{name}: accuracy less that of {ALONE}",
            difference(evidence.measured(name), alone),
            BAR,
            judged=False,
        )
        for name in (*CONDITIONAL, *APART, *FITTED, NOISE)
    ]
