"""Who leaves the curve that holds all the data."""

from __future__ import annotations

from genbench.claims._cells import column
from genbench.core.claim import Evidence, Run, claim
from genbench.core.effect import Effect, contest

CURVES = ("circle", "spiral", "swiss_roll")
METRICS = ("manifold_distance", "prdc")
GANS = ("gan", "wgan_gp")
OTHERS = ("vae", "realnvp")
RUNS = {(name, curve): Run(name, curve, METRICS) for curve in CURVES for name in (*GANS, *OTHERS)}


@claim(
    "thin_manifold",
    statement="Models with a density must put mass everywhere; a GAN can learn to put points only on "
    "a thin manifold near the data.",
    source="Goodfellow, answers on Quora; tutorial (1701.00160), section 3.2.5 on samples",
    why="Curves without noise, whose distance is known at every point; off the curve is what lies "
    "farther than a twentieth of half the data's box. Coverage stands beside, since a model that "
    "repeats one point is never off.",
    runs=tuple(RUNS.values()),
    literature=(
        "The rank of a generator's Jacobian is at most the dimension of its noise (by construction).",
        "Against: a Gaussian VAE with a learnt variance recovers a measure on a manifold at its global "
        "optimum (Dai and Wipf, 2019).",
        "Flows trained adversarially have ill-conditioned Jacobians (Grover et al., 2018).",
    ),
    threats=(
        "The tolerance decides: what lies within it counts as on the curve for every family.",
        "Curves in the plane: the manifolds of images have more dimensions.",
    ),
)
def effects(evidence: Evidence) -> list[Effect]:
    """Shares of samples off the curve, VAE's and flow's less the best GAN's."""
    found = []
    for curve in CURVES:
        gans = column(evidence, {n: RUNS[n, curve] for n in GANS}, "off_manifold")
        for other in OTHERS:
            off = evidence.scores(RUNS[other, curve], "off_manifold")
            gap = contest(gans, {other: off}, "lower")
            text = f"{curve}: share off the curve, {other} less the best GAN{gap.who}"
            found.append(Effect(text, gap.values, 0.05, contest=gap))
        for name in GANS:
            covered = evidence.scores(RUNS[name, curve], "coverage")
            found.append(Effect(f"{curve}: coverage of {name}", covered, 0.5, judged=False))
    return found
