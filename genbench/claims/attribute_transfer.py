"""Whether what is made of one class is of the other, and still like what it was made of."""

from __future__ import annotations

from functools import partial

from genbench.core.claim import Evidence, Run, claim
from genbench.core.effect import Effect, difference
from genbench.core.figure import Figure, strip

#: the cells of the suite `attributes`
attributes = partial(
    Run,
    dataset="attribute",
    metrics=("target_class", "content_kept", "fid"),
    steps=1500,
    quick_steps=75,
    batch=32,
    samples=1000,
    dataset_options={"of": "fashion_mnist"},
)
CYCLEGAN = attributes("cyclegan", options={"width": 8, "identity": 0.5})
COPY, ANY = attributes("copy"), attributes("random_target")
ROWS = {"CycleGAN": CYCLEGAN, "copy": COPY, "any coat": ANY}


def figure(evidence: Evidence) -> Figure:
    """Draws the rank of the own source among a hundred."""
    return strip(
        evidence, {"coats from pullovers": ROWS}, "content_kept", "rank of the own source"
    )


@claim(
    "attribute_transfer",
    statement="An attribute can be changed without pairs: the output is of the target's class, and like the "
    "input and not any of that class.",
    source="surveys of GANs, on changing attributes of faces; Zhu et al., 2017",
    why="Coats from pullovers: an independent classifier says what an output is of, and by its features an "
    "output's own source is ranked among all others. A copy keeps all and changes nothing, any coat is "
    "right and keeps nothing: both must be beaten on what they lack.",
    runs=tuple(ROWS.values()),
    outsiders={
        name: "it makes points from sources" for name in ("cyclegan", "copy", "random_target")
    },
    null_exemptions={
        "target_class": "an accuracy of labels; copies, which change nothing, are judged by it "
        "too",
        "content_kept": "a rank beside that of a translator that takes any coat",
    },
    literature=(
        "Horses to zebras and the like (Zhu et al., 2017, section 5.2): shown in figures, not measured.",
    ),
    threats=(
        "The classifier errs on real coats; what it takes for one stands as the floor.",
        "Features of a classifier of clothes may forget what people would call likeness.",
        "Pullovers and coats differ little: the change asked for is small.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Classes of outputs and of copies, and ranks of the own source."""
    of = {name: evidence.scores(run, "target_class") for name, run in ROWS.items()}
    rank = {name: evidence.scores(run, "content_kept") for name, run in ROWS.items()}
    nearer = difference(rank["any coat"], rank["CycleGAN"])
    parts = [
        Effect("CycleGAN: outputs of the target's class", of["CycleGAN"], 0.8, unit="share"),
        Effect("rank of the own source, of any coat less CycleGAN's", nearer, 20.0, unit="of 100"),
        Effect(
            "copies of the target's class",
            of["copy"],
            0.8,
            "below",
            unit="share",
            resolution=1 / COPY.samples,
        ),
    ]
    spread = evidence.scores(CYCLEGAN, "target_class_spread")
    text = "CycleGAN: variance of outputs over that of real coats"
    return [*parts, Effect(text, spread, 0.5, unit="ratio", judged=False)]
