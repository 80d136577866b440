"""Models trained over a grid of settings of their optimisers, and how many of their runs fail."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from statistics import fmean, median
from typing import Any

from genbench.core.dataset import DATASETS, Dataset
from genbench.core.effect import Values
from genbench.core.evidence import Evidence
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.experiments.training import Discrepancy, draw_samples, retune, train
from genbench.training.trainer import Trainer

#: a model, a data set and the model's options
Family = tuple[str, str, dict[str, Any]]

#: factors on a family's own step size, and Adam's first decay; slower training than by the defaults, of which
#: some games are not done after a claim's rounds, would count as failure
RATES, DECAYS = (1.0, 2.0, 4.0), (0.5, 0.9)
Grid = Sequence[tuple[float, float]]
GRID: Grid = tuple(itertools.product(RATES, DECAYS))
#: a run has failed where its squared MMD exceeds what it is compared with by this factor
FACTOR = 3.0
#: how a run fails
KINDS = ("diverged", "collapsed", "off", "lost")


def column(family: str, rate: float, decay: float) -> str:
    """Returns the name of a setting's columns."""
    return f"{family}_{rate:g}_{decay:g}"


def train_grid(
    families: Mapping[str, Family],
    rounds: int,
    batch: int,
    marks: int,
    rng: Rng,
) -> dict[str, list[float]]:
    """Trains families over the grid; returns squared MMDs, last and least, and whether all was finite.

    Columns are `<family>_constant`, the distance of copies of the mean point, and for every setting
    `<family>_<rate>_<decay>_last`, `_least` and `_finite`.

    Arguments:
        families: What is trained, by the name that columns begin with.
        rounds: Of training.
        batch: Points per seed in a minibatch.
        marks: At how many equal shares of the rounds samples are measured.
        rng: The stack's.
    """
    columns: dict[str, list[float]] = {}
    steps = {rounds * k // marks for k in range(1, marks + 1)}
    for family, (model, name, settings) in families.items():
        dataset = DATASETS.get(name)()
        distance = Discrepancy(dataset.points("test"))
        constant = dataset.points("train").mean(0).expand(1, 500, *dataset.spec.event)
        columns[f"{family}_constant"] = distance(constant).tolist() * len(rng)
        for rate, decay in GRID:
            draws = rng.fork(family, f"{rate:g}", f"{decay:g}")
            trainable = build(model, dataset.spec, draws, settings)
            curve: list[list[float]] = []
            watch = partial(_measure, dataset, distance, steps, draws, curve)
            change = partial(retune, rate=rate, beta1=decay)
            trainer = train(
                trainable, dataset, rounds, draws, batch=batch, change=change, listener=watch
            )
            head = column(family, rate, decay)
            by_seed = list(zip(*curve, strict=True))
            columns[f"{head}_last"] = curve[-1]
            columns[f"{head}_least"] = [min(row) for row in by_seed]
            finite = (trainer.diverged < 0).tolist()
            columns[f"{head}_finite"] = [
                float(a and all(map(math.isfinite, row)))
                for a, row in zip(finite, by_seed, strict=True)
            ]
    return columns


def _measure(
    dataset: Dataset,
    distance: Discrepancy,
    steps: Collection[int],
    draws: Rng,
    curve: list[list[float]],
    trainer: Trainer,
) -> None:
    if trainer.step in steps:
        fake = draw_samples(trainer, dataset, 500, draws.fork("sample", trainer.step))
        curve.append(distance(fake).tolist())


def failures(evidence: Evidence, family: str, grid: Grid = GRID) -> dict[str, Values]:
    """Returns the share of a grid on which a seed's run failed, in all and by kind.

    A run fails where a loss or a sample is not finite (diverged), where it ends farther from the
    data than copies of their mean (collapsed), at more than `FACTOR` times the median over seeds of
    its own setting (off), or at more than `FACTOR` times the least of its own curve (lost).
    """
    rows = {
        kind: {place: evidence.measured(f"{column(family, *place)}_{kind}") for place in grid}
        for kind in ("last", "least", "finite")
    }
    constant, last = evidence.measured(f"{family}_constant"), rows["last"]
    middle = {place: _median(row, 0.0) for place, row in last.items()}
    shares: dict[str, dict[int, float]] = {kind: {} for kind in ("any", *KINDS)}
    for seed, most in constant.items():
        failed = []
        for place in grid:
            end = last[place].get(seed, math.inf)
            least = rows["least"][place].get(seed, math.inf)
            diverged = not rows["finite"][place].get(seed)
            off, lost = (end > FACTOR * of or math.isinf(end) for of in (middle[place], least))
            failed.append((diverged, end > most, off, lost))
        shares["any"][seed] = fmean(any(one) for one in failed)
        for k, kind in enumerate(KINDS):
            shares[kind][seed] = fmean(one[k] for one in failed)
    return dict(shares)


def spread(evidence: Evidence, family: str) -> dict[int, float]:
    """Returns how far a seed's log distance is from its setting's median, a mean over the grid.

    It is infinite for a seed that diverged anywhere; medians are of seeds that did not.
    """
    deviations: dict[int, list[float]] = {}
    for place in GRID:
        row = evidence.measured(f"{column(family, *place)}_last")
        middle = _median(row, math.inf)
        for seed, value in row.items():
            away = abs(math.log(value / middle)) if math.isfinite(value) else math.inf
            deviations.setdefault(seed, []).append(away)
    return {seed: fmean(values) for seed, values in deviations.items()}


def _median(row: Values, default: float) -> float:
    """The median over seeds that did not diverge."""
    return median([v for v in row.values() if math.isfinite(v)] or [default])
