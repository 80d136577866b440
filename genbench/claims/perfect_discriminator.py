"""How soon a discriminator is perfect between distributions that are apart, that meet, and that are one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect, Values, map_values
from genbench.core.figure import Figure, Series
from genbench.core.rng import Rng
from genbench.experiments.discriminators import measure_accuracy, train_discriminator
from genbench.nn.mlp import MLP

DIMENSIONS = (2, 16, 64, 256)
#: gaps between supports of width 1: what is below 0 overlaps, at -1 both are one
GAPS = (1.0, 0.3, 0.1, 0.0, -0.5, -1.0)
APART = tuple(gap for gap in GAPS if gap > 0)
#: held-out points of either distribution
HELD_OUT = 2000
#: a discriminator with this accuracy counts as perfect
PERFECT = 0.999
#: rounds between two looks
EVERY = 20


def name_column(kind: str, gap: float, size: int) -> str:
    """Returns the name of a column."""
    return f"{kind}_{gap:g}_{size}"


def find_best(gap: float) -> float:
    """Returns the highest accuracy there is: a half, and half the mass that does not overlap."""
    return 0.5 + 0.5 * min(1.0, 1.0 + gap)


class Slabs:
    """Two distributions that differ along one direction alone, each seed's own.

    Along it they are uniform on [0, 1] and on [1 + gap, 2 + gap], less the middle of both; across it both
    are standard normal.

    Arguments:
        size: The number of dimensions.
        gap: That between the supports.
        rng: Draws the directions.
    """

    def __init__(self, size: int, gap: float, rng: Rng) -> None:
        direction = rng.fork("direction").normal(1, size)
        self.direction = direction / direction.norm(dim=-1, keepdim=True)
        self.size, self.shift = size, 1.0 + gap

    def draw(self, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns n points of both, shapes (S, n, D)."""
        return self._place(n, -self.shift / 2, rng), self._place(n, self.shift / 2, rng)

    def _place(self, n: int, middle: float, rng: Rng) -> Tensor:
        x, along = rng.normal(n, self.size), rng.uniform(n, 1) - 0.5 + middle
        across = x - (x * self.direction).sum(-1, keepdim=True) * self.direction
        return across + along * self.direction


def train_and_look(size: int, gap: float, rounds: int, rng: Rng) -> dict[str, Tensor]:
    """Trains discriminators; returns the last accuracy and the rounds to a perfect one (NaN: never), (S,)."""
    slabs = Slabs(size, gap, rng)
    real, fake = slabs.draw(HELD_OUT, rng.fork("held-out"))
    first = torch.full((len(rng),), math.nan, dtype=torch.float64, device=rng.device)

    @torch.no_grad()
    def measure(net: MLP) -> Tensor:
        return measure_accuracy(net(real).squeeze(-1), net(fake).squeeze(-1))

    def look(done: int, net: MLP) -> None:
        if done % EVERY == 0:
            fresh = first.isnan() & (measure(net) >= PERFECT)
            first.masked_fill_(fresh, float(done))

    about = {"batch": 128, "hidden": (64, 64), "activation": "leaky_relu", "lr": 1e-3}
    net = train_discriminator(slabs.draw, size, rounds, rng, falling=False, look=look, **about)
    return {"accuracy": measure(net), "rounds": first}


def experiment(
    rng: Rng, *, rounds: int = 500, dimensions: tuple[int, ...] = DIMENSIONS
) -> dict[str, list[float]]:
    """Returns held-out accuracies after the rounds, and rounds to a perfect one, by gap and dimensions."""
    columns: dict[str, list[float]] = {}
    for gap in GAPS:
        for size in dimensions:
            rows = train_and_look(size, gap, rounds, rng.fork(f"{gap:g}", size))
            columns |= {name_column(kind, gap, size): row.tolist() for kind, row in rows.items()}
    return columns


def find_worst(evidence: Evidence, gap: float) -> Values:
    """Returns the least accuracy over dimensions, by seed."""
    rows = [evidence.measured(name_column("accuracy", gap, size)) for size in DIMENSIONS]
    seeds = set.intersection(*(set(row) for row in rows))
    return {seed: min(row[seed] for row in rows) for seed in sorted(seeds)}


def figure(evidence: Evidence) -> Figure:
    """Draws the rounds to a perfect discriminator over the dimensions."""
    return Figure(
        "lines",
        "dimensions",
        "rounds to 99.9 % of held-out points",
        [
            Series(
                f"gap {gap:g}" if gap else "touching",
                list(DIMENSIONS),
                [evidence.measured(name_column("rounds", gap, size)) for size in DIMENSIONS],
            )
            for gap in (*APART, 0.0)
        ],
        log="xy",
        levels={"cheap": 500.0},
        note="Supports have the width 1. Where nothing is drawn no seed came there; of overlapping "
        "distributions none can.",
    )


@claim(
    "perfect_discriminator",
    statement="A perfect discriminator can always be had, and cheaply.",
    source="Derivations of the GAN, which ask whether it can; Arjovsky and Bottou, 2017 (1701.04862), "
    "theorems 2.1 and 2.2",
    why="Two distributions differ along one direction that the network is not told, where their supports "
    "have the width 1 and a gap between them, touch, overlap by a half, or are one; so the best possible "
    "accuracy is known. Cheap is 500 rounds of a small network, perfect 99.9 % of points that it has not "
    "seen, in 2 to 256 dimensions, the worst of which counts.",
    experiment=experiment,
    quick={"rounds": 125},
    scaled=("rounds",),
    null_exemptions={
        "its experiment": "accuracies of a classifier, of which chance gets a half",
    },
    literature=(
        "Where supports are disjoint, or meet in manifolds that do not align, there is a perfect "
        "discriminator, and the generator's gradient vanishes (Arjovsky and Bottou, 2017).",
        "For distributions with overlap the best accuracy is a half plus half their total variation.",
    ),
    threats=(
        "Supports are slabs that a plane separates: curved ones are harder.",
        "The scale across the direction is 3.5 times the deviation along it; another scale is another cost.",
        "Fresh points in every round: from a fixed training set a network also learns by heart, which the "
        "held-out accuracy does not reward.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Held-out accuracies of the worst dimension with gaps and of equal distributions; all others beside."""
    parts = []
    resolution = 1 / (2 * HELD_OUT)
    about = "accuracy after all rounds, worst of the dimensions"
    for gap in APART:
        worst = find_worst(evidence, gap)
        parts.append(Effect(f"gap {gap:g}: {about}", worst, PERFECT, resolution=resolution))
    worst = find_worst(evidence, -1.0)
    parts.append(Effect(f"one distribution: {about}", worst, PERFECT, resolution=resolution))
    for gap in GAPS:
        best = find_best(gap)
        for size in DIMENSIONS:
            row = evidence.measured(name_column("accuracy", gap, size))
            short = map_values(lambda v, best=best: best - v, row)
            text = f"gap {gap:g}, {size} dimensions: best possible accuracy less that reached"
            parts.append(Effect(text, short, 0.02, "below", resolution=resolution, judged=False))
    return parts
