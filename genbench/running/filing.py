"""The driver's side of each kind of job: what is locked and read before it, and written after it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from genbench.core.device import choose_device
from genbench.core.files import discard, remove_leftovers, remove_stale
from genbench.core.spec import CellSpec
from genbench.evaluation.requests import make_requests
from genbench.running.build import checkpoint_path
from genbench.running.job import Job, Outcome, Result, StackJob, Stored, TrialJob
from genbench.running.owed import are_same, make_again
from genbench.running.plan import Plan
from genbench.store import FAILURES, Record, Store
from genbench.store.environment import environment
from genbench.store.locks import Locks
from genbench.store.record import Measurement, drop_replaced, take_times
from genbench.store.trial import Trial, Trials, parse

J = TypeVar("J", bound=Job)


@dataclass
class Filing(ABC, Generic[J]):
    """Takes jobs of one kind out of a results folder, and puts what they give into it.

    Arguments:
        plan: The plan; it is told what other runs have in hand.
        store: The folder.
        locks: The folder's locks, held for this run.
        again: Jobs that what was written calls for; the driver takes them.
    """

    plan: Plan
    store: Store
    locks: Locks
    again: list[J] = field(default_factory=list)

    @abstractmethod
    def claim(self, job: J) -> J:
        """Locks what a job will write; returns what is left of it to be done, perhaps no seed."""

    @abstractmethod
    def write(self, job: J, outcome: Outcome, again: Set[int]) -> list[Result]:
        """Writes the results of an outcome, but for seeds that are done again; returns them."""

    @abstractmethod
    def release(self, job: J, over: bool) -> None:
        """Lets go of a job, which goes on later as it stands unless it is over."""


@dataclass
class CellFiling(Filing[StackJob]):
    """Files records: a lock and a file per cell."""

    leftovers: dict[str, list[Path]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.store.root.rglob(".*.tmp"):  # of runs that were killed amid a write
            if not remove_stale(path):
                self.leftovers.setdefault(path.name[1:].rsplit(".", 2)[0], []).append(path)

    def claim(self, job: StackJob) -> StackJob:
        """Returns a job without the cells that another run has in hand or has done since the plan."""
        free: list[CellSpec] = []
        busy: list[int] = []
        for spec in job.specs:
            if not self.locks.take(spec.cell):
                busy.append(spec.seed)
            elif self._stamp(spec) != self.plan.stamps.get(spec.cell):
                self.locks.give(spec.cell)
            else:
                free.append(spec)
        if busy:
            self.plan.busy.append(job.with_seeds(busy))
        job = replace(job, specs=tuple(free))
        if job.rescore:
            return replace(job, stored=tuple(self._stored(free)))
        path = checkpoint_path(job) if free else None
        for name in [*([path.name] if path else []), *(f"{spec.cell}.json" for spec in free)]:
            for leftover in self.leftovers.pop(name, []):
                discard(leftover)
        return job

    def write(self, job: StackJob, outcome: Outcome, again: Set[int]) -> list[Result]:
        """Writes records and artifacts."""
        records = [
            r for r in outcome.results if isinstance(r, Record) and r.spec.seed not in again
        ]
        for record in records:
            self._write(record, job, outcome)
        return list(records)

    def release(self, job: StackJob, over: bool) -> None:
        """Unlocks the cells, and deletes the checkpoint of a job that is over."""
        path = checkpoint_path(job)
        if path is not None and over:
            discard(path)
        for spec in job.specs:
            self.locks.give(spec.cell)

    def mark(self) -> None:
        """Writes into the records of finished cells what they are for, where that is to be said otherwise."""
        for spec, marks in self.plan.marks:
            if self.locks.take(spec.cell):
                record = self.store.read(spec)
                if record is not None:
                    self.store.write(record.model_copy(update=marks))
                self.locks.give(spec.cell)

    def _stamp(self, spec: CellSpec) -> int | None:
        try:
            return self.store.path(spec).stat().st_mtime_ns
        except OSError:
            return None

    def _stored(self, specs: list[CellSpec]) -> Iterator[Stored]:
        for spec in specs:
            record = self.store.read(spec)
            references = record.artifacts if record is not None else {}
            contents = {kind: self.store.content(name) for kind, name in references.items()}
            weights, samples = contents.get("weights"), contents.get("samples")
            if record is not None and weights is not None and samples is not None:
                yield Stored(record, weights, samples)

    def _write(self, record: Record, job: StackJob, outcome: Outcome) -> None:
        if not record.environment:
            record.environment = _find_environment(job)
        for kind, (content, suffix) in outcome.artifacts.get(record.cell, {}).items():
            record.artifacts[kind] = self.store.put(content, suffix)
        record.scale = job.settings.scale
        record.named = sorted({*record.named, *job.settings.named})
        before = self.store.read(record.spec)
        if job.rescore and before is not None:
            record.metrics = _mark_times(record, before, job)
        if record.status in FAILURES or record.scale is not None:
            measured = before is not None and before.status not in (*FAILURES, "skipped")
            if record.status in FAILURES and measured:
                return  # a failure must not cost what was measured
            if before is not None and before.scale is None:
                record.scale = None  # it was asked for at its own budget already
        if before is not None:
            self._keep_measurements(record, before, job)
            record = record.after(before)
        path = self.store.write(record)
        self._settle(record)
        self.plan.stamps[record.cell] = path.stat().st_mtime_ns

    def _keep_measurements(self, record: Record, before: Record, job: StackJob) -> None:
        """Adds what was measured before, where the bits are the same; else sets the old record aside.

        What a cell of other bits had been scored by is owed, and measured again.
        """
        if before.status != "ok" or record.status in FAILURES:
            return
        settings = job.settings
        requests = make_requests(
            settings.metrics, samples=settings.samples, features=settings.features
        )
        keys = {measurement.key for measurement in record.metrics}
        if record.status == "ok":
            keys |= {key for request in requests for key in request.older_keys}
        others = drop_replaced([m for m in before.metrics if m.key not in keys], record.metrics)
        if not others:
            return
        record.named = sorted({*before.named, *record.named})
        if are_same(record, before):
            others = take_times(others, before, record.environment)
            record.metrics = [*others, *record.metrics]
            return
        self.plan.replaced.append(self.store.set_aside(self.store.path(record.spec)))
        if record.status == "ok":
            self.again += make_again(job, record, others)
            self.plan.owed += [(record.cell, m.metric) for m in others]

    def _settle(self, record: Record) -> None:
        """Takes what a record holds from what is owed."""
        pairs = {(record.cell, m.metric) for m in record.metrics}
        self.plan.owed[:] = [pair for pair in self.plan.owed if pair not in pairs]


def _find_environment(job: StackJob) -> dict[str, Any]:
    return environment(choose_device(job.settings.device), job.settings.workers)


def _mark_times(record: Record, before: Record, job: StackJob) -> list[Measurement]:
    """A record's measurements, of which the times that were measured just now have this machine."""
    keys = {m.key for m in before.metrics}
    old = [m for m in record.metrics if m.key in keys]
    new = [m for m in record.metrics if m.key not in keys]
    here = record.model_copy(update={"environment": _find_environment(job)})
    return [*old, *take_times(new, here, record.environment)]


class TrialFiling(Filing[TrialJob]):
    """Files trials: a lock and a file per experiment and its options, whatever the seeds.

    The lock is kept until the run ends, since the halves of a job that was cut share it.
    """

    def claim(self, job: TrialJob) -> TrialJob:
        """Returns an experiment without the seeds that another run has made since the plan."""
        path = self._path(job)
        if not self.locks.take_name(path.name):
            self.plan.busy.append(job)
            return job.with_seeds([])
        remove_leftovers(path)
        trial = parse(path)
        since = trial.seeds - job.redone if trial is not None else set()
        return job.with_seeds(set(job.seeds) - since)

    def write(self, job: TrialJob, outcome: Outcome, again: Set[int]) -> list[Result]:
        """Writes a trial, joined with that of other seeds."""
        trials = [t for t in outcome.results if isinstance(t, Trial) and not t.seeds & again]
        for trial in trials:
            Trials(self.store.root).write(trial)
        return list(trials)

    def release(self, job: TrialJob, over: bool) -> None:
        """Keeps the lock."""

    def _path(self, job: TrialJob) -> Path:
        return Trials(self.store.root).path_of(job.claim, job.version, job.options)
