"""The best GAN against the best of the other families, on real digits."""

from __future__ import annotations

import math

from genbench.claims._cells import column, dcgan, digits
from genbench.core.claim import Evidence, Run, claim
from genbench.core.effect import Effect, best, difference, log_ratio

METRICS = ("fid", "kid", "prdc")
GANS = {
    name: digits(name, metrics=METRICS)
    for name in ("gan", "lsgan", "r1_gan", "hinge_sn", "wgan_gp")
} | {"dcgan": dcgan(metrics=METRICS)}
OTHERS = {name: digits(name, metrics=METRICS) for name in ("vae", "realnvp", "made", "rbm")} | {
    "pixelcnn": Run("pixelcnn", "digits", METRICS, steps=1500, batch=64)
}


@claim(
    "sample_quality",
    statement="GANs produce better samples than VAEs, flows, fully visible belief networks and "
    "Boltzmann machines.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), section 2.7",
    why="The best of each side, chosen on the other seeds, so that the side with more entrants gains "
    "nothing by luck; distance and precision are judged apart, and recall stands beside, since "
    "precise samples may leave much out.",
    runs=(*GANS.values(), *OTHERS.values()),
    literature=(
        "CIFAR-10 FID: PixelCNN 65.9, SN-GAN 21.7 (Ostrovski et al., 2018; Miyato et al., 2018).",
        "Against: MNIST FID of a VAE 16.6 below WGAN-GP's 20.3 (Dai and Wipf, 2019).",
        "Against: BigGAN-deep has precision .87 and recall .28, VQ-VAE-2 .36 and .57 (Razavi et al., "
        "2019); diffusion models beat both (Dhariwal and Nichol, 2021).",
    ),
    threats=(
        "Digits of 8 x 8 pixels: what holds for photographs may not show here, and the reverse.",
        "Networks are of like size, training is of like length in rounds and not in seconds.",
        "Features are of a small classifier of the same digits.",
    ),
)
def effects(evidence: Evidence) -> list[Effect]:
    """Distance and precision of the best GAN beside the best other."""

    def sides(name: str, better: str) -> tuple[dict[int, float], dict[int, float], str]:
        gan, a = best(column(evidence, GANS, name), better)
        other, b = best(column(evidence, OTHERS, name), better)
        return gan, other, f" ({a} against {b})" if a and b else ""

    gan, other, who = sides("fid", "lower")
    found = [Effect(f"log FID of the best other over the best GAN's{who}", log_ratio(other, gan))]
    found = [Effect(e.name, e.values, math.log(1.1)) for e in found]
    gan, other, who = sides("precision", "higher")
    text = "of the best GAN less the best other's"
    found.append(Effect(f"precision {text}{who}", difference(gan, other), 0.02))
    gan, other, who = sides("recall", "higher")
    found.append(Effect(f"recall {text}{who}", difference(gan, other), 0.02, judged=False))
    return found
