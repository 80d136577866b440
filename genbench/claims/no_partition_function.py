"""Gradients of minibatches and exact ones, where all states can be summed."""

from __future__ import annotations

from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect, log_ratio, map_values
from genbench.core.figure import Figure, Series
from genbench.experiments.no_partition_function import BATCH, STEPS, TEMPERATURES, experiment

#: a squared bias of so much of the variance outweighs the noise once 100 minibatches are averaged,
#: a small part of any training
BAR = 0.01


def figure(evidence: Evidence) -> Figure:
    """Draws the squared bias of every gradient."""
    kinds = {
        "Boltzmann machine": {f"CD-{k}": f"cd_{k}" for k in STEPS},
        "GAN": {name: name for name in ("discriminator", "generator")},
        "VAE": {"VAE, bound": "vae"},
    }
    return Figure(
        "strip",
        "",
        f"squared bias over the variance, minibatches of {BATCH}",
        [
            Series(kind, list(rows), [evidence.measured(f"{key}_bias") for key in rows.values()])
            for kind, rows in kinds.items()
        ],
        levels={"bar": BAR},
        note="Unbiased estimates, which may fall below 0.",
    )


@claim(
    "no_partition_function",
    statement="Boltzmann machines need a partition function, whose gradient Markov chains estimate with "
    "a bias; the gradients of GANs and VAEs need neither.",
    source="Goodfellow et al., 2014 (1406.2661), sections 2 and 6; tutorial (1701.00160), sections 2.3.3 "
    "and 2.7",
    why="On images of 3 x 3 bits the exact gradient is a sum: over all words for the machine, over all "
    "images and a grid of noise for a GAN with one noise number and a VAE with one code number. "
    "Minibatches' gradients are compared with it, all by the same estimator, at trained weights. Any "
    "bias of contrastive divergence supports the claim, since averaging removes none of it; a GAN's or "
    "a VAE's must be below a hundredth of one minibatch's variance.",
    experiment=experiment,
    quick={"rounds": 200, "draws": 400},
    scaled=("rounds",),
    null_exemptions={
        "its experiment": "biases of gradients, whose exact values are known",
    },
    literature=(
        "Contrastive divergence, persistent or not, may lower the likelihood steadily, which the "
        "reconstruction error does not show (Fischer and Igel, 2010).",
        "Deep Boltzmann machines take 20,000 to 200,000 annealed temperatures for log Z to within .1 "
        "to .5 nats (README of yell/boltzmann-machines).",
        "Against: without a partition function there is no likelihood either, and to estimate one for "
        "a GAN costs more: a gap of 10 nats on MNIST where a VAE's is 1.5 (Wu et al., 2017, table 2).",
    ),
    threats=(
        "A machine of 8 hidden units mixes well; larger ones have more bias, which cannot be summed.",
        "A VAE's gradient is unbiased for its bound, not for the likelihood; see variational-bias.",
        "A GAN's gradients are unbiased each given the other player, which says nothing of where the "
        "game goes.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Squared biases over variances, and beside them closed forms and errors of log Z."""
    unit = "of the variance"

    def biased(name: str, key: str, *, judged: bool) -> Effect:
        text = f"squared bias of {name}'s gradient, minibatches of {BATCH}"
        return Effect(text, evidence.measured(f"{key}_bias"), 0.0, unit=unit, judged=judged)

    parts = [biased("CD-1", "cd_1", judged=True)]
    for who in ("discriminator", "generator", "vae"):
        text = f"squared bias of the {who}'s gradient, minibatches of {BATCH}"
        parts.append(Effect(text, evidence.measured(f"{who}_bias"), BAR, "below", unit))
    parts.append(biased("CD-10", "cd_10", judged=False))
    for k in STEPS:
        text = f"the same of CD-{k} by its transition matrix"
        exact = evidence.measured(f"cd_{k}_bias_exact")
        parts.append(Effect(text, exact, 0.0, unit=unit, judged=False))
    grown = log_ratio(evidence.measured("cd_10_variance"), evidence.measured("cd_1_variance"))
    parts.append(Effect("log variance of CD-10's gradient over CD-1's", grown, judged=False))
    for count in TEMPERATURES:
        missed = evidence.measured(f"ais_{count}_error")
        text = f"error of log Z by {count} annealed temperatures"
        parts.append(Effect(text, missed, 0.1, "below", "nats", judged=False))
        outside = map_values(lambda v: 1 - v, evidence.measured(f"ais_{count}_covered"))
        text = f"share of its 95 % intervals that miss log Z, {count} temperatures"
        parts.append(Effect(text, outside, 0.05, "below", "share", judged=False))
    return parts
