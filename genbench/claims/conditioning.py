"""What labels do for samples, and whether InfoGAN's codes find the classes without them."""

from __future__ import annotations

import math

from genbench.claims._cells import FASHION, column, conditional, inverse
from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect, compare_best
from genbench.core.figure import Figure, strip

METRIC = "class_accuracy"
LABELLED = {name: conditional(name, metrics=(METRIC, "fid")) for name in ("cgan", "acgan")}
PLAIN = conditional("gan", metrics=("fid",))
INFOGAN = inverse("infogan", metrics=("code_accuracy",), options={"latent": 16})

BAR = 0.9


def figure(evidence: Evidence) -> Figure:
    """Draws the distance with and without labels."""
    rows = {"with labels": LABELLED, "without": {"gan": PLAIN}}
    return strip(evidence, rows, "fid", "fid, lower is better", log="y")


def measure_steering(evidence: Evidence, name: str) -> list[Effect]:
    """Returns how often samples are of the class requested."""
    return [
        Effect(
            f"{model}: samples of the class requested{' in the worst class' * (name != METRIC)}",
            evidence.scores(run, name),
            BAR,
            unit="share",
        )
        for model, run in LABELLED.items()
    ]


def measure_rest(evidence: Evidence) -> list[Effect]:
    """Returns what labels do for the distance, and how well InfoGAN's categories are classes."""
    plain = evidence.scores(PLAIN, "fid")
    gap = compare_best(column(evidence, LABELLED, "fid"), {"gan": plain}, "lower", log=True)
    text = f"log FID of the GAN without labels over the best with{gap.who}"
    codes = "InfoGAN: held-out digits whose category is their class's"
    return [
        Effect(text, gap.values, math.log(1.1), contest=gap),
        Effect(codes, evidence.scores(INFOGAN, "category_accuracy"), 0.5, unit="share"),
    ]


@claim(
    "conditioning",
    statement="Labels help a GAN's samples and steer them (CGAN, ACGAN); InfoGAN's codes become "
    "predictable without any.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), sections 4.1 and 5.6; Mirza and Osindero, "
    "2014; Odena et al., 2017; Chen et al., 2016",
    why="A classifier of real digits says whether a sample is of the class requested; the "
    "distance is of all classes together. InfoGAN's categories are matched to classes one to one.",
    runs=(*LABELLED.values(), PLAIN, INFOGAN),
    null_exemptions={
        "class_accuracy": "an accuracy of labels, of which chance gets about a tenth",
        "category_accuracy": "an accuracy of labels, of which chance gets about a tenth",
    },
    literature=(
        "Labels in any form improve samples as people see them (tutorial, section 4.1).",
        "InfoGAN's categorical code sorts MNIST with 5 % error (Chen et al., 2016).",
    ),
    outsiders={
        "cgan": "it is given labels",
        "acgan": "it is given labels",
        "infogan": "its codes are the question",
    },
    threats=(
        "Samples may be of their class and lack variety; the suite conditional shows the spread.",
        "The bar is an accuracy of nine tenths; the classifier itself errs on a few real digits.",
    ),
    figure=figure,
    elsewhere=(FASHION,),
    by_metric=lambda evidence: {
        f"{METRIC}_worst": [
            *measure_steering(evidence, f"{METRIC}_worst"),
            *measure_rest(evidence),
        ]
    },
)
def effects(evidence: Evidence) -> list[Effect]:
    """Accuracy of each, distance of the best conditional GAN, and accuracy of InfoGAN's categories."""
    return [*measure_steering(evidence, METRIC), *measure_rest(evidence)]
