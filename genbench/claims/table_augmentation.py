"""Classifiers of few rows of a table, helped by samples of generators that saw no others."""

from __future__ import annotations

from genbench.core.claim import Evidence, claim
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

#: one row in a hundred, as for digits: two of 200 test rows
BAR = 0.01


def experiment(
    rng: Rng, *, each: int = 10, made: int = 200, rounds: int = 2000, steps: int = 1000
) -> dict[str, list[float]]:
    """Returns the test accuracy by what is added to `each` real rows of either class."""
    return compare_extras(DATASETS.get("breast_cancer")(), each, made, rounds, steps, rng)


def figure(evidence: Evidence) -> Figure:
    """Draws the accuracy by what is added to the real rows."""
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
        note="Added to real rows, as half of every minibatch.",
    )


@claim(
    "table_augmentation",
    statement="Samples of GANs help to train classifiers of tables where rows are few.",
    source="Introductions to GANs, as a use of them; for images the claim augmentation asks it",
    why="30 measurements of tumours of two classes. Ten rows of each are all that generator and classifier "
    "see, another ten for every seed, so that the generator brings no real rows in by the back door. "
    "Without help the other half of every minibatch is real again.",
    experiment=experiment,
    quick={"rounds": 250, "steps": 250},
    scaled=("rounds",),
    literature=(
        "Against: what a GAN has learnt from a few digits teaches a classifier no more than the digits do "
        "(the claim augmentation).",
    ),
    threats=(
        "One table, whose classes a plane nearly separates: ten rows of each leave little to gain.",
        "Columns are scaled by the means and deviations of all 300 training rows, which ten rows of each do "
        "not tell.",
        "Half the rows are generated, untuned; models that take no labels learn from ten rows each.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Accuracy with samples of the best GAN less that without; other families and noise beside."""
    alone, noise = evidence.measured(ALONE), evidence.measured(NOISE)
    gans = {name: evidence.measured(name) for name in GANS}
    gain = compare_best(gans, {ALONE: alone}, "higher")
    over = compare_best(gans, {NOISE: noise}, "higher")
    text = "accuracy with samples of the best GAN less that"
    parts = [
        Effect(f"{text} without{gain.who}", gain.values, BAR, contest=gain),
        Effect(
            f"{text} with noise on real rows{over.who}",
            over.values,
            BAR,
            judged=False,
            contest=over,
        ),
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
