"""Whether a discriminator that also names the class makes a GAN's training fail less often."""

from __future__ import annotations

from genbench.core.claim import NEW_SEEDS, Evidence, claim
from genbench.core.effect import Effect, difference
from genbench.core.figure import Figure, Series
from genbench.core.rng import Rng
from genbench.experiments.stability import GRID, Family, failures, spread, train_grid

#: the same networks without a penalty on the discriminator, which would steady all of them
PLAIN = {"hidden": (64, 64)}
FAMILIES: dict[str, Family] = {
    "gan": ("gan", "digits", PLAIN),
    "cgan": ("cgan", "digits", {**PLAIN, "penalty": 0.0}),
    "acgan": ("acgan", "digits", {**PLAIN, "penalty": 0.0}),
    "acgan_r1": ("acgan", "digits", PLAIN),
}
#: without labels; with labels that the discriminator is told
OTHERS = ("gan", "cgan")
#: five runs in a hundred, as for other failure rates
LEAST = 0.05


def experiment(
    rng: Rng, *, rounds: int = 2000, batch: int = 32, marks: int = 5
) -> dict[str, list[float]]:
    """Trains GANs over the grid; returns squared MMDs, last and least, and whether all was finite."""
    return train_grid(FAMILIES, rounds, batch, marks, rng)


def figure(evidence: Evidence) -> Figure:
    """Draws how many of a seed's runs failed, with labels and without."""
    kinds = {
        "no labels": ("gan",),
        "labels told": ("cgan",),
        "labels named": ("acgan", "acgan_r1"),
    }
    return Figure(
        "strip",
        "",
        "share of a seed's settings that failed",
        [
            Series(kind, names, [failures(evidence, name)["any"] for name in names])
            for kind, names in kinds.items()
        ],
        note="Six settings: three step sizes, two first decays of Adam; acgan_r1 has the penalty R1, too.",
    )


@claim(
    "acgan_steadiness",
    statement="A discriminator that also names the class (ACGAN) steadies a GAN's training.",
    source="Odena et al., 2017 (1610.09585), section 3, as introductions to GANs tell it",
    why="The same networks on the same digits with no labels, with labels that the discriminator is told "
    "(CGAN) and with labels that it must name, at six settings: one, two and four times the step size, "
    "Adam's first decay 0.5 and 0.9; what is only slow is not asked. What counts as a failure is what counts "
    "in the claim training-stability. No penalty, since R1 steadies all of them; ACGAN with R1 is listed "
    "beside.",
    experiment=experiment,
    seeds=16,
    first_seed=NEW_SEEDS,
    version=2,
    quick={"rounds": 250, "marks": 3},
    scaled=("rounds",),
    digits_alone="384 trainings (four games at six settings, 16 seeds each), which 28 x 28 "
    "pixels make several times as long",
    null_exemptions={
        "its experiment": "shares of runs that failed",
    },
    literature=(
        "FID on CIFAR-10, one library: DCGAN 48.29, a modified ACGAN 33.39 (StudioGAN); no count of failures "
        "was found.",
    ),
    threats=(
        "The definition of a failure decides: with other factors and other distances other runs fail.",
        "8 x 8 digits and perceptrons; the paper trains on ImageNet, a hundred classes at a time.",
        "All failures are of one of the six settings, four times the step size and a decay of 0.9: the bar "
        "asks for a difference of 0.3 there. Failures by setting are listed beside.",
        "Labels are information about the points, so that a steadier game may owe it to them alone; the "
        "comparison with CGAN is for that.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Differences of failure rates, and every GAN's own beside them, in all and by setting."""
    rates = {family: failures(evidence, family)["any"] for family in FAMILIES}
    text = "share of runs that failed"
    parts = [
        Effect(
            f"{text}, {other} less acgan",
            difference(rates[other], rates["acgan"]),
            LEAST,
            resolution=1 / len(GRID),
        )
        for other in OTHERS
    ]
    for family, row in rates.items():
        parts.append(Effect(f"{family}: {text}", row, LEAST, "below", judged=False))
        away = f"{family}: log distance, mean deviation from the setting's median"
        parts.append(Effect(away, spread(evidence, family), 0.25, "below", judged=False))
        for place in GRID:
            rate, decay = place
            some = failures(evidence, family, [place])["any"]
            name = f"{family}: {text}, {rate:g} times the step size, decay {decay:g}"
            parts.append(Effect(name, some, LEAST, "below", judged=False))
    return parts
