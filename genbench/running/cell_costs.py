"""What cells cost: seconds of training and scoring, as the records of results folders have them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean, median
from typing import Any

from genbench.core.dataset import DATASETS, open_named
from genbench.core.errors import GenbenchError
from genbench.core.model import MODELS
from genbench.core.spec import CellSpec, canonical
from genbench.running.job import Job, StackJob, TrialJob
from genbench.running.plan import Plan
from genbench.store import Record, Store
from genbench.store.absent import COMMITTED
from genbench.store.trial import Trial, Trials, claim_id, list_trials, parse

#: where a rate is known from, the best first; `Rate.source` is one of these
UNKNOWN = "nothing"
SOURCES = ("cells", "other options", "other data", "other models", UNKNOWN)


#: the exponent of a round's time in the coordinates of a point, above SMALL, between digits and
#: Fashion-MNIST (tests/proof/cost_growth.py); below it the time hardly grows
GROWTH, SMALL = 0.85, 64


@dataclass(frozen=True)
class Rate:
    """How long a round of one seed takes.

    Arguments:
        seconds: Of a stack as it was recorded, divided by its seeds; 0 where nothing is known.
        source: `cells` of the same model and data, the model's cells with `other options` or on `other
            data` (by the size of a point), the median of `other models` on the data, or `nothing`.
    """

    seconds: float
    source: str


class CellCosts:
    """Seconds of cells, looked up in results folders.

    Arguments:
        stores: The folders, the most telling first; the first that knows a model on a data set is believed.
    """

    def __init__(self, *stores: Store) -> None:
        self.stores = stores
        self._records = cache(self._read)

    def rate_of(self, spec: CellSpec) -> Rate:
        """Returns how long a round of a cell takes, by its own record where it has one."""
        for store in self.stores:
            record = store.read(spec)
            if record is not None and record.status == "ok":
                return Rate(_rate_of(record, spec.batch), "cells")
        data = spec.dataset, spec.dataset_options
        return self.rate(spec.model, spec.options, *data, spec.batch)

    def rate(
        self,
        model: str,
        options: Mapping[str, Any],
        dataset: str,
        dataset_options: Mapping[str, Any],
        batch: int,
    ) -> Rate:
        """Returns how long a round of one seed takes, of records whose options are the nearest."""
        here = [r for r in self._ok(dataset, model) if _of_data(r, dataset_options)]
        if here:
            near, differing = _find_nearest(here, options)
            rate = fmean(_rate_of(r, batch) for r in near)
            return Rate(rate, "other options" if differing else "cells")
        if elsewhere := self._everywhere(model):
            size = _size_of(dataset, canonical(dict(dataset_options)))
            return Rate(
                _scale_rate(_find_nearest(elsewhere, options)[0], size, batch), "other data"
            )
        others = [
            rate
            for other in MODELS.names()
            for r in self._ok(dataset, other)
            if _of_data(r, dataset_options) and (rate := _rate_of(r, batch))
        ]
        return Rate(median(others), "other models") if others else Rate(0.0, UNKNOWN)

    def scoring(self, spec: CellSpec, metrics: Iterable[str]) -> float:
        """Returns how long the metrics of one seed take, as far as they were recorded of the data."""
        records = self._records(spec.dataset, spec.model)
        records = [r for r in records if _of_data(r, spec.dataset_options)] or records
        return sum(fmean(times) for name in metrics if (times := _scoring_times(records, name)))

    def _everywhere(self, model: str) -> list[Record]:
        folders = {p.name for s in self.stores for p in s.root.glob("*") if p.is_dir()}
        return [r for name in sorted(folders) for r in self._ok(name, model)]

    def _ok(self, dataset: str, model: str) -> list[Record]:
        return [r for r in self._records(dataset, model) if r.status == "ok"]

    def _read(self, dataset: str, model: str) -> list[Record]:
        for store in self.stores:
            if records := list(store.of(dataset, model)):
                return records
        return []


def known_costs(store: Store) -> CellCosts:
    """Returns what a results folder knows of costs, and where it knows nothing the committed results."""
    others = [Store(COMMITTED)] if COMMITTED.is_dir() and store.root != COMMITTED else []
    return CellCosts(store, *others)


@dataclass(frozen=True)
class Expected:
    """How long a run will take.

    Arguments:
        seconds: Of all jobs whose cost is known, one after the other.
        longest: Of the longest of them.
        sources: By where the cost is known from, how many jobs.
    """

    seconds: float
    longest: float
    sources: dict[str, int]

    def wall(self, workers: int) -> float:
        """Returns the seconds until the run ends, with so many jobs side by side."""
        return max(self.seconds / workers, self.longest)


def expect(plans: Sequence[Plan], costs: CellCosts) -> Expected:
    """Returns how long the jobs of plans take."""
    seconds: list[float] = []
    sources: dict[str, int] = dict.fromkeys(SOURCES, 0)
    for job in (job for plan in plans for job in plan.jobs):
        cost, source = _cost(job, costs)
        seconds.append(cost)
        sources[source] += 1
    return Expected(sum(seconds), max(seconds, default=0.0), sources)


def _cost(job: Job, costs: CellCosts) -> tuple[float, str]:
    """Seconds of a job, and where they are known from."""
    if isinstance(job, TrialJob):
        return _trial_cost(job, costs)
    if not isinstance(job, StackJob):
        return 0.0, "nothing"
    spec, seeds = job.specs[0], len(job.specs)
    names = [part.name for part in job.settings.metrics]
    scoring = seeds * costs.scoring(spec, names)
    if job.rescore:
        return scoring, "cells"
    budget = spec.budget
    if budget.seconds is not None:
        return budget.seconds + scoring, "cells"
    rounds = budget.steps or (budget.examples or 0) / spec.batch
    rate = costs.rate_of(spec)
    return rate.seconds * seeds * rounds + scoring, rate.source


def _trial_cost(job: TrialJob, costs: CellCosts) -> tuple[float, str]:
    """Seconds of an experiment, from trials of the same claim, with the same options where there are some.

    Of other options the nearest counts, times the largest ratio of whole numbers, as of rounds, that differ.
    """
    trials = [trial for store in costs.stores for trial in _trials_of(job.claim, store)]
    own = [t for t in trials if t.version == job.version and t.options == dict(job.options)]
    if own:
        return _seed_cost(own[0]) * len(job.seeds), "cells"
    guesses = []
    for trial in trials:
        pairs = [(job.options.get(key), value) for key, value in trial.options.items()]
        ratios = [a / b for a, b in pairs if type(a) is type(b) is int and a and b and a != b]
        differing = sum(a != b for a, b in pairs)
        ratio = max(ratios, key=lambda r: abs(math.log(r)), default=1.0)
        nearness = trial.version != job.version, differing, abs(math.log(ratio))
        guesses.append((nearness, _seed_cost(trial) * ratio))
    if not guesses:
        return 0.0, "nothing"
    return min(guesses)[1] * len(job.seeds), "other options"


def _trials_of(claim: str, store: Store) -> list[Trial]:
    """A folder's trials of a claim that took time, of every version."""
    paths, _ = list_trials(Trials(store.root).root)
    trials = [parse(path) for path in paths if path.name.startswith(f"{claim_id(claim)}-")]
    return [t for t in trials if t is not None and t.claim == claim and t.seeds and t.seconds]


def _seed_cost(trial: Trial) -> float:
    return trial.seconds / len(trial.seeds)


def _of_data(record: Record, dataset_options: Mapping[str, Any]) -> bool:
    return canonical(record.spec.dataset_options) == canonical(dict(dataset_options))


def _find_nearest(
    records: Sequence[Record], options: Mapping[str, Any]
) -> tuple[list[Record], int]:
    """The records with the fewest options that may cost something and differ, and how many those are."""
    counts = [_count_differing(r.spec.options, options) for r in records]
    least = min(counts)
    return [r for r, count in zip(records, counts, strict=True) if count == least], least


def _count_differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """How many options differ; fractions, as step sizes and weights are, by whether they are 0 alone."""

    def reduce(value: Any) -> str:
        return str(value != 0) if isinstance(value, float) else canonical(value)

    return sum(reduce(one[key]) != reduce(other[key]) for key in one.keys() & other.keys())


def _scale_rate(records: Sequence[Record], size: int | None, batch: int) -> float:
    """The longest round of the records whose points are nearest in size, scaled to that size."""
    growths = [_growth(r, size) for r in records]
    least = min(abs(math.log(growth)) for growth in growths)
    pairs = zip(records, growths, strict=True)
    return max(g * _rate_of(r, batch) for r, g in pairs if abs(math.log(g)) <= least)


def _growth(record: Record, size: int | None) -> float:
    """How many times as long a round takes with points of another size, where both sizes are known."""
    own = _size_of(record.spec.dataset, canonical(record.spec.dataset_options))
    if not size or not own:
        return 1.0
    return (max(size, SMALL) / max(own, SMALL)) ** GROWTH


@cache
def _size_of(dataset: str, options: str) -> int | None:
    """The coordinates of a point, by its data set's options as canonical JSON; None of one not installed."""
    if dataset not in DATASETS:
        return None
    try:
        return open_named(dataset, **json.loads(options)).spec.size
    except GenbenchError:
        return None


def _rate_of(record: Record, batch: int) -> float:
    """Seconds of a round of one seed; a larger minibatch takes as many times longer, a closed form none."""
    used = record.used
    if not used.steps:
        return 0.0
    return used.seconds / used.seeds_sharing / used.steps * max(1.0, batch / record.spec.batch)


def _scoring_times(records: Sequence[Record], metric: str) -> list[float]:
    """Seconds that a metric took, once for every record and set of options; its columns share their time."""
    times: dict[tuple[str, str], float] = {}
    for record in records:
        for m in (m for m in record.metrics if m.metric == metric):
            key = record.cell, m.key
            times[key] = times.get(key, 0.0) + m.seconds
    return list(times.values())
