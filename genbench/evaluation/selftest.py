"""Metrics put to the test: real against real, then noise, a shift and lost modes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import DATASETS, Dataset
from genbench.core.metric import METRICS, PAIRED, columns
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.evaluation.comparison import Reference
from genbench.evaluation.extractors import default_features, make_extractor
from genbench.evaluation.requests import SPACES, MetricRequest, find_spaces, make_requests
from genbench.evaluation.scoring import measure
from genbench.evaluation.side import Side

#: how bad samples are made; 0 are real points, 1 is the worst
LEVELS = (0.0, 0.25, 0.5, 1.0)
#: shares of the points, to see what their number does
PARTS = (0.25, 0.5, 1.0)
#: a mixture, images, a manifold and text: every metric without a model applies to one of them
DATA = ("grid", "digits", "circle", "markov_text")
#: data whose points are made from something, with their options: every metric of pairs applies to one
PAIRS: dict[str, dict[str, Any]] = {
    "super_resolution": {},
    "moving_digits": {},
    "holes": {"exemplar": "none"},
    "captioned_digits": {},
}
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
    rest = x[place < max(1, round((int(place.max()) + 1) * (1 - level)))]
    return rest[rng.integers(len(rest), len(x))[0]]


def typing_errors(x: Tensor, labels: Tensor | None, level: float, rng: Rng) -> Tensor:
    """Replaces a share of tokens by random ones."""
    wrong = rng.integers(int(x.max()) + 1, *x.shape)[0]
    return torch.where(rng.uniform(*x.shape)[0] < level, wrong, x)


def blur(x: Tensor, labels: Tensor | None, level: float, rng: Rng) -> Tensor:
    """Puts the means of neighbourhoods in the place of pixels of images (N, C, H, W), of up to 9×9."""
    reach = round(4 * level)
    return torch.nn.functional.avg_pool2d(x, 2 * reach + 1, 1, reach)


def swap(x: Tensor, labels: Tensor | None, level: float, rng: Rng) -> Tensor:
    """Gives a share of the sources what was made of others."""
    count = round(level * len(x))
    return torch.cat([x[:count].roll(1, 0), x[count:]])


def find_harms(dataset: Dataset) -> dict[str, Harm]:
    """Returns what can be done to a data set's points."""
    if dataset.given is not None:
        return {"noise": noise, "shift": shift, "blur": blur, "swap": swap}
    if dataset.spec.kind == "tokens":
        return {"noise": typing_errors, "collapse": collapse}
    return {"noise": noise, "shift": shift, "collapse": collapse}


class Laboratory:
    """Real points of one data set, and scores of what is done to them.

    Arguments:
        dataset: With labels, or a mixture, whose modes are its labels.
        requests: Metrics that need no model.
        n: How many points are compared.
    """

    def __init__(self, dataset: Dataset, requests: Sequence[MetricRequest], n: int) -> None:
        paired = dataset.given is not None
        # of pairs the true points are the best answers, which no other metric may be shown
        own = [r for r in requests if (r.metric.view in PAIRED) == paired]
        self.dataset, self.requests, self.n, self.paired = dataset, own, n, paired
        judged = dataset.base or dataset
        self.extractor = make_extractor(default_features(judged), judged)
        self.pool = dataset.points("train")
        self.labels = dataset.labels("train")
        centres = dataset.truth.centres if dataset.truth is not None else None
        if self.labels is None and centres is not None:
            self.labels = torch.cdist(self.pool.double(), centres.double()).argmin(1)
        self.real = self._side(dataset.points("test")[:n])
        self.train = self._side(self.pool)
        self.spaces = find_spaces(own, self.extractor)

    def _side(self, x: Tensor) -> Side:
        return Side.of(x, lambda: self.extractor)

    def reference(self, count: int) -> Reference:
        """Returns so many held-out points as a reference."""
        views = {space: self.real.view(space)[:count] for space in self.spaces}
        real = Side(views, count, lambda: self.extractor)
        reference = Reference(real, self.dataset, self.train)
        if self.dataset.given is None:
            return reference
        labels = self.dataset.labels("test")
        return replace(
            reference,
            sources=self._side(self.dataset.given.points("test")[:count]),
            classes=None if labels is None else labels[:count],
        )

    def fresh(self, draw: int) -> tuple[Tensor, Tensor | None]:
        """Returns n points of the training split with their labels, others for every draw.

        Of pairs they are the true points, in their order.
        """
        if self.paired:
            return self.dataset.points("test")[: self.n], None
        rows = Rng([draw]).fork("selftest", self.dataset.name).permutation(len(self.pool))[0]
        rows = rows[: self.n]
        return self.pool[rows], None if self.labels is None else self.labels[rows]

    def scores(self, fake: Tensor) -> dict[str, float | None]:
        """Returns every column's value for samples in data space."""
        fake = self.dataset.to_data(self.dataset.to_model(fake.unsqueeze(0)))[0]
        rng = Rng([0]).fork("evaluate")
        side, reference = self._side(fake), self.reference(len(fake))
        calls = [reference.make_call(request, side, rng) for request in self.requests]
        return {row.id: row.value for row in measure(calls, lenient=True)}


def ladders(
    requests: Sequence[MetricRequest] | None = None,
    datasets: Sequence[str] = (*DATA, *PAIRS),
    n: int = 500,
) -> Iterator[Ladder]:
    """Yields every column's ladders, data set by data set.

    Arguments:
        requests: Metrics; None takes all that need no model.
        datasets: The data sets.
        n: How many points are compared.
    """
    if requests is None:
        requests = make_requests([Part(name=name) for name in METRICS])
    requests = [request for request in requests if request.metric.view in SPACES]
    for name in datasets:
        lab = Laboratory(DATASETS.get(name)(**PAIRS.get(name, {})), requests, n)
        if not lab.requests:
            continue
        metrics = {column: r.metric for r in lab.requests for column in r.metric.columns}
        floors = [lab.scores(lab.fresh(draw)[0]) for draw in range(DRAWS)]
        fewer = [lab.scores(lab.fresh(0)[0][: round(n * part)]) for part in PARTS[:-1]]
        for how, rungs in {**_harm_points(lab, floors[0]), "fewer": [*fewer, floors[0]]}.items():
            for column, metric in metrics.items():
                values = tuple(rung[column] for rung in rungs)
                around = [floor[column] for floor in floors]
                better = "none" if how == "fewer" else metric.columns[column].better
                yield make_ladder(column, name, how, values, around, better)


def _harm_points(lab: Laboratory, floor: dict[str, float | None]) -> dict[str, list[Any]]:
    x, labels = lab.fresh(0)
    return {
        how: [floor]
        + [
            lab.scores(harm(x, labels, level, Rng([0]).fork("selftest", how, str(level))))
            for level in LEVELS[1:]
        ]
        for how, harm in find_harms(lab.dataset).items()
    }


def make_ladder(
    column: str,
    dataset: str,
    how: str,
    values: tuple[float | None, ...],
    around: Sequence[float | None],
    better: str,
) -> Ladder:
    """Judges a column's way up a ladder against its spread among fresh real points."""
    numbers = [value for value in around if value is not None]
    spread = statistics.stdev(numbers) if len(numbers) > 1 else math.nan
    moved = 0
    if numbers and values[-1] is not None and better != "none":
        change = values[-1] - statistics.fmean(numbers)
        worse = change if better == "lower" else -change
        margin = max(SPREADS * spread, TINY)
        moved = 1 if worse > margin else -1 if worse < -margin else 0
    return Ladder(column, dataset, how, values, spread, moved)


def find_verdicts(ladders: Sequence[Ladder]) -> dict[str, str]:
    """Returns what each column sees: `ok: noise, collapse`, `no direction`, or `FAIL …`.

    A column must see at least one of the harms on one data set where it applies; that a metric is
    blind to another (precision to lost modes, recall to noise) is its nature, and is listed.
    """
    verdicts: dict[str, str] = {}
    for column in dict.fromkeys(entry.column for entry in ladders):
        rows = [entry for entry in ladders if entry.column == column]
        applies = [entry for entry in rows if entry.values[0] is not None]
        harms = list(dict.fromkeys(entry.how for entry in rows if entry.moved > 0))
        likes = list(dict.fromkeys(e.how for e in rows if e.moved < 0 and e.how not in harms))
        if not applies:
            verdicts[column] = "applies to none of these data sets"
        elif columns()[column][1].better == "none":
            verdicts[column] = "no direction declared"
        elif harms:
            verdicts[column] = f"ok: sees {', '.join(harms)}" + (
                f"; likes {', '.join(likes)}" if likes else ""
            )
        else:
            verdicts[column] = "FAIL: sees none of the harms"
    return verdicts
