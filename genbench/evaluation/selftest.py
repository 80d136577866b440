"""Metrics put to the test: real against real, then noise, a shift and lost modes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import DATASETS, Dataset
from genbench.core.metric import METRICS, columns
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.evaluation.compare import compare, spaces_of
from genbench.evaluation.extractors import make
from genbench.evaluation.requests import SPACES, Ask, ask, default_features, enter

#: how bad samples are made; 0 are real points, 1 is the worst
LEVELS = (0.0, 0.25, 0.5, 1.0)
#: shares of the points, to see what their number does
PARTS = (0.25, 0.5, 1.0)
#: a mixture, images, a manifold and text: every metric without a model applies to one of them
DATA = ("grid", "digits", "circle", "markov_text")
#: a rung counts as worse than the floor beyond so many of the floor's spreads
SPREADS = 3.0
#: changes below are rounding errors
TINY = 1e-6
#: fresh sets of real points, for the floor and its spread
DRAWS = 5


@dataclass(frozen=True)
class Ladder:
    """A metric's column on real points made worse step by step.

    Arguments:
        column: The column.
        dataset: The data set.
        how: `noise`, `shift`, `collapse` (fewer and fewer of the modes or classes), or `fewer`: real
            points, but fewer of them on both sides, which shows what the number of points does.
        values: Its value at every level of `LEVELS` (`fewer`: of `PARTS`); None where it does not apply.
        spread: The standard deviation of the value among fresh real points.
        moved: +1 if the worst rung is worse than the floor by more than `SPREADS`, -1 if better, else 0.
    """

    column: str
    dataset: str
    how: str
    values: tuple[float | None, ...]
    spread: float
    moved: int


Harm = Callable[[Tensor, Tensor | None, float, Rng], Tensor]


def noise(x: Tensor, labels: Tensor | None, level: float, rng: Rng) -> Tensor:
    """Mixes points with Gaussian noise of their own mean and variance."""
    mean, fresh = x.mean(0), x.std(0) * rng.normal(*x.shape)[0]
    return mean + (1 - level**2) ** 0.5 * (x - mean) + level * fresh


def shift(x: Tensor, labels: Tensor | None, level: float, rng: Rng) -> Tensor:
    """Moves all points by so many standard deviations of the whole."""
    return x + level * x.std()


def collapse(x: Tensor, labels: Tensor | None, level: float, rng: Rng) -> Tensor:
    """Keeps fewer and fewer classes (without labels: points), repeated to the same number."""
    place = torch.arange(len(x)) if labels is None else labels
    kept = x[place < max(1, round((int(place.max()) + 1) * (1 - level)))]
    return kept[rng.integers(len(kept), len(x))[0]]


def typing_errors(x: Tensor, labels: Tensor | None, level: float, rng: Rng) -> Tensor:
    """Replaces a share of tokens by random ones."""
    wrong = rng.integers(int(x.max()) + 1, *x.shape)[0]
    return torch.where(rng.uniform(*x.shape)[0] < level, wrong, x)


def harms_of(dataset: Dataset) -> dict[str, Harm]:
    """Returns what can be done to a data set's points."""
    if dataset.spec.kind == "tokens":
        return {"noise": typing_errors, "collapse": collapse}
    return {"noise": noise, "shift": shift, "collapse": collapse}


class Laboratory:
    """Real points of one data set, and scores of what is done to them.

    Arguments:
        dataset: With labels, or a mixture, whose modes are its labels.
        asks: Metrics that need no model.
        n: How many points are compared.
    """

    def __init__(self, dataset: Dataset, asks: Sequence[Ask], n: int) -> None:
        self.dataset, self.asks, self.n = dataset, asks, n
        self.extractor = make(default_features(dataset), dataset)
        self.spaces = spaces_of(asks, self.extractor)
        self.pool = dataset.points("train")
        self.labels = dataset.labels("train")
        centres = dataset.truth.centres if dataset.truth is not None else None
        if self.labels is None and centres is not None:
            self.labels = torch.cdist(self.pool.double(), centres.double()).argmin(1)
        self.real = self._enter(dataset.points("test")[:n])
        self.train = self._enter(self.pool)

    def _enter(self, x: Tensor) -> dict[str, Tensor]:
        return {space: enter(space, x, self.extractor) for space in self.spaces}

    def fresh(self, draw: int) -> tuple[Tensor, Tensor | None]:
        """Returns n points of the training split with their labels, others for every draw."""
        chosen = Rng([draw]).fork("selftest", self.dataset.name).permutation(len(self.pool))[0]
        chosen = chosen[: self.n]
        return self.pool[chosen], None if self.labels is None else self.labels[chosen]

    def scores(self, fake: Tensor) -> dict[str, float | None]:
        """Returns every column's value for samples in data space."""
        fake = self.dataset.to_data(self.dataset.to_model(fake.unsqueeze(0)))[0]
        count = len(fake)
        rows = compare(
            self._enter(fake),
            {space: x[:count] for space, x in self.real.items()},
            self.asks,
            extractor=self.extractor,
            train=self.train,
            dataset=self.dataset,
        )
        return {row.id: row.value for row in rows}


def ladders(
    names: Sequence[str] | None = None, datasets: Sequence[str] = DATA, n: int = 500
) -> Iterator[Ladder]:
    """Yields every column's ladders, data set by data set.

    Arguments:
        names: Metrics; None takes all that need no model.
        datasets: The data sets.
        n: How many points are compared.
    """
    chosen = [
        name
        for name, metric in METRICS.all().items()
        if metric.view in SPACES and (names is None or name in names)
    ]
    asks = ask([Part(name=name) for name in chosen])
    meanings = {column: c for name in chosen for column, c in METRICS.get(name).columns.items()}
    for name in datasets:
        lab = Laboratory(DATASETS.get(name)(), asks, n)
        floors = [lab.scores(lab.fresh(draw)[0]) for draw in range(DRAWS)]
        fewer = [lab.scores(lab.fresh(0)[0][: round(n * part)]) for part in PARTS[:-1]]
        for how, rungs in {**_harmed(lab, floors[0]), "fewer": [*fewer, floors[0]]}.items():
            for column, meaning in meanings.items():
                values = tuple(rung[column] for rung in rungs)
                around = [floor[column] for floor in floors]
                better = "none" if how == "fewer" else meaning.better
                yield ladder(column, name, how, values, around, better)


def _harmed(lab: Laboratory, floor: dict[str, float | None]) -> dict[str, list[Any]]:
    x, labels = lab.fresh(0)
    return {
        how: [floor]
        + [
            lab.scores(harm(x, labels, level, Rng([0]).fork("selftest", how, str(level))))
            for level in LEVELS[1:]
        ]
        for how, harm in harms_of(lab.dataset).items()
    }


def ladder(
    column: str,
    dataset: str,
    how: str,
    values: tuple[float | None, ...],
    around: Sequence[float | None],
    better: str,
) -> Ladder:
    """Judges a column's way up a ladder against its spread among fresh real points."""
    known = [value for value in around if value is not None]
    spread = statistics.stdev(known) if len(known) > 1 else math.nan
    moved = 0
    if known and values[-1] is not None and better != "none":
        change = values[-1] - statistics.fmean(known)
        worse = change if better == "lower" else -change
        margin = max(SPREADS * spread, TINY)
        moved = 1 if worse > margin else -1 if worse < -margin else 0
    return Ladder(column, dataset, how, values, spread, moved)


def verdicts(found: Sequence[Ladder]) -> dict[str, str]:
    """Returns what each column saw: `ok: noise, collapse`, `no direction`, or `FAIL …`.

    A column must see at least one of the harms on one data set where it applies; that a metric is
    blind to another (precision to lost modes, recall to noise) is its nature, and is listed.
    """
    told: dict[str, str] = {}
    for column in dict.fromkeys(entry.column for entry in found):
        rows = [entry for entry in found if entry.column == column]
        applies = [entry for entry in rows if entry.values[0] is not None]
        seen = list(dict.fromkeys(entry.how for entry in rows if entry.moved > 0))
        fooled = list(dict.fromkeys(e.how for e in rows if e.moved < 0 and e.how not in seen))
        if not applies:
            told[column] = "applies to none of these data sets"
        elif columns()[column][1].better == "none":
            told[column] = "no direction declared"
        elif seen:
            told[column] = f"ok: sees {', '.join(seen)}" + (
                f"; likes {', '.join(fooled)}" if fooled else ""
            )
        else:
            told[column] = "FAIL: sees none of the harms"
    return told
