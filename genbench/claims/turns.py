"""Whether it matters which of a GAN's players moves first, or that they move at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count, pairwise

import numpy as np
from torch import Tensor

from genbench.claims._ranks import compare_extremes
from genbench.core.claim import NEW_SEEDS, Evidence, claim
from genbench.core.dataset import DATASETS
from genbench.core.effect import Effect, log_ratio
from genbench.core.figure import Figure, Series
from genbench.core.model import Player
from genbench.core.rng import Rng
from genbench.experiments.curves import train_and_look
from genbench.experiments.nash_oscillation import (
    SIZE,
    Array,
    alternating,
    product,
    radii,
    simultaneous,
)
from genbench.experiments.training import Arrange, Discrepancy, draw_samples
from genbench.training.trainer import Trainer

DATA = ("ring", "digits")
#: a quarter of the squared discrepancy, as for the balance of the players
LEAST = math.log(1.25)
#: after how many shares of the rounds samples are measured
LOOKS = 6
#: steps of the game xy, whose paths are known
STEPS = 1000


def play_together(players: Sequence[Player]) -> list[Player]:
    """Returns players that all answer the others' weights as they were before the round.

    What a player has learnt is put aside until the last one has moved: its weights are only ever seen
    changed from the next round on. They make one update each.
    """
    weights = [list(player.module.parameters()) for player in players]
    moved: list[list[Tensor]] = [[] for _ in players]
    origin: list[list[Tensor]] = [[w.detach().clone() for w in row] for row in weights]

    def put_aside(k: int) -> Callable[[], None]:
        def act() -> None:
            moved[k] = [w.detach().clone() for w in weights[k]]
            last = k == len(players) - 1
            for j, row in enumerate(weights):
                for i, w in enumerate(row):
                    if last:
                        w.copy_(moved[j][i])
                        origin[j][i].copy_(moved[j][i])
                    elif j == k:
                        w.copy_(origin[j][i])

        return act

    return [replace(player, project=put_aside(k)) for k, player in enumerate(players)]


ORDERS: dict[str, Arrange] = {
    "discriminator_first": list,
    "generator_first": lambda players: list(reversed(players)),
    "together": play_together,
}


def train_gan(name: str, order: str, rounds: int, batch: int, rng: Rng) -> Tensor:
    """Trains a GAN whose players take turns in an order; returns squared MMDs by look, (S, LOOKS)."""
    dataset = DATASETS.get(name)()
    distance, numbers = Discrepancy(dataset.points("test")[:1000]), count()

    def look(trainer: Trainer) -> dict[str, list[float]]:
        fakes = draw_samples(trainer, dataset, 1000, rng.fork("look", next(numbers)))
        return {"distance": distance(fakes).tolist()}

    about = {"batch": batch, "options": {"hidden": (64, 64)}, "arrange": ORDERS[order]}
    return train_and_look(dataset, rounds, LOOKS, rng, look, **about)["distance"]


def play_xy(rng: Rng) -> dict[str, Array]:
    """Returns the last radius of V = xy over the first, by order, and its error against the closed form."""
    angle = 2 * math.pi * rng.fork("xy").uniform(1)[:, 0].double().cpu().numpy()
    start = math.sqrt(2) * np.cos(angle), math.sqrt(2) * np.sin(angle)
    together = radii(product, start, STEPS, step=SIZE, rule=simultaneous)
    exact = math.sqrt(2) * (1 + SIZE**2) ** (np.arange(STEPS + 1)[:, None] / 2)
    in_turn = radii(product, start, STEPS, step=SIZE, rule=alternating)
    return {
        "xy_together": together[-1] / together[0],
        "xy_in_turn": in_turn.max(0) / in_turn[0],
        "xy_error": np.abs(together / exact - 1).max(0),
    }


def experiment(
    rng: Rng, *, rounds: int = 2400, batch: int = 64, data: tuple[str, ...] = DATA
) -> dict[str, list[float]]:
    """Returns squared MMDs to held-out points along training, by order; and radii of the game xy."""
    columns = {name: row.tolist() for name, row in play_xy(rng).items()}
    for name in data:
        for order in ORDERS:
            # the same first weights for all orders
            for k, row in enumerate(train_gan(name, order, rounds, batch, rng.fork(name)).T):
                columns[f"{name}_{order}_{k + 1}"] = row.tolist()
    return columns


def figure(evidence: Evidence) -> Figure:
    """Draws distances along training by order."""
    places = [(k + 1) / LOOKS for k in range(LOOKS)]
    return Figure(
        "lines",
        "share of the rounds that are over",
        "squared MMD to held-out points",
        [
            Series(
                f"{name}, {order.replace('_', ' ')}",
                places,
                [evidence.measured(f"{name}_{order}_{k + 1}") for k in range(LOOKS)],
            )
            for name in DATA
            for order in ORDERS
        ],
        log="y",
        note="All orders start from the same weights.",
    )


@claim(
    "turns",
    statement="Whether discriminator and generator take turns or step at once, and who begins, matters.",
    source="Introductions to GANs, which train the discriminator first; tutorial (1701.00160), section 3.3, "
    "which lets both step at once",
    why="One pair of networks from the same first weights, with the discriminator's update first in a round, "
    "with the generator's first, and with both computed at the same weights. The interval of the "
    "worst order over the best is simultaneous over the choice of both.",
    experiment=experiment,
    seeds=16,
    first_seed=NEW_SEEDS,
    version=2,
    quick={"rounds": 300},
    scaled=("rounds",),
    digits_alone="three orders of play, each trained anew by 16 seeds; the ring, where more "
    "points cost nothing, is its second data set",
    literature=(
        "On V = xy players that step at once spiral outwards, those that take turns circle at a bounded "
        "distance; regularised games converge either way, mostly faster in turns (Mescheder et al., 2018).",
    ),
    threats=(
        "After the first round the two orders in turn are the same sequence of updates, so that only the "
        "first half step and the last tell them apart.",
        "Adam's momentum carries gradients over rounds, which blurs the order.",
        "The squared MMD sees modes and means sooner than fine detail.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Log ratios of squared MMDs at the end: the worst order over the best; pairs of orders and xy beside."""
    parts, of = [], evidence.measured
    for name in DATA:
        rows = {order: of(f"{name}_{order}_{LOOKS}") for order in ORDERS}
        text = f"{name}: log squared MMD,"
        gap = compare_extremes(rows)
        who = f" ({gap.ours.replace('_', ' ')})" if gap.values else ""
        what = f"worst order over the best{who}"
        parts.append(Effect(f"{text} {what}", gap.values, LEAST, contest=gap))
        others = (*pairwise(ORDERS), ("together", "discriminator_first"))
        for one, other in others:
            what = f"{one} over {other}".replace("_", " ")
            parts.append(Effect(f"{text} {what}", log_ratio(rows[one], rows[other]), judged=False))
    beside = {
        "xy: last radius over the first, both at once": "xy_together",
        "xy: largest radius over the first, in turn": "xy_in_turn",
    }
    parts += [Effect(text, of(column), 1.1, judged=False) for text, column in beside.items()]
    text = "xy: error of the radius against its closed form, both at once"
    return [*parts, Effect(text, of("xy_error"), 1e-3, "below", judged=False)]
