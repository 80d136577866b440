"""Codes of a learnt inverse beside those of an untrained one and of a latent regressor."""

from __future__ import annotations

from genbench.claims._cells import FASHION, inverse
from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect, difference, log_ratio
from genbench.core.figure import Figure, strip

LATENT = {"latent": 16}
METRICS = ("reconstruction", "code_accuracy")
BIGAN, ALI, REGRESSOR = (
    inverse(name, metrics=METRICS, options=LATENT) for name in ("bigan", "ali", "infogan")
)
#: one round of training leaves the encoder a random map
RANDOM = inverse("bigan", metrics=METRICS, options=LATENT, steps=1)
VAE = inverse("vae", metrics=METRICS)


def figure(evidence: Evidence) -> Figure:
    """Draws the accuracy of all codes."""
    rows = {
        "learnt inverse": {"BiGAN": BIGAN, "ALI": ALI},
        "latent regressor": {"InfoGAN": REGRESSOR},
        "random map": {"BiGAN untrained": RANDOM},
        "VAE": {"VAE": VAE},
    }
    return strip(evidence, rows, "code_accuracy", "one-neighbour accuracy of codes")


@claim(
    "inverse_mapping",
    statement="Plain GANs lack the map from points to codes; BiGAN and ALI learn it, and its features "
    "help classification.",
    source="Donahue et al., 2017; Dumoulin et al., 2017, as Goodfellow's answers on Quora cite them",
    why="The nearest neighbour in code space needs no further training. InfoGAN's network from points "
    "back to codes is the latent regressor; BiGAN after one round is the random map.",
    runs=(BIGAN, ALI, REGRESSOR, RANDOM, VAE),
    null_exemptions={
        "code_accuracy": "an accuracy of labels, beside that of a map that has learned nothing",
    },
    literature=(
        "Against: MNIST, one neighbour: BiGAN 97.39 %, latent regressor 97.44, joint latent regressor "
        "97.13, autoencoder 97.58 (Donahue et al., 2017, table 1).",
    ),
    outsiders={
        "bigan": "it learns the inverse",
        "ali": "it learns the inverse",
        "infogan": "a latent regressor",
    },
    threats=(
        "On 8 x 8 digits a random map keeps most of what neighbours need, so that there is little to gain.",
        "InfoGAN's regressor gives only a part of the code, and shares its body with the discriminator.",
    ),
    figure=figure,
    elsewhere=(FASHION,),
)
def effects(evidence: Evidence) -> list[Effect]:
    """Accuracy of BiGAN's codes less the others', and what reconstructions keep."""
    parts = []
    judged = {"a random map": RANDOM, "a latent regressor": REGRESSOR}
    for name, run in {**judged, "ALI": ALI, "VAE": VAE}.items():
        gain = difference(*(evidence.scores(r, "code_accuracy") for r in (BIGAN, run)))
        text = f"one-neighbour accuracy of codes, BiGAN less {name}"
        parts.append(Effect(text, gain, 0.02, judged=name in judged))
    gap = log_ratio(
        evidence.scores(BIGAN, "reconstruction_shuffled"), evidence.scores(BIGAN, "reconstruction")
    )
    name = "log error of shuffled reconstructions over that of BiGAN's own"
    return [*parts, Effect(name, gap, 0.0, judged=False)]
