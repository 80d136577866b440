"""Two games whose solution is known, played by gradient steps."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from genbench.core.rng import Rng

Array = NDArray[np.float64]


Field = Callable[[Array, Array], tuple[Array, Array]]


#: the step size of Mescheder's notebook, and the reach of clipping and of the gradient penalty there
STEP, CLIP, TARGET = 0.2, 1.0, 1.0


#: nodes and weights of the mean under a standard normal distribution
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(64)


WEIGHTS = WEIGHTS / WEIGHTS.sum()


REGULARISED = ("r1", "r1_critical", "non_saturating_r1", "consensus")


#: the size of a step on xy, after how many steps radii are kept for the figure, and of which paths
SIZE, EVERY = 0.1, 50


PLOTTED = {
    "xy_simultaneous": "xy, simultaneous",
    "xy_alternating": "xy, alternating",
    "xy_extragradient": "xy, extragradient",
    "dirac_minimax": "Dirac-GAN, minimax",
    "dirac_wgan_gp": "Dirac-GAN, WGAN-GP",
    "dirac_instance_noise": "Dirac-GAN, instance noise",
    "dirac_r1": "Dirac-GAN, R1",
}


def slope(t: Array) -> Array:
    """Returns the derivative of -log(1 + exp(-t))."""
    return np.exp(-np.logaddexp(0.0, t))


def product(x: Array, y: Array) -> tuple[Array, Array]:
    """Returns the descent of x and the ascent of y on V(x, y) = xy."""
    return -y, x


def minimax(g: Array, d: Array) -> tuple[Array, Array]:
    """Returns the field of the Dirac-GAN: data at 0, generator at g, discriminator d x."""
    return -d * slope(g * d), g * slope(g * d)


def non_saturating(g: Array, d: Array) -> tuple[Array, Array]:
    """Returns the field in which the generator descends the non-saturating loss."""
    return -d * slope(-g * d), g * slope(g * d)


def wgan(g: Array, d: Array) -> tuple[Array, Array]:
    """Returns the field of the WGAN; the discriminator is clipped after each step."""
    return -d, g


def wgan_gp(g: Array, d: Array) -> tuple[Array, Array]:
    """Returns the field of the WGAN with a penalty of 0.7 on (|d| - 1)²/2."""
    return -d, g - 0.7 * np.sign(d) * (np.abs(d) - TARGET)


def noisy(g: Array, d: Array) -> tuple[Array, Array]:
    """Returns the minimax field with normal noise of 0.7 on data and samples, in expectation."""
    noise = 0.7 * NODES[:, None]
    fake = slope(d * (g + noise))
    real = slope(-d * noise)
    return -d * (WEIGHTS @ fake), WEIGHTS @ ((g + noise) * fake) - WEIGHTS @ (noise * real)


def penalised(field: Field, weight: float) -> Field:
    """Returns a field with R1, the penalty weight d²/2."""

    def penalty(g: Array, d: Array) -> tuple[Array, Array]:
        moves = field(g, d)
        return moves[0], moves[1] - weight * d

    return penalty


def consensus(g: Array, d: Array) -> tuple[Array, Array]:
    """Returns the minimax field less the gradient of half its squared length."""
    f = slope(g * d)
    bend = -f * slope(-g * d)
    square = g * g + d * d
    moves = minimax(g, d)
    return moves[0] - (g * f * f + square * f * bend * d), moves[1] - (
        d * f * f + square * f * bend * g
    )


GAMES: dict[str, Field] = {
    "minimax": minimax,
    "non_saturating": non_saturating,
    "wgan_clip": wgan,
    "wgan_gp": wgan_gp,
    "instance_noise": noisy,
    "r1": penalised(minimax, 0.3),
    "r1_critical": penalised(minimax, 1.0),
    "consensus": consensus,
    "non_saturating_r1": penalised(non_saturating, 0.3),
}


def simultaneous(field: Field, g: Array, d: Array, step: float) -> tuple[Array, Array]:
    """Returns both players after a step from the same point."""
    a, b = field(g, d)
    return g + step * a, d + step * b


def alternating(field: Field, g: Array, d: Array, step: float) -> tuple[Array, Array]:
    """Returns both players after the first has moved, and the second has seen it."""
    g = g + step * field(g, d)[0]
    return g, d + step * field(g, d)[1]


def extragradient(field: Field, g: Array, d: Array, step: float) -> tuple[Array, Array]:
    """Returns both players after a step along the field at the point that a step would lead to."""
    a, b = field(*simultaneous(field, g, d, step))
    return g + step * a, d + step * b


def radii(
    field: Field,
    start: tuple[Array, Array],
    steps: int,
    *,
    step: float,
    rule: Callable[..., tuple[Array, Array]] = simultaneous,
    clip: float = math.inf,
) -> Array:
    """Returns the distance to the equilibrium at every step, shape (steps + 1, S)."""
    g, d = start
    path = [np.hypot(g, d)]
    for _ in range(steps):
        g, d = rule(field, g, d, step)
        d = np.clip(d, -clip, clip)
        path.append(np.hypot(g, d))
    return np.stack(path)


def experiment(rng: Rng, *, steps: int = 1000, dirac_steps: int = 500) -> dict[str, list[float]]:
    """Plays xy and the Dirac-GAN from a random place at the distance sqrt 2, one per seed."""
    angle = 2 * math.pi * rng.uniform(1)[:, 0].double().cpu().numpy()
    start = math.sqrt(2) * np.cos(angle), math.sqrt(2) * np.sin(angle)
    size, n = SIZE, np.arange(steps + 1)[:, None]
    plain = radii(product, start, steps, step=size)
    exact = math.sqrt(2) * (1 + size**2) ** (n / 2)
    extra = radii(product, start, steps, step=size, rule=extragradient)
    extra_exact = math.sqrt(2) * ((1 - size**2) ** 2 + size**2) ** (n / 2)
    orbit = radii(product, start, steps, step=size, rule=alternating)
    paths = {"xy_simultaneous": plain, "xy_extragradient": extra, "xy_alternating": orbit}
    columns = {
        "xy_error": np.abs(plain / exact - 1).max(0),
        "xy_growth": plain[-1] / plain[0],
        "xy_extragradient_error": np.abs(extra / extra_exact - 1).max(0),
        "xy_extragradient_growth": extra[-1] / extra[0],
        "xy_alternating_growth": orbit.max(0) / orbit[0],
    }
    for name, field in GAMES.items():
        clip = CLIP if name == "wgan_clip" else math.inf
        path = paths[f"dirac_{name}"] = radii(field, start, dirac_steps, step=STEP, clip=clip)
        columns[f"dirac_{name}"] = path[-1]
    for name in PLOTTED:
        columns |= {f"radius_{name}_{i}": r for i, r in enumerate(paths[name]) if i % EVERY == 0}
    return {name: [float(v) for v in values] for name, values in columns.items()}
