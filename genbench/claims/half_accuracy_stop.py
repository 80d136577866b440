"""Whether training may stop when the discriminator is right half of the time."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor

from genbench.core.claim import NEW_SEEDS, Evidence, claim
from genbench.core.dataset import DATASETS, Dataset
from genbench.core.effect import Effect, Scores, Values, map_values
from genbench.core.figure import Figure, Series
from genbench.core.rng import Rng
from genbench.experiments.curves import (
    QUALITY,
    compare_with_last_and_best,
    make_quality,
    measure_samples,
    train_and_look,
)
from genbench.experiments.discriminators import measure_accuracy, train_discriminator
from genbench.training.trainer import Trainer

#: held-out points, and as many samples, that a discriminator is to tell
HELD_OUT = 1000
#: an accuracy so near a half counts as one, and so many looks in a row make a stop
NEAR, IN_A_ROW = 0.05, 3
#: a tenth worse, as for other distances; and the share of runs that a rule for stopping must stop
WORSE, MOST = math.log(1.1), 0.8
#: looks of which accuracies are shown, and how many there are
LOOKS = 30
SHOWN = range(2, LOOKS + 1, 4)
#: distance between two normal distributions of deviation 1 whose best accuracy is known
APART = 1.0


def measure_discriminator(trainer: Trainer, dataset: Dataset, draws: Rng) -> list[float]:
    """Returns the accuracy of a GAN's discriminator on validation points and as many samples, by seed."""
    real = dataset.points("validation")[:HELD_OUT].to(draws.device)
    real = dataset.to_model(real.expand(len(draws), *real.shape), draws.fork("noise"))
    with trainer.averaged() as model, torch.no_grad():
        fake = model.sample(real.shape[1], draws.fork("fake"))
        pair: Any = model.pair
        return measure_accuracy(pair.logits(real), pair.logits(fake)).tolist()


def find_stop(accuracy: Tensor) -> Tensor:
    """Returns the first of `IN_A_ROW` looks in a row that are near a half, (S, T) to (S,); -1 without any."""
    near = ((accuracy - 0.5).abs() <= NEAR).double()
    if near.shape[1] < IN_A_ROW:
        return torch.full(near.shape[:1], -1)
    rows = near.unfold(1, IN_A_ROW, 1).amin(-1)
    first = rows.argmax(1)
    return torch.where(rows.amax(1) > 0, first, torch.full_like(first, -1))


def summarise(accuracy: Tensor, true: Tensor) -> dict[str, Tensor]:
    """Returns what the rule does, accuracies and qualities being of shape (S, T), lower being better.

    Whether it stops; then the log of the quality there over that of the last look and over that of the
    best, and the share of training over, all NaN where it never does, since there is nothing to compare; and
    the last accuracy.
    """
    stop = find_stop(accuracy)
    reached = stop >= 0
    at = true.gather(1, stop.clamp_min(0).unsqueeze(1)).squeeze(1)
    rows = {
        **compare_with_last_and_best(at, true),
        "stop": (stop + 1).double() / accuracy.shape[1],
    }
    nothing = torch.full_like(at, math.nan)
    rows = {key: torch.where(reached, row, nothing) for key, row in rows.items()}
    return rows | {"reached": reached.double(), "last": accuracy[:, -1]}


def check_accuracy(rounds: int, rng: Rng) -> Tensor:
    """Returns how far accuracies of discriminators between known normals are from the best, (S,)."""

    def draw(n: int, draws: Rng) -> tuple[Tensor, Tensor]:
        return draws.normal(n, 1), APART + draws.normal(n, 1)

    net = train_discriminator(draw, 1, rounds, rng)
    real, fake = (net(x).squeeze(-1) for x in draw(20_000, rng.fork("held-out")))
    return (measure_accuracy(real, fake) - NormalDist().cdf(APART / 2)).abs()


def train_and_stop(name: str, steps: int, points: int, rng: Rng) -> dict[str, Tensor]:
    """Trains GANs on a data set; returns the columns of `summarise`, and accuracies by look, (S,) each."""
    dataset = DATASETS.get(name)()
    quality = make_quality(dataset, QUALITY[name])

    def look(trainer: Trainer) -> dict[str, list[float]]:
        draws = rng.fork("accuracy", trainer.step), rng.fork("quality", trainer.step)
        return {
            "accuracy": measure_discriminator(trainer, dataset, draws[0]),
            "quality": measure_samples(trainer, dataset, quality, draws[1]),
        }

    curves = train_and_look(dataset, steps, points, rng, look)
    rows = summarise(curves["accuracy"], curves["quality"])
    return rows | {f"look_{k + 1}": row for k, row in enumerate(curves["accuracy"].T)}


def experiment(rng: Rng, *, steps: int = 3000, points: int = LOOKS) -> dict[str, list[float]]:
    """Trains GANs on every data set and returns the columns of `train_and_stop`, by data set."""
    columns: dict[str, list[float]] = {}
    for name in QUALITY:
        rows = train_and_stop(name, steps, points, rng.fork(name))
        columns |= {f"{name}_{key}": row.tolist() for key, row in rows.items()}
    columns["known_error"] = check_accuracy(max(1, steps // 6), rng.fork("known")).tolist()
    return columns


def count_kept(reached: Values, over: Values) -> Scores:
    """Returns 1 for every run that the rule stops with samples no more than a tenth worse, else 0.

    A run that failed is none that it stopped in time.

    Arguments:
        reached: By seed, 1 where the rule stops.
        over: The log of the quality there over that of the last look, NaN where it does not stop.
    """
    return Scores(
        {s: float(stops == 1 and over.get(s, math.inf) < WORSE) for s, stops in reached.items()}
    )


def figure(evidence: Evidence) -> Figure:
    """Draws the discriminator's accuracy along training."""
    return Figure(
        "lines",
        "looks at equal steps of training",
        "accuracy of the discriminator",
        [
            Series(name, list(SHOWN), [evidence.measured(f"{name}_look_{k}") for k in SHOWN])
            for name in QUALITY
        ],
        levels={"a half": 0.5, "near it": 0.5 + NEAR},
        note="The rule stops at the first of three looks in a row within .05 of a half.",
    )


@claim(
    "half_accuracy_stop",
    statement="Training can be stopped when the discriminator is right half of the time.",
    source="Answers on Quora and introductions to GANs, after theorem 1 of Goodfellow et al., 2014",
    why="The accuracy is on held-out points and fresh samples, so that a discriminator that remembers points "
    "gains nothing. The rule keeps the first of three looks in a row within .05 of a half. It has done its "
    "work in a run that it stops where samples are no more than a tenth farther from data than at the last "
    "look, by a measure that does not know the discriminator; where it never stops it has not. Four runs "
    "in five are asked. What is lost against the last and the best look is listed beside.",
    experiment=experiment,
    seeds=16,
    first_seed=NEW_SEEDS,
    version=2,
    quick={"steps": 375, "points": LOOKS},
    scaled=("steps",),
    digits_alone="16 seeds, each measured at every look of its training; ring and grid are its "
    "other data sets",
    literature=(
        "At the equilibrium the best discriminator is 1/2 everywhere (Goodfellow et al., 2014, theorem 1).",
        "Against: an accuracy of a half is as well that of a discriminator which is too weak or lags behind; "
        "the optimum's is a half plus half the total variation.",
    ),
    threats=(
        "One GAN and one pair of networks; a discriminator that is trained to the end at every look would "
        "say more, at its own cost.",
        "The best look is chosen by the measure that judges, so that looks' own noise favours it.",
        "No worse than the last look is within a tenth of it; where the last look had diverged, any stop was "
        "in time.",
        "The bars for 'near' and 'in a row' decide how early the rule stops.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Shares of runs that the rule stops in time; how often and where it stops at all beside."""
    of = evidence.measured
    # one run may do otherwise than all that were seen
    about = {"unit": "share", "resolution": 1 / LOOKS, "jump": 1.0}
    parts = [
        Effect(
            f"{name}: share of runs that the rule stops at a {measure} no worse than the last",
            count_kept(of(f"{name}_reached"), of(f"{name}_over_last")),
            MOST,
            **about,
        )
        for name, measure in QUALITY.items()
    ]
    for name, measure in QUALITY.items():
        text = f"{name}: share of runs that the rule stops"
        parts.append(Effect(text, of(f"{name}_reached"), MOST, judged=False, **about))
        for look in ("last", "best"):
            text = f"{name}: log {measure} where it stops over that of the {look} look"
            parts.append(Effect(text, of(f"{name}_over_{look}"), WORSE, "below", judged=False))
    for name in QUALITY:
        over = of(f"{name}_stop")
        text = f"{name}: share of training over where it stops"
        parts.append(Effect(text, over, 0.5, judged=False))
        off = map_values(lambda v: abs(v - 0.5), of(f"{name}_last"))
        text = f"{name}: distance of the last accuracy from a half"
        parts.append(Effect(text, off, NEAR, "below", judged=False))
    text = "two normal distributions: error of the accuracy against the best possible, .6915"
    return [*parts, Effect(text, of("known_error"), 0.02, "below", judged=False)]
