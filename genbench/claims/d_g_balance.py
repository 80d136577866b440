"""How much a GAN depends on the discriminator's steps, and on its step size, for the generator's."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median

from torch import Tensor

from genbench.claims._ranks import compare_extremes
from genbench.core.claim import NEW_SEEDS, Evidence, claim
from genbench.core.dataset import DATASETS
from genbench.core.effect import Effect, log_ratio
from genbench.core.figure import Figure, Series
from genbench.core.model import Player, build
from genbench.core.rng import Rng
from genbench.experiments.training import Discrepancy, draw_samples, retune, train
from genbench.training.trainer import Trainer

DATA = ("ring", "digits")
#: a quarter of the squared discrepancy, about an eighth of the distance, is of interest
LEAST = math.log(1.25)
#: a run has failed where it ends farther from the data than three times the balanced game's median
FACTOR = 3.0


@dataclass(frozen=True)
class Pace:
    """How the players take turns.

    Arguments:
        discriminator: The discriminator's updates in a round.
        generator: The generator's.
        rate: The discriminator's step size over the generator's.
    """

    discriminator: int = 1
    generator: int = 1
    rate: float = 1.0

    def change(self, player: Player) -> Player:
        """Returns a player at this pace."""
        if player.name == "generator":
            return replace(player, steps=self.generator)
        return replace(retune(player, rate=self.rate), steps=self.discriminator)


STEPS = {f"k_{k}": Pace(discriminator=k) for k in (1, 2, 5, 10)}
RATES = {"rate_quarter": Pace(rate=0.25), "k_1": Pace(), "rate_4": Pace(rate=4.0)}
AHEAD = {"ahead_5": Pace(generator=5)}
PACES = STEPS | RATES | AHEAD


def train_gan(name: str, pace: Pace, updates: int, batch: int, rng: Rng) -> tuple[Tensor, Tensor]:
    """Trains a GAN until the generator has made its updates; returns squared MMDs, shape (S,) each.

    The first is at the end, the second where both players together have made `updates` updates.
    """
    dataset = DATASETS.get(name)()
    distance = Discrepancy(dataset.points("test")[:1000])
    model = build("gan", dataset.spec, rng, {"hidden": (64, 64)})
    rounds = max(1, updates // pace.generator)
    early = min(rounds, max(1, round(updates / (pace.discriminator + pace.generator))))
    distances: dict[int, Tensor] = {}

    def watch(trainer: Trainer) -> None:
        if trainer.step == early:
            distances[early] = distance(draw_samples(trainer, dataset, 1000, rng.fork("early")))

    trainer = train(model, dataset, rounds, rng, batch=batch, change=pace.change, listener=watch)
    late = distance(draw_samples(trainer, dataset, 1000, rng.fork("late")))
    return late, distances[early]


def experiment(
    rng: Rng, *, updates: int = 1200, batch: int = 64, data: tuple[str, ...] = DATA
) -> dict[str, list[float]]:
    """Returns squared MMDs to held-out points at every pace, after as many updates and after as much work."""
    columns: dict[str, list[float]] = {}
    for name in data:
        for key, pace in PACES.items():
            late, early = train_gan(name, pace, updates, batch, rng.fork(name, key))
            columns |= {f"{name}_{key}": late.tolist(), f"{name}_{key}_work": early.tolist()}
    return columns


def figure(evidence: Evidence) -> Figure:
    """Draws distances over the median at 1:1 by the ratio of updates and by that of step sizes."""
    series = []
    for name in DATA:
        rows = {key: evidence.measured(f"{name}_{key}") for key in PACES}
        even = median(rows["k_1"].values()) if rows["k_1"] else math.nan
        for kind, paces in (("updates", AHEAD | STEPS), ("step size", RATES)):
            places = [pace.rate * pace.discriminator / pace.generator for pace in paces.values()]
            values = [{seed: v / even for seed, v in rows[key].items()} for key in paces]
            series.append(Series(f"{name}, {kind}", places, values))
    return Figure(
        "lines",
        "the discriminator's updates, or its step size, over the generator's",
        "squared MMD over its median at 1:1",
        series,
        log="xy",
        levels={"failed": FACTOR},
        note="All after the same number of updates of the generator.",
    )


@claim(
    "d_g_balance",
    statement="Discriminator and generator must be kept in balance: quality depends on the "
    "discriminator's updates for each of the generator's, and on the ratio of their step sizes.",
    source="Goodfellow et al., 2014 (1406.2661), algorithm 1 and section 6; tutorial "
    "(1701.00160), section 4.4",
    why="One pair of networks, once at each of 1, 2, 5 and 10 updates of the discriminator for one of the "
    "generator, with its step size a quarter and four times the generator's, and with five updates of "
    "the generator for one of its own, which the source warns against. All make the same number of "
    "updates of the generator; they are also compared after the same number of updates of both together. "
    "The interval of the worst pace over the best is simultaneous over the choice of both.",
    experiment=experiment,
    seeds=16,
    first_seed=NEW_SEEDS,
    version=2,
    quick={"updates": 150},
    scaled=("updates",),
    digits_alone="seven paces, each trained anew by 16 seeds; the ring, where more points cost "
    "nothing, is its second data set",
    literature=(
        "G must not be trained too much without updating D, lest it map many z to one x (Goodfellow et "
        "al., 2014, section 6).",
        "WGAN-GP takes five updates of its critic (Gulrajani et al., 2017).",
        "Against: the discriminator may well overpower the generator, since it estimates the ratio of "
        "densities only near its optimum (tutorial, section 4.4).",
    ),
    threats=(
        "More updates of the discriminator are more work and more data for as many of the generator.",
        "Small networks and short training: at the end of a long one the order may differ.",
        "Adam evens out step sizes, so that their ratio matters less than in plain descent.",
        "The squared MMD sees modes and means sooner than fine detail.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Log ratios of squared MMDs: the worst pace over the best, and the generator ahead over in step."""
    parts = []
    for name in DATA:
        for work, judged in (("", True), ("_work", False)):
            rows = {key: evidence.measured(f"{name}_{key}{work}") for key in PACES}
            equal = "as much work" if work else "as many updates of the generator"
            text = f"{name}, after {equal}: log squared MMD,"
            for kind, paces in (("k", STEPS), ("rate", RATES)):
                gap = compare_extremes({key: rows[key] for key in paces})
                what = f"worst {kind} over the best" + (f" ({gap.ours})" if gap.values else "")
                parts.append(
                    Effect(f"{text} {what}", gap.values, LEAST, judged=judged, contest=gap)
                )
            for key in PACES:
                if key != "k_1":
                    ratio = log_ratio(rows[key], rows["k_1"])
                    ahead = judged and key in AHEAD
                    parts.append(Effect(f"{text} {key} over 1:1", ratio, LEAST, judged=ahead))
    return parts + [failed(evidence, name, key) for name in DATA for key in PACES]


def failed(evidence: Evidence, name: str, key: str) -> Effect:
    """Returns the share of seeds that end beyond `FACTOR` times the balanced game's median, or nowhere."""
    rows = {pace: evidence.measured(f"{name}_{pace}") for pace in PACES}
    even = [value for value in rows["k_1"].values() if math.isfinite(value)]
    most = FACTOR * median(even) if even else math.nan
    seeds = sorted(set().union(*rows.values()))
    values = {seed: float(not rows[key].get(seed, math.inf) <= most) for seed in seeds}
    text = f"{name}, {key}: share of seeds beyond three times the median at 1:1"
    return Effect(text, values, 0.1, "below", "share", judged=False)
