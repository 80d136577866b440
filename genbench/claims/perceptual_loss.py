"""What the content of super-resolution is compared by: pixels, a trained network, the judge's own."""

from __future__ import annotations

import math

from genbench.claims._cells import enlarged_fashion
from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect, difference, log_ratio
from genbench.core.figure import Figure, strip

METRICS = ("psnr", "fid", "sharpness", "consistency")
OPTIONS = {
    "pixels": {},
    "a trained network": {"content": "perceptual"},
    "the judge's own images": {"content": "adaptive"},
    "a trained network, pairs judged": {"content": "perceptual", "judge": "pair"},
}
RUNS = {
    name: enlarged_fashion("srgan", metrics=METRICS, options=options)
    for name, options in OPTIONS.items()
}
#: what is compared, and by which it should be beaten
STEPS = (
    ("pixels", "a trained network"),
    ("a trained network", "the judge's own images"),
    ("a trained network", "a trained network, pairs judged"),
)
BAR = math.log(1.1)


def figure(evidence: Evidence) -> Figure:
    """Draws the distance by what content is compared by."""
    return strip(evidence, {"SRGAN": RUNS}, "fid", "fid, lower is better", log="y")


@claim(
    "perceptual_loss",
    statement="In super-resolution hidden images of a network link input and output better than pixels do, "
    "those of the judge itself better still, and judging pairs better than judging images.",
    source="surveys of GANs, on perceptual losses; Johnson et al., 2016; Ledig et al., 2017; Li, Zuo and "
    "Zhang, 2016",
    why="One network, one judge, one weight of it, half of the rounds by squared error in all rows: the "
    "content of the other half alone differs, its weight measured so that gradients are of one size. The "
    "distance is of features of a classifier of the same clothes, which is in no loss: a network in a loss "
    "judges no model that was trained by it.",
    runs=tuple(RUNS.values()),
    outsiders={"srgan": "it makes points from sources"},
    literature=(
        "Ledig et al. (2017), BSD100 ×4, people's opinion: SRResNet 2.29, SRGAN-VGG54 3.56, original 4.46 "
        "(as quoted by others).",
        "BSD100, perceptual index, lower is better: SRGAN-MSE 2.802, SRGAN-VGG54 2.351 (the authors' page).",
        "Against: a reproduction whose VGG term came out 5.5 times smaller than the squared error lost 4 dB "
        "and more with SRGAN-VGG54 (25.65 on Set5 where the paper has 29.40).",
    ),
    threats=(
        "EfficientNet-Lite0 sees photographs in its training, not clothes of 28 pixels in grey.",
        "Small networks, 1,500 rounds with a judge, whose weight and step sizes were tuned for content by "
        "pixels.",
        "The content's weight makes gradients equal once, when the judge enters; they part later.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Ratios of distances step by step; PSNR and sharpness beside."""
    of = {name: {m: evidence.scores(run, m) for m in METRICS} for name, run in RUNS.items()}
    effects = [
        Effect(f"log FID of {a} over {b}", log_ratio(of[a]["fid"], of[b]["fid"]), BAR)
        for a, b in STEPS
    ]
    for a, b in STEPS:
        text = f"PSNR of {a} less that of {b}"
        effects.append(
            Effect(text, difference(of[a]["psnr"], of[b]["psnr"]), unit="dB", judged=False)
        )
    for name, scores in of.items():
        effects.append(Effect(f"sharpness of {name}", scores["sharpness"], 1.0, judged=False))
        effects.append(
            Effect(f"consistency of {name}", scores["consistency"], 0.02, "below", judged=False)
        )
    return effects
