"""A learnt kernel and readable codes by convolutions, where other claims rest on perceptrons."""

from __future__ import annotations

import math

from genbench.core.claim import NEW_SEEDS, Evidence, Run, claim
from genbench.core.effect import Effect, log_ratio
from genbench.core.figure import Figure, strip

#: all for as many rounds of as many points, as in the suite `convolutions`
FIXED = Run("gmmn", "digits", ("fid",), steps=1500, batch=64)
CONVOLUTIONAL = Run("mmd_gan_conv", "digits", ("fid",), steps=1500, batch=64)
PERCEPTRONS = Run("mmd_gan", "digits", ("fid",), steps=1500, batch=64)
CODES = ("code_accuracy",)
INFOGAN = Run(
    "infogan",
    "digits",
    CODES,
    {"latent": 16, "network": "conv", "width": 16},
    steps=1500,
    batch=64,
)
INFOGAN_PERCEPTRONS = Run("infogan", "digits", CODES, {"latent": 16}, steps=1500, batch=64)
#: a tenth of the distance, and half of the digits, as where perceptrons are asked
BAR, READABLE = math.log(1.1), 0.5


def figure(evidence: Evidence) -> Figure:
    """Draws the distances."""
    rows = {
        "fixed kernels": {"GMMN, several widths": FIXED},
        "learnt kernel": {"perceptrons": PERCEPTRONS, "convolutions": CONVOLUTIONAL},
    }
    return strip(evidence, rows, "fid", "fid, lower is better", log="y")


@claim(
    "convolutional_games",
    statement="By convolutions, too, a learnt kernel trains better generators than fixed ones, and the "
    "categories of InfoGAN are the classes.",
    source="Li et al., 2017; Chen et al., 2016, whose networks are convolutional",
    why="The claims mmd-training and conditioning rest on perceptrons, which the papers do not use; the bars "
    "are theirs, rounds and minibatches the same for all, as many as convolutions can be paid for. The "
    "distance is in features of a classifier, categories are matched to classes one to one.",
    runs=(FIXED, CONVOLUTIONAL, PERCEPTRONS, INFOGAN, INFOGAN_PERCEPTRONS),
    digits_alone="it asks whether convolutions change what mmd-training and conditioning find "
    "on digits; those two are read on Fashion-MNIST too",
    null_exemptions={
        "category_accuracy": "an accuracy of labels, of which chance gets about a tenth",
    },
    literature=(
        "Inception score on CIFAR-10: 3.5 to 3.9 by fixed kernels, 6.2 by MMD-GAN (Li et al., 2017).",
        "InfoGAN's categorical code sorts MNIST with 5 % error (Chen et al., 2016).",
    ),
    threats=(
        "8 x 8 digits leave two convolutions little to find.",
        "The fixed kernels' generator is a perceptron; the critic by perceptrons makes five updates in a "
        "round, that by convolutions two, fixed kernels none.",
        "Fixed kernels want large minibatches: 1,000 in the paper, 64 here; mmd-training has 128, and twice "
        "the rounds.",
        "Width 16, 1,500 rounds: small beside the papers' networks.",
    ),
    outsiders={
        "mmd_gan": "its kernel is learnt, as the claim has it",
        "mmd_gan_conv": "its kernel is learnt by convolutions",
        "infogan": "its codes are the question",
    },
    first_seed=NEW_SEEDS,
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Distance of fixed kernels over the learnt one, and accuracy of categories; perceptrons beside."""
    fixed, learnt, plain = (
        evidence.scores(run, "fid") for run in (FIXED, CONVOLUTIONAL, PERCEPTRONS)
    )
    text = "InfoGAN: held-out digits whose category is their class's"
    codes, plain_codes = (
        evidence.scores(run, "category_accuracy") for run in (INFOGAN, INFOGAN_PERCEPTRONS)
    )
    return [
        Effect(
            "log FID of several fixed widths over the learnt kernel", log_ratio(fixed, learnt), BAR
        ),
        Effect(f"{text}, by convolutions", codes, READABLE, unit="share"),
        Effect(
            "log FID of the learnt kernel by perceptrons over by convolutions",
            log_ratio(plain, learnt),
            BAR,
            judged=False,
        ),
        Effect(f"{text}, by perceptrons", plain_codes, READABLE, unit="share", judged=False),
    ]
