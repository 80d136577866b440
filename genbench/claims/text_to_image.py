"""Whether captions can be drawn, rightly and in more than one way."""

from __future__ import annotations

import math
from functools import partial

from genbench.core.claim import Evidence, Run, claim
from genbench.core.effect import Effect, difference, log_ratio
from genbench.core.figure import Figure, strip

#: the cells of the suite `captions`
draw = partial(
    Run,
    dataset="captioned_digits",
    metrics=("caption_accuracy", "fid"),
    steps=4000,
    batch=64,
    samples=2000,
)
ROWS = {
    "wrong captions judged": draw("text_gan"),
    "without": draw("text_gan", options={"match": False}),
    "regression": draw("regression", options={"network": "mlp"}),
}


def figure(evidence: Evidence) -> Figure:
    """Draws how often all attributes are right."""
    return strip(
        evidence, {"digits": ROWS}, "caption_accuracy", "outputs with all attributes right"
    )


@claim(
    "text_to_image",
    statement="Images can be drawn from text by a judge that is shown wrong captions too.",
    source="surveys of GANs, on text to image; Reed et al., 2016",
    why="Captions name a digit, its corner and its brightness, each of which a judge of real digits reads "
    "from an image. One picture a caption would be as right, so that the variance within a caption is a part "
    "of the verdict; regression, which gives the average, is the row to beat in distance.",
    runs=tuple(ROWS.values()),
    outsiders={"text_gan": "it draws captions", "regression": "it is the control"},
    digits_alone="captions name a digit, its corner and its brightness, by a grammar made for "
    "digits",
    null_exemptions={
        "caption_accuracy": "an accuracy of a digit, its corner and its brightness",
        "caption_spread": "a spread of pictures that also show what was asked for; that is judged beside",
    },
    literature=(
        "Inception scores on CUB / COCO, higher is better (as quoted by others): GAN-INT-CLS 2.88 / 7.88, "
        "StackGAN 3.70 / 8.45, AttnGAN 4.36 / 25.89.",
    ),
    threats=(
        "Captions of a small grammar, whose features are learnt by matching in the same budget.",
        "Perceptrons on 16×16 pixels; the paper convolves on 64×64.",
        "The judged row's pictures are visibly flawed: specks on black, where real ones have none. The term "
        "that keeps outputs of a caption apart counts every pixel alike, so that noise on black pays too; "
        "without it about half of that light is left. Attributes are read rightly all the same.",
        "The variance within a caption is of captions of one meaning, which are eight for their synonyms, so "
        "that one picture for every string of words would pass. Whether one and the same string is drawn in "
        "more than one way is shown beside, and not judged.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Accuracy, spread, log ratio of distances, and what wrong captions add."""
    right = {name: evidence.scores(run, "caption_accuracy") for name, run in ROWS.items()}
    fid = {name: evidence.scores(run, "fid") for name, run in ROWS.items()}
    own = "wrong captions judged"
    spread = evidence.scores(ROWS[own], "caption_spread")
    gain = difference(right[own], right["without"])
    return [
        Effect("outputs with all attributes right", right[own], 0.8, unit="share"),
        Effect("variance within a caption over that of real images", spread, 0.5, unit="ratio"),
        Effect(
            "variance within one string of words over that of real images",
            evidence.scores(ROWS[own], "same_caption_spread"),
            0.5,
            unit="ratio",
            judged=False,
        ),
        Effect(
            "log FID of regression over the GAN's",
            log_ratio(fid["regression"], fid[own]),
            math.log(1.1),
        ),
        Effect("right with wrong captions less without", gain, 0.02, unit="share"),
    ]
