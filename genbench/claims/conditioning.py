"""What labels do for samples, and whether InfoGAN's codes find the classes without them."""

from __future__ import annotations

import math

from genbench.claims._cells import FASHION, column, conditional, inverse
from genbench.core.claim import NEW_SEEDS, Evidence, claim
from genbench.core.effect import Effect, compare_best
from genbench.core.figure import Figure, strip

METRIC = "class_accuracy"
LABELLED = {name: conditional(name, metrics=(METRIC, "fid")) for name in ("cgan", "acgan")}
#: without labels, with the penalty that both have
PLAIN = conditional("r1_gan", metrics=("fid",))
#: and without it, shown beside
BARE = conditional("gan", metrics=("fid",))
INFOGAN = inverse("infogan", metrics=("code_accuracy",), options={"latent": 16})

BAR = 0.9


def figure(evidence: Evidence) -> Figure:
    """Draws the distance with and without labels."""
    rows = {"with labels": LABELLED, "without": {"r1_gan": PLAIN, "gan": BARE}}
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
    """Returns what labels do for the distance, beside R1, and how well InfoGAN's categories are classes."""
    parts = []
    for name, run in {"R1 and no labels": PLAIN, "neither": BARE}.items():
        plain = {run.model: evidence.scores(run, "fid")}
        gap = compare_best(column(evidence, LABELLED, "fid"), plain, "lower", log=True)
        text = f"log FID of the GAN with {name} over the best with both{gap.who}"
        parts.append(Effect(text, gap.values, math.log(1.1), contest=gap, judged=run is PLAIN))
    codes = "InfoGAN: held-out digits whose category is their class's"
    share = evidence.scores(INFOGAN, "category_accuracy")
    return [*parts, Effect(codes, share, 0.5, unit="share")]


@claim(
    "conditioning",
    statement="Labels help a GAN's samples and steer them (CGAN, ACGAN); InfoGAN's codes become "
    "predictable without any.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), sections 4.1 and 5.6; Mirza and Osindero, "
    "2014; Odena et al., 2017; Chen et al., 2016",
    why="A classifier of real digits says whether a sample is of the class requested; the "
    "distance is of all classes together, against a GAN with the penalty R1, which CGAN and ACGAN have. "
    "InfoGAN's categories are matched to classes one to one.",
    runs=(*LABELLED.values(), PLAIN, BARE, INFOGAN),
    first_seed=NEW_SEEDS,
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
        "R1 is weighted as each model's tuning chose it, or by default.",
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
