"""How sharp the VAE's digits are beside those of GANs."""

from __future__ import annotations

from genbench.claims._cells import FASHION, dcgan, digits
from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect, difference
from genbench.core.figure import Figure, strip

METRICS = ("sharpness", "prdc")
#: the decoder's means, which are usually shown, and draws of its distribution with their noise
VAE = digits("vae", metrics=METRICS, options={"sample_mean": True})
DRAWS = digits("vae", metrics=METRICS)
GANS = {name: digits(name, metrics=METRICS) for name in ("gan", "wgan_gp")} | {
    "dcgan": dcgan(metrics=METRICS)
}


def figure(evidence: Evidence) -> Figure:
    """Draws the sharpness of all."""
    families = {"VAE": {"vae, means": VAE, "vae, draws": DRAWS}, "GANs": GANS}
    return strip(
        evidence,
        families,
        "sharpness",
        "gradient energy over that of true images",
        log="y",
        levels={"true images": 1.0},
        note="Left of the line is blurred, right of it is noisy.",
    )


def compare(evidence: Evidence, column: str) -> list[Effect]:
    """Compares a column of the VAE with 1, and each GAN's with the VAE's."""
    vae = evidence.scores(VAE, column)
    parts = [Effect(f"{column} of the VAE (true images: 1)", vae, 0.95, "below")]
    for name, run in GANS.items():
        gan = evidence.scores(run, column)
        parts.append(Effect(f"{column} of {name} less the VAE's", difference(gan, vae), 0.05))
    return parts


@claim(
    "vae_blur",
    statement="Samples of VAEs are blurrier than those of GANs.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), section 2.4",
    why="Blur is missing gradient energy: the ratio to that of true images is 1 for sharp samples, less "
    "for blurred and more for noisy ones. The VAE must be below the data as well as below each GAN, "
    "lest noise in a GAN make a sharp VAE look blurred.",
    runs=(VAE, DRAWS, *GANS.values()),
    literature=(
        "FID of CIFAR-10: 160.5 with a fixed decoder variance, 76.7 with a learnt one, 72.9 in two "
        "stages (Dai and Wipf, 2019): the blur is the decoder's more than the bound's.",
        "The direction of the KL divergence does not explain it (tutorial, section 3.2.5).",
    ),
    threats=(
        "8 x 8 pixels leave little room for blur.",
        "Judged are the decoder's means; draws of its distribution have noise in every pixel, and are listed "
        "beside.",
    ),
    figure=figure,
    elsewhere=(FASHION,),
    by_metric=lambda evidence: {"high_frequency": compare(evidence, "high_frequency")},
)
def effects(evidence: Evidence) -> list[Effect]:
    """Sharpness of the VAE against 1, and of each GAN less the VAE's."""
    parts = compare(evidence, "sharpness")
    beside = {
        "sharpness of the VAE's draws": evidence.scores(DRAWS, "sharpness"),
        "high frequencies of the VAE": evidence.scores(VAE, "high_frequency"),
    }
    return parts + [
        Effect(f"{name} (true images: 1)", values, 0.95, "below", judged=False)
        for name, values in beside.items()
    ]
