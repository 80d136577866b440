"""Every generator against every discriminator, and the same networks as flows and belief networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from genbench.core.claim import NEW_SEEDS, Evidence, claim
from genbench.core.effect import Effect, Values, map_values
from genbench.core.figure import Figure, Series
from genbench.experiments.any_generator import PAIRS, experiment
from genbench.experiments.networks import DISCRIMINATORS, GENERATORS

#: the row's rule: four pairs of five reach the bar, and as many networks give no density
SHARE = 0.8


#: how far the logarithm of a density's total may be from 0; a coupling's on the grid is below a tenth of that
TOTAL = 0.05


#: the share of points at which a determinant may have the rarer sign; a bijection's has one sign alone
FOLD = 1e-3


def share(
    rows: Mapping[str, Values], holds: Callable[[float, int], bool], seeds: Values
) -> Values:
    """Returns for each seed the share of rows that hold; a row without a number does not."""
    return {
        seed: sum(seed in row and holds(row[seed], seed) for row in rows.values()) / len(rows)
        for seed in seeds
    }


def figure(evidence: Evidence) -> Figure:
    """Draws the distance of every pair's digits."""
    series = [
        Series(
            f"generator: {generator}",
            [f"{generator} against {discriminator}" for discriminator in DISCRIMINATORS],
            [
                evidence.measured(f"{generator}_{discriminator}")
                for discriminator in DISCRIMINATORS
            ],
        )
        for generator in GENERATORS
    ]
    rows = {"independent pixels": "independent", "a Gaussian": "gaussian"}
    series.append(Series("reference", list(rows), [evidence.measured(c) for c in rows.values()]))
    about = "A pair is generator against discriminator; left of independent pixels it has learnt."
    return Figure("strip", "", "squared MMD to held-out digits", series, log="y", note=about)


@claim(
    "any_generator",
    statement="Any differentiable generator and discriminator can be trained against each other; "
    "flows and fully visible belief networks only take networks of a prescribed form.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), section 2.7; Goodfellow et al., 2014",
    why="Perceptrons, convolutions, residual and recurrent networks in all sixteen pairs learn digits by "
    "one recipe that is tuned for none of them. A pair has learnt where its samples are nearer to "
    "held-out digits than pixels drawn independently, each with its own mean and variance; a "
    "Gaussian with all covariances is listed beside. The same four generators are then put where a flow "
    "and a belief network have their networks. A density's total is 1: for a map f it is the integral of "
    "N(f(x)) |det f'(x)|, by the area formula the mean number of preimages, 1 for a bijection, "
    "whose determinant also keeps its sign; for logits of nine bits it is the sum over all 512 states. "
    "Networks in a flow's place are untrained; those of bits are trained on fair coins, where what looks "
    "like their likelihood grows up to a total of 512.",
    experiment=experiment,
    first_seed=NEW_SEEDS,
    version=2,
    quick={"rounds": 100, "points": 121},
    scaled=("rounds",),
    digits_alone="128 trainings (sixteen pairs of networks, eight seeds each), of networks of "
    "64 units, which are small for 28 x 28 pixels",
    null_exemptions={
        "its experiment": "shares of pairs that beat independent pixels, which are such a row, and "
        "totals that are known",
    },
    literature=(
        "The design of the generator has very few restrictions, unlike those of Boltzmann machines and of "
        "nonlinear ICA, which needs an invertible generator and z of x's dimension (tutorial, 2.7).",
        "Against: without a penalty, instance noise or consensus even the Dirac-GAN circles (Mescheder et "
        "al., 2018), so that what can be trained depends on more than differentiability.",
    ),
    threats=(
        "Small networks, images of 8 x 8 pixels and 1,600 rounds: slow pairs are cut short, and after half "
        "as many rounds the first part is refuted (.617 of the pairs).",
        "R1 and the generator's average are part of the recipe; without them fewer pairs may train.",
        "Any network may be used inside a coupling or under a mask, so that the restriction is on the whole "
        "and not on its parts.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Shares of pairs that reach the bar, and of networks that give no density."""
    pairs = {f"{a}_{b}": evidence.measured(f"{a}_{b}") for a, b in PAIRS}
    parts = []
    for name, text in (("independent", "independent pixels"), ("gaussian", "a Gaussian")):
        bar = evidence.measured(name)
        reached = share(pairs, lambda v, seed, bar=bar: v < bar[seed], bar)
        judged = name == "independent"
        about = f"pairs of networks whose samples are nearer to digits than {text}"
        step = 1 / len(pairs)
        parts.append(Effect(about, reached, SHARE, unit="share", judged=judged, resolution=step))
    whole = {"flow": "a flow", "visible": "a belief network"}
    controls = {"flow": "flow_coupling", "visible": "visible_masked"}
    for kind, text in whole.items():
        rows = {name: evidence.measured(f"{kind}_{name}") for name in GENERATORS}
        control = evidence.measured(controls[kind])
        if kind == "flow":
            rows = {name: folded(evidence, name) for name in GENERATORS}
        refused = share(rows, lambda v, _: abs(v) > TOTAL, control)
        about = f"generators that give no density in the place of {text}'s network"
        parts.append(Effect(about, refused, SHARE, unit="share", resolution=1 / len(rows)))
        off = map_values(abs, control)
        about = f"{text} as it is: |log total|"
        parts.append(Effect(about, off, TOTAL, "below", "nats", judged=False))
    return parts


def folded(evidence: Evidence, name: str) -> dict[int, float]:
    """Returns the log totals of a map in a flow's place, infinite where it folds the plane."""
    folds = evidence.measured(f"folds_{name}")
    return {
        seed: math.inf if folds.get(seed, 0.0) > FOLD else total
        for seed, total in evidence.measured(f"flow_{name}").items()
    }
