"""Whether a convolutional and a recurrent network write captions as likely as can be."""

from __future__ import annotations

import math
from functools import partial

from genbench.core.claim import Evidence, Run, claim
from genbench.core.effect import Effect, difference, map_values
from genbench.core.figure import Figure, strip

#: the entropy of a caption given its image: three free choices between two words
ENTROPY = 3 * math.log(2)
#: the cells of the suite `captioning`
write = partial(
    Run,
    "captioner",
    "captioned_digits",
    ("caption_nll", "caption_accuracy"),
    steps=4000,
    batch=64,
    samples=2000,
    dataset_options={"to": "text"},
)
ROWS = {"with the image": write(), "without": write(options={"image": False})}


def figure(evidence: Evidence) -> Figure:
    """Draws the likelihood of captions."""
    return strip(evidence, {"digits": ROWS}, "caption_nll", "nats a caption; the least is 2.08")


@claim(
    "captioning",
    statement="A convolutional network that sees and a recurrent one that writes are enough for captions.",
    source="surveys of GANs, on captions by CNN and RNN; Vinyals et al., 2015",
    why="Captions of digits come from a grammar with three free choices between synonyms, so that their "
    "entropy given the image is known, 3 ln 2, and no writer can be below it. Captions drawn from the "
    "writer are read by the grammar.",
    runs=tuple(ROWS.values()),
    outsiders={"captioner": "it makes captions of images"},
    digits_alone="captions name a digit, its corner and its brightness, by a grammar made for "
    "digits, whose entropy is known",
    null_exemptions={
        "caption_nll": "a difference to a known entropy",
        "caption_accuracy": "an accuracy of words, by the grammar that made them",
    },
    literature=(
        "By construction: the least mean NLL is 3 ln 2 = 2.079 nats, without the image 3 ln 2 + ln 80.",
    ),
    threats=(
        "Six words of a small grammar, of one object in one of four corners.",
        "No other network is compared with, so that it is not shown that this one is the best.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Nats above the entropy, nats below those without the image, and captions that are all right."""
    with_image, without = (evidence.scores(run, "caption_nll") for run in ROWS.values())
    right, guessed = (evidence.scores(run, "caption_accuracy") for run in ROWS.values())
    above = map_values(lambda v: v - ENTROPY, with_image)
    return [
        Effect("NLL above the known entropy", above, 0.3, "below", unit="nats"),
        Effect(
            "NLL less that without the image",
            difference(with_image, without),
            -1.0,
            "below",
            unit="nats",
        ),
        Effect("captions with all attributes right", right, 0.85, unit="share"),
        Effect("the same without the image", guessed, 0.85, unit="share", judged=False),
    ]
