"""What a judge of pairs adds to regression, where edges say little and where they say nearly all."""

from __future__ import annotations

import math
from functools import partial

from genbench.core.claim import Evidence, Run, claim
from genbench.core.effect import Effect, Values, difference, log_ratio
from genbench.core.figure import Figure, strip

METRICS = ("class_kept", "fid", "psnr")
#: the cells of the suite `translate`
translate = partial(
    Run, "pix2pix", "edges", METRICS, steps=3000, quick_steps=75, batch=32, samples=2000
)
OPTIONS = {
    "L1": {"judge": "none"},
    "L1, encoder–decoder": {"judge": "none", "network": "encoder_decoder"},
    "GAN": {"judge": "image", "l1": 0.0},
    "cGAN": {"l1": 0.0},
    "L1 + GAN": {"judge": "image"},
    "L1 + cGAN": {},
}
BOTH = ("L1", "L1 + cGAN")
COARSE = {
    name: translate(options=o, dataset_options={"of": "fashion_mnist", "coarse": 4})
    for name, o in OPTIONS.items()
}
FINE = {n: translate(options=OPTIONS[n], dataset_options={"of": "fashion_mnist"}) for n in BOTH}
BACK = {
    n: translate(options=OPTIONS[n], dataset_options={"of": "fashion_mnist", "reverse": True})
    for n in BOTH
}


def figure(evidence: Evidence) -> Figure:
    """Draws the distance of what is made of coarse edges and of fine ones."""
    rows = {"coarse edges": COARSE, "edges": FINE}
    return strip(evidence, rows, "fid", "fid, lower is better", log="y")


@claim(
    "paired_translation",
    statement="Judging pairs ties an output to its input, skips keep what the input shows, and the absolute "
    "error with a judge of pairs is best where many outputs are right; where one is, regression wins.",
    source="Goodfellow, answers on Quora and NIPS 2016 tutorial (1701.00160), section 1; Isola et al., 2017",
    why="Rows of the paper's tables on one network and one number of rounds. Clothes from edges drawn at "
    "seven pixels have many right answers, from edges at 28 nearly one, and edges from clothes exactly "
    "one; the classifier that judges classes and distances has seen real clothes alone.",
    runs=(*COARSE.values(), *FINE.values(), *BACK.values()),
    outsiders={"pix2pix": "it makes points from sources"},
    null_exemptions={
        "class_kept": "an accuracy of labels",
        "psnr": "an error from the only right answer",
    },
    literature=(
        "Cityscapes, labels to photographs, accuracy of pixels / of classes / IoU (Isola et al., 2017, Table "
        "1): L1 .42/.15/.11, GAN .22/.05/.01, cGAN .57/.22/.16, L1 + GAN .64/.20/.15, L1 + cGAN .66/.23/.17, "
        "truth .80/.26/.21.",
        "Against, photographs to labels (Table 5): L1 .86/.42/.35 beats L1 + cGAN .83.",
    ),
    threats=(
        "Small networks, 3,000 rounds: a judge alone needs more than regression does.",
        "Clothes of 28 pixels in grey; the paper's tables are of photographs of streets.",
        "The class is read from the whole image, not pixel by pixel.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Classes kept, log ratios of distances, and errors in the reverse direction."""

    def of(rows: dict[str, Run], name: str, column: str = "fid") -> Values:
        return evidence.scores(rows[name], column)

    coarse = log_ratio(of(COARSE, "L1"), of(COARSE, "L1 + cGAN"))
    fine = log_ratio(of(FINE, "L1"), of(FINE, "L1 + cGAN"))

    def kept(one: str, other: str) -> Values:
        return difference(of(COARSE, one, "class_kept"), of(COARSE, other, "class_kept"))

    lost = difference(of(BACK, "L1", "psnr"), of(BACK, "L1 + cGAN", "psnr"))
    parts = [
        Effect(
            "coarse edges: classes kept by cGAN less by GAN",
            kept("cGAN", "GAN"),
            0.1,
            unit="share",
        ),
        Effect("coarse edges: log FID of L1 over L1 + cGAN's", coarse, math.log(1.1)),
        Effect("the same less that of fine edges", difference(coarse, fine), math.log(1.1)),
        Effect(
            "coarse edges: classes kept by the U-Net less by the encoder–decoder, L1",
            kept("L1", "L1, encoder–decoder"),
            0.02,
            unit="share",
        ),
        Effect("edges from clothes: PSNR of L1 less L1 + cGAN's", lost, 0.0, unit="dB"),
    ]
    text = "coarse edges: log FID of L1 + GAN over L1 + cGAN's"
    both = log_ratio(of(COARSE, "L1 + GAN"), of(COARSE, "L1 + cGAN"))
    return [*parts, Effect(text, both, 0.0, judged=False)]
