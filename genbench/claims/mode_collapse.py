"""Modes of mixtures: GANs beside families with a likelihood, and the cures for collapse."""

from __future__ import annotations

from typing import Any

from genbench.claims._cells import column, toys
from genbench.core.claim import Evidence, Run, claim
from genbench.core.effect import Effect, best, difference

MIXTURES = ("ring", "grid")
LIKELIHOODS = ("vae", "realnvp", "made")
USUAL = {
    (name, mixture): toys(name, mixture, metrics=("modes",))
    for mixture in MIXTURES
    for name in ("gan", "wgan_gp", *LIKELIHOODS)
}
#: step sizes and noise of Metz et al., with which the plain game collapses
METZ: dict[str, Any] = {"latent": 256, "lr": 1e-3, "discriminator_lr": 1e-4}
CURES: dict[str, tuple[str, dict[str, Any]]] = {
    "PacGAN of 4": ("pacgan", {**METZ, "pack": 4}),
    "unrolled by 5": ("unrolled_gan", {**METZ, "unroll": 5}),
}
HARD = {
    (name, mixture): Run(model, mixture, ("modes",), options, batch=128, samples=2500)
    for mixture in MIXTURES
    for name, (model, options) in {"plain": ("gan", METZ), **CURES}.items()
}


@claim(
    "mode_collapse",
    statement="GANs drop modes that families with a likelihood keep; PacGAN and unrolling repair it.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), section 5.1.1",
    why="Mixtures whose modes are known can be counted. The families meet at their usual settings; the "
    "cures are held against the plain game at settings where it collapses, the networks the same.",
    runs=(*USUAL.values(), *HARD.values()),
    literature=(
        "Grid of 25: GAN 3.3 modes, PacGAN2 23.8 (Lin et al., 2018, table 1).",
        "Collapse is not due to the Jensen-Shannon divergence, which covers here (tutorial, 3.2.5).",
    ),
    threats=(
        "Step sizes decide whether the plain game collapses, so that either answer can be had.",
        "A mode counts with a tenth of its share; other thresholds count otherwise.",
        "WGAN-GP is shown at the usual settings only.",
    ),
)
def effects(evidence: Evidence) -> list[Effect]:
    """Modes of the best likelihood less the GAN's, and of the cured game less the plain one's."""
    found = []
    for mixture in MIXTURES:
        gan = evidence.scores(USUAL["gan", mixture], "modes_strict")
        runs = {name: USUAL[name, mixture] for name in LIKELIHOODS}
        other, who = best(column(evidence, runs, "modes_strict"), "higher")
        text = f"{mixture}: modes of the best likelihood ({who or '–'}) less the GAN's"
        found.append(Effect(text, difference(other, gan), 1.0, unit="modes"))
    for mixture in MIXTURES:
        plain = evidence.scores(HARD["plain", mixture], "modes_strict")
        for name in CURES:
            cured = evidence.scores(HARD[name, mixture], "modes_strict")
            text = f"{mixture}, collapsing settings: modes of {name} less the plain game's"
            found.append(Effect(text, difference(cured, plain), 1.0, unit="modes"))
        critic = evidence.scores(USUAL["wgan_gp", mixture], "modes_strict")
        gan = evidence.scores(USUAL["gan", mixture], "modes_strict")
        text = f"{mixture}: modes of WGAN-GP less the GAN's, usual settings"
        found.append(Effect(text, difference(critic, gan), 1.0, unit="modes", judged=False))
    return found
