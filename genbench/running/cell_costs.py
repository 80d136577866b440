"""What cells cost: seconds of training and scoring, as the records of results folders have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean, median

from genbench.core.model import MODELS
from genbench.core.spec import CellSpec
from genbench.running.job import Job, StackJob, TrialJob
from genbench.running.plan import Plan
from genbench.store import Record, Store
from genbench.store.absent import COMMITTED
from genbench.store.trial import Trials, parse

#: records of cells that are read of a model on a data set
FEW = 8
#: where a rate is known from, the best first; `Rate.source` is one of these
SOURCES = ("cells", "other data", "other models", "nothing")


@dataclass(frozen=True)
class Rate:
    """How long a round of one seed takes.

    Arguments:
        seconds: Of a stack as it was recorded, divided by its seeds; 0 where nothing is known.
        source: `cells` of the same pair, the model's cells on `other data`, the median of `other models` on
            the data set, or `nothing`.
    """

    seconds: float
    source: str


class CellCosts:
    """Seconds of cells, looked up in results folders.

    Arguments:
        stores: The folders, the most telling first; the first that knows a pair is believed.
    """

    def __init__(self, *stores: Store) -> None:
        self.stores = stores
        self.rate = cache(self._rate)
        self._records = cache(self._read)

    def _rate(self, model: str, dataset: str, batch: int) -> Rate:
        """Returns how long a round of one seed of a model takes, with so many points in a minibatch."""
        if rates := self._rates(dataset, model, batch):
            return Rate(fmean(rates), "cells")
        folders = {p.name for s in self.stores for p in s.root.glob("*") if p.is_dir()}
        if rates := [rate for name in sorted(folders) for rate in self._rates(name, model, batch)]:
            return Rate(max(rates), "other data")
        if rates := [r for m in MODELS.names() for r in self._rates(dataset, m, batch) if r]:
            return Rate(median(rates), "other models")
        return Rate(0.0, "nothing")

    def rate_of(self, spec: CellSpec) -> Rate:
        """Returns how long a round of a cell takes, by its own record where it has one."""
        for store in self.stores:
            record = store.read(spec)
            if record is not None and record.status == "ok":
                return Rate(_rate_of(record, spec.batch), "cells")
        return self.rate(spec.model, spec.dataset, spec.batch)

    def scoring(self, model: str, dataset: str, metrics: Iterable[str]) -> float:
        """Returns how long the metrics of one seed take, as far as they were recorded on the data set."""
        records = self._records(dataset, model)
        return sum(fmean(times) for name in metrics if (times := _scoring_times(records, name)))

    def _rates(self, dataset: str, model: str, batch: int) -> list[float]:
        return [_rate_of(r, batch) for r in self._records(dataset, model) if r.status == "ok"]

    def _read(self, dataset: str, model: str) -> list[Record]:
        for store in self.stores:
            paths = sorted((store.root / dataset / model).glob("*.json"))[:FEW]
            records = [record for path in paths if (record := store.parse(path)[0]) is not None]
            if records:
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
    scoring = seeds * costs.scoring(spec.model, spec.dataset, names)
    if job.rescore:
        return scoring, "cells"
    budget = spec.budget
    if budget.seconds is not None:
        return budget.seconds + scoring, "cells"
    rounds = budget.steps or (budget.examples or 0) / spec.batch
    rate = costs.rate_of(spec)
    return rate.seconds * seeds * rounds + scoring, rate.source


def _trial_cost(job: TrialJob, costs: CellCosts) -> tuple[float, str]:
    """Seconds of an experiment, from trials of the same claim with the same options."""
    for store in costs.stores:
        trial = parse(Trials(store.root).path_of(job.claim, job.version, job.options))
        if trial is not None and trial.seeds and trial.seconds:
            return trial.seconds / len(trial.seeds) * len(job.seeds), "cells"
    return 0.0, "nothing"


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
