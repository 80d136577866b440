"""Two games whose solution is known, played by gradient steps."""

from __future__ import annotations

import math

from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect
from genbench.core.figure import Figure, Series
from genbench.experiments.nash_oscillation import EVERY, PLOTTED, REGULARISED, SIZE, experiment


def figure(evidence: Evidence) -> Figure:
    """Draws the radius over the steps, and its closed form on xy."""
    places = range(0, 1001, EVERY)
    paths = [
        Series(label, list(places), [evidence.measured(f"radius_{name}_{i}") for i in places])
        for name, label in PLOTTED.items()
    ]
    exact = [{0: math.sqrt(2) * (1 + SIZE**2) ** (i / 2)} for i in places]
    paths.insert(1, Series("xy, simultaneous: closed form", list(places), exact, True))
    return Figure(
        "lines",
        "steps",
        "distance from the equilibrium",
        paths,
        log="y",
        levels={"start": math.sqrt(2)},
        note="What rises or stays level circles forever; what falls converges.",
    )


@claim(
    "nash_oscillation",
    statement="Simultaneous gradient descent may circle the equilibrium of a game instead of "
    "converging to it.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), exercise 7.2 and section 8.2",
    why="Both games have a known equilibrium and V = xy a closed form of the path, so that nothing "
    "is left to networks or data; starts are random, one per seed.",
    experiment=experiment,
    scaled=("steps", "dirac_steps"),
    null_exemptions={
        "its experiment": "radii of paths whose closed form is known",
    },
    literature=(
        "Without regularisation the Dirac-GAN's eigenvalues lie on the imaginary axis; R1, instance "
        "noise and consensus optimisation converge, WGAN and WGAN-GP do not (Mescheder et al., 2018).",
    ),
    threats=(
        "A game of two numbers shows what may happen, not how often it happens to networks.",
        "Fixed step sizes: with steps that fall to zero some of the circling games end nearer.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Growth where nothing restrains the players, and the regularised games' last radii."""
    of = evidence.measured
    parts = [
        Effect("xy: error of the radius against its closed form", of("xy_error"), 1e-3, "below"),
        Effect("xy: radius after over before, simultaneous", of("xy_growth"), 1.0, exact=True),
        Effect("Dirac-GAN, minimax: last radius (it starts at 1.41)", of("dirac_minimax"), 1.0),
    ]
    parts += [
        Effect(f"Dirac-GAN, {name}: last radius", of(f"dirac_{name}"), 1e-3, "below")
        for name in (*REGULARISED, "instance_noise")
    ]
    beside = {
        "xy: radius after over before, extragradient": "xy_extragradient_growth",
        "xy: largest radius over the first, alternating": "xy_alternating_growth",
        "Dirac-GAN, non_saturating: last radius": "dirac_non_saturating",
        "Dirac-GAN, wgan_clip: last radius": "dirac_wgan_clip",
        "Dirac-GAN, wgan_gp: last radius": "dirac_wgan_gp",
    }
    return parts + [Effect(name, of(c), 1.0, judged=False) for name, c in beside.items()]
