"""Generators of digits that match moments by fixed kernels, beside one whose kernel is learnt."""

from __future__ import annotations

import math

from genbench.claims._cells import FASHION_DEFAULTS, digits_by_default
from genbench.core.claim import NEW_SEEDS, Evidence, claim
from genbench.core.effect import Effect, log_ratio
from genbench.core.figure import Figure, strip

METRICS = ("fid", "mmd", "prdc")
#: the same network and rounds, one kernel each
FIXED = {
    "linear": digits_by_default("gmmn", metrics=METRICS, options={"kernel": "linear"}),
    "rbf": digits_by_default("gmmn", metrics=METRICS, options={"kernel": "rbf"}),
    "multi-kernel": digits_by_default("gmmn", metrics=METRICS),
}
LEARNT = digits_by_default("mmd_gan", metrics=METRICS)
GAN = digits_by_default("gan", metrics=METRICS)
#: a tenth of the distance, as for other claims
BAR = math.log(1.1)


def figure(evidence: Evidence) -> Figure:
    """Draws the distance under every kernel, and the GAN's."""
    families = {
        "fixed kernel": FIXED,
        "learnt kernel": {"MMD-GAN": LEARNT},
        "discriminator": {"GAN": GAN},
    }
    return strip(evidence, families, "fid", "fid, lower is better", log="y")


@claim(
    "mmd_training",
    statement="A fixed kernel's maximum mean discrepancy in the discriminator's place trains generators, "
    "but less well than a learnt kernel; of fixed kernels the linear one is the worst, and several "
    "widths are no worse than one.",
    source="Li et al., 2015; Dziugaite et al., 2015; Li et al., 2017, as introductions to GANs tell it",
    why="One generator and one optimiser under three kernels, then a kernel that is learnt against the "
    "generator, for as many rounds. They are compared in features of a classifier, which none of them "
    "trains on; the discrepancy itself is listed beside, since fixed kernels descend it.",
    runs=(*FIXED.values(), LEARNT, GAN),
    literature=(
        "Inception score on CIFAR-10: 3.5 to 3.9 by fixed kernels, 6.2 by MMD-GAN (Li et al., 2017).",
        "The linear kernel sees only means: a generator that repeats the mean solves its game "
        "(by construction).",
        "Against: on the codes of an autoencoder, learnt without an adversary, GMMN's Parzen figure on "
        "MNIST is 282 (Li et al., 2015), the GAN's 225 (Goodfellow et al., 2014).",
    ),
    outsiders={"mmd_gan": "its kernel is learnt, as the claim has it"},
    threats=(
        "As many rounds are not as much work: MMD-GAN's critic makes five updates in each. After 1,500 at "
        "half the minibatch, as in the suite images, its FID is 69.",
        "All rows have their defaults: MMD-GAN is not tuned, and what tuning chose for several widths was "
        "not chosen for one.",
        "Fixed kernels want large minibatches: 1,000 in the paper, 128 here.",
        "64 dimensions are few: fixed kernels fall behind as dimensions grow.",
    ),
    first_seed=NEW_SEEDS,
    figure=figure,
    elsewhere=(FASHION_DEFAULTS,),
)
def effects(evidence: Evidence) -> list[Effect]:
    """Distances of neighbours in the order claimed; the discrepancy itself, recall and the GAN beside."""
    runs = {**FIXED, "MMD-GAN": LEARNT, "GAN": GAN}

    def gap(name: str, worse: str, better: str) -> dict[int, float]:
        return log_ratio(*(evidence.scores(runs[who], name) for who in (worse, better)))

    def text(name: str, worse: str, better: str) -> str:
        return f"log {name} of {worse} over that of {better}"

    steps = (("linear", "rbf"), ("multi-kernel", "MMD-GAN"))
    parts = [Effect(text("FID", *pair), gap("fid", *pair), BAR) for pair in steps]
    pair = "multi-kernel", "rbf"
    parts.append(Effect(text("FID", *pair), gap("fid", *pair), BAR, "below"))
    beside = (*steps, ("multi-kernel", "GAN"), ("MMD-GAN", "GAN"))
    parts += [Effect(text("FID", *p), gap("fid", *p), BAR, judged=False) for p in beside[2:]]
    parts += [Effect(text("MMD", *p), gap("mmd", *p), BAR, judged=False) for p in beside]
    return parts + [
        Effect(f"coverage of {who}", evidence.scores(run, "coverage"), 0.5, judged=False)
        for who, run in runs.items()
    ]
