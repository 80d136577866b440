"""Whether a judge keeps a translator from learning its pairs by heart."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from genbench.core.claim import Evidence, Run, claim
from genbench.core.effect import Effect, difference
from genbench.core.figure import Figure, strip

#: the cells of the suite `generalise`
generalise = partial(Run, "pix2pix", "edges", steps=3000, quick_steps=75, batch=32, samples=2000)
LOSSES = {"L1": {"judge": "none"}, "L1 + cGAN": {}}
PAIRS: dict[str, dict[str, Any]] = {
    "200 pairs": {"pairs": 200},
    "1,000 pairs": {"pairs": 1000},
    "55,000 pairs": {},
}


#: with all pairs the plain loss's own gap is less than the bar, which nothing could close
FEW = ("200 pairs", "1,000 pairs")


def make_runs(extra: dict[str, Any], *metrics: str) -> dict[str, Run]:
    """Returns both losses' runs on some pairs."""
    data = {"of": "fashion_mnist", "coarse": 4, **extra}
    return {n: generalise(metrics, options=o, dataset_options=data) for n, o in LOSSES.items()}


GAPS = {name: make_runs(extra, "pair_gap") for name, extra in PAIRS.items()}
UNSEEN = make_runs({"unseen": True}, "class_kept")


def figure(evidence: Evidence) -> Figure:
    """Draws the gap between test and training pairs."""
    return strip(evidence, GAPS, "pair_gap", "log error on test pairs over training pairs")


@claim(
    "translation_generalises",
    statement="A GAN generalises better than a plain convolution–deconvolution network.",
    source="Goodfellow, answers on Quora: the closing claim on what GANs are good for",
    why="The same network on 200, 1,000 and all pairs of coarse edges and clothes, by its absolute error "
    "with and without a judge of pairs: the logarithm of its squared error on test pairs over that on "
    "training pairs, and how often the class is kept where training lacked the last two classes. With all "
    "55,000 pairs there is hardly a gap to close; they are listed beside.",
    runs=tuple(run for rows in (*GAPS.values(), UNSEEN) for run in rows.values()),
    outsiders={"pix2pix": "it makes points from sources"},
    null_exemptions={
        "pair_gap": "a difference between pairs that were trained on and others; it is not "
        "quality",
    },
    literature=("None with numbers: the answer states it without a reference.",),
    threats=(
        "A judge raises the training error itself, which makes the gap smaller without any gain on the test; "
        "the class kept on unseen classes is free of that.",
        "3,000 rounds are 480 passes over 200 pairs, and two over all.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Differences of gaps, and of classes kept where they were not shown."""
    parts = []
    for name, rows in GAPS.items():
        plain, judged = (evidence.scores(rows[loss], "pair_gap") for loss in LOSSES)
        text = f"{name}: gap of L1 less that of L1 + cGAN"
        gap = difference(plain, judged)
        about = {"unit": "log ratio", "judged": name in FEW}
        parts.append(Effect(text, gap, math.log(1.1), **about))
    plain, judged = (evidence.scores(UNSEEN[loss], "class_kept") for loss in LOSSES)
    text = "classes that training lacked: kept by L1 + cGAN less by L1"
    return [*parts, Effect(text, difference(judged, plain), 0.02, unit="share")]
