"""What unlabelled points add to a classifier that is a GAN's discriminator."""

from __future__ import annotations

from genbench.claims._cells import FASHION_DEFAULTS
from genbench.core.claim import NEW_SEEDS, Evidence, Run, claim
from genbench.core.effect import Effect, difference
from genbench.core.figure import Figure, strip

METRICS = ("accuracy", "fid")


def _run(model: str, **options: float) -> Run:
    return Run(model, "digits", METRICS, options, 10, 2000, 100, labelled=100, samples=2500)


GAN, ALONE = _run("improved_gan"), _run("improved_gan", unlabelled=0.0)
BESIDE = {"ACGAN": _run("acgan"), "VAE (M2)": _run("vae_m2")}


def figure(evidence: Evidence) -> Figure:
    """Draws the accuracy of all."""
    rows = {
        "GANs": {"improved GAN": GAN, "ACGAN": BESIDE["ACGAN"]},
        "VAE": {"VAE (M2)": BESIDE["VAE (M2)"]},
        "labels alone": {"the same network": ALONE},
    }
    return strip(evidence, rows, "accuracy", "accuracy with 100 labels")


@claim(
    "semi_supervised",
    statement="GANs train better classifiers from few labels.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), section 5.4; Salimans et al., 2016",
    why="The same network with the same hundred labels of digits, once with and once without the "
    "adversarial use of unlabelled points; every seed has labels of its own. All by "
    "their defaults, since none of them was tuned for that.",
    runs=(GAN, ALONE, *BESIDE.values()),
    null_exemptions={
        "accuracy": "an accuracy of labels, beside that of the same network on labels alone",
    },
    literature=(
        "MNIST, 100 labels: 93 ± 6.5 errors of 10,000 by feature matching, 333 by the VAE M1+M2 "
        "(Salimans et al., 2016; Kingma et al., 2014).",
        "Good semi-supervised learning needs a bad generator (Dai et al., 2017).",
    ),
    outsiders={
        "acgan": "it classifies",
        "improved_gan": "it classifies",
        "vae_m2": "it classifies",
    },
    threats=(
        "One number of labels, one data set of 8 x 8 pixels.",
        "Ladder networks and virtual adversarial training, the strong rivals, are not here.",
    ),
    figure=figure,
    first_seed=NEW_SEEDS,
    elsewhere=(FASHION_DEFAULTS,),
)
def effects(evidence: Evidence) -> list[Effect]:
    """Accuracy with unlabelled points less that of the same network without."""
    gan, alone = evidence.scores(GAN, "accuracy"), evidence.scores(ALONE, "accuracy")
    text = "accuracy less that of the same network on labels alone"
    parts = [Effect(f"improved GAN: {text}", difference(gan, alone), 0.02)]
    for name, run in BESIDE.items():
        gain = difference(evidence.scores(run, "accuracy"), alone)
        parts.append(Effect(f"{name}: {text}", gain, 0.02, judged=False))
    return parts
