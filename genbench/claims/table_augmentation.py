"""Classifiers of few rows of a table, helped by samples of generators that saw no others."""

from __future__ import annotations

from genbench.claims._augmentation import compare_accuracies, draw_accuracies, make_experiment
from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect
from genbench.core.figure import Figure

experiment = make_experiment("breast_cancer")


def figure(evidence: Evidence) -> Figure:
    """Draws the accuracy by what is added to the real rows."""
    return draw_accuracies(evidence, "rows")


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
    null_exemptions={
        "its experiment": "accuracies of a classifier beside that without samples",
    },
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
    return compare_accuracies(evidence, "rows")
