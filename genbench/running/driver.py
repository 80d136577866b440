"""The loop that gets a plan done: it hands out jobs, takes outcomes, and alone writes records."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from genbench.core.errors import WriteError
from genbench.core.spec import CellSpec
from genbench.running.build import checkpoint_path
from genbench.running.environment import choose_device, environment
from genbench.running.interrupts import stop_requested
from genbench.running.job import Job, Outcome, Progress, Stored
from genbench.running.locks import Locks
from genbench.running.plan import Plan
from genbench.store import FAILURES, Record, Store

#: a job whose workers died so often is cut in halves, or, with one seed, an error
DEATHS = 3

Watch = Callable[[int, Progress], None]
#: hands out the next job with its index, or None while there is none
Source = Callable[[], tuple[int, Job] | None]


class Runner(Protocol):
    """What `run` asks of an executor."""

    def run(self, source: Source, watch: Watch) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) in any order, and asks for more jobs until there are none.

        An outcome may bring new jobs, so the source is asked again after every one; None means that
        there is nothing now, and with no job in hand that the run is over.
        """
        ...


def run(
    made: Plan,
    store: Store,
    executor: Runner,
    watch: Watch,
    finished: Callable[[int, list[Record]], None] = lambda index, records: None,
) -> Iterator[Record]:
    """Yields the records of a plan's jobs and skipped pairs as they come, each on disk already.

    What fails is tried again where that may help: a stack that does not fit the memory in halves, a job
    whose worker died as it is. A full disk and a request to stop end the run with `made.stopped`.

    Arguments:
        made: The plan; it is told what other runs have in hand, and why the run stopped.
        store: Where records go; this loop alone writes them.
        executor: Where jobs run.
        watch: Told of every job's progress.
        finished: Told of every job's records; none where it will be tried again.

    Raises:
        WriteError: If the folder cannot be written at all; nothing has been trained then.
    """
    fresh = [record for record in made.skipped if store.read(record.spec) is None]
    if not (fresh or made.jobs or made.scaled):
        return
    with Locks(store.root) as locks:
        driver = _Driver(made, store, locks)
        for record in fresh:
            store.write(record)
            yield record
        driver.unscale(made.scaled)
        outcomes = executor.run(driver.next, watch)
        try:
            for index, outcome in outcomes:
                records = driver.take(index, outcome)
                if not stop_requested() or records:
                    finished(index, records)
                yield from records
        except WriteError as error:
            made.stopped = str(error)
        finally:
            close = getattr(outcomes, "close", None)
            if close is not None:
                close()
        if made.stopped is None and stop_requested():
            made.stopped = "asked to stop"


class _Driver:
    """Knows what is waiting, what is locked, and what becomes of an outcome."""

    def __init__(self, made: Plan, store: Store, locks: Locks) -> None:
        self.made, self.store, self.locks = made, store, locks
        self.waiting = deque(range(len(made.jobs)))
        self.leftovers = _leftovers(store.root)

    def next(self) -> tuple[int, Job] | None:
        """Returns the next job whose cells are free and still to be done."""
        while self.waiting and not stop_requested():
            index = self.waiting.popleft()
            job = self._claimed(self.made.jobs[index])
            self.made.jobs[index] = job
            if job.specs:
                return index, job
        return None

    def unscale(self, specs: Sequence[CellSpec]) -> None:
        """Takes the mark of another budget from finished cells that are now asked for as they are."""
        for spec in specs:
            if self.locks.take(spec.cell):
                record = self.store.read(spec)
                if record is not None and record.scale is not None:
                    self.store.write(record.model_copy(update={"scale": None}))
                self.locks.give(spec.cell)

    def take(self, index: int, outcome: Outcome) -> list[Record]:
        """Writes what an outcome holds; returns its records, none where it will be tried again."""
        job = self.made.jobs[index]
        if outcome.full is not None:
            raise WriteError(outcome.full)
        again = self._retries(job, outcome)
        for part in again:
            self.made.jobs.append(part)
            self.waiting.appendleft(len(self.made.jobs) - 1)
        kept = {spec.cell for part in again for spec in part.specs}
        records = [record for record in outcome.records if record.cell not in kept]
        for record in records:
            self._write(record, job, outcome)
        path = checkpoint_path(job)
        over = not outcome.stopped and all(part.specs != job.specs for part in again)
        if path is not None and over:
            path.unlink(missing_ok=True)
        for spec in job.specs:
            self.locks.give(spec.cell)
        return records

    def _retries(self, job: Job, outcome: Outcome) -> list[Job]:
        """The jobs to be tried in place of one that failed; none where its records stand."""
        if outcome.stopped or (outcome.died and stop_requested()):
            return [replace(job, stored=())]  # handed out again, unless all of the run is to stop
        if outcome.died and job.deaths + 1 < DEATHS:
            return [replace(job, stored=(), deaths=job.deaths + 1)]
        failed = {r.cell for r in outcome.records if outcome.died or r.status == "oom"}
        specs = [spec for spec in job.specs if spec.cell in failed]
        if not specs or len(job.specs) == 1:
            return []
        half = (len(specs) + 1) // 2
        parts = [specs[:half], specs[half:]]
        return [replace(job, specs=tuple(part), stored=()) for part in parts if part]

    def _claimed(self, job: Job) -> Job:
        """A job without the cells that another run has in hand or has done since the plan."""
        free: list[CellSpec] = []
        for spec in job.specs:
            if not self.locks.take(spec.cell):
                self.made.busy.append(spec)
            elif self._stamp(spec) != self.made.stamps.get(spec.cell):
                self.locks.give(spec.cell)
            else:
                free.append(spec)
        if job.rescore:
            return replace(job, specs=tuple(free), stored=tuple(self._stored(free)))
        job = replace(job, specs=tuple(free))
        path = checkpoint_path(job) if free else None
        for name in [*([path.name] if path else []), *(f"{spec.cell}.json" for spec in free)]:
            for left in self.leftovers.pop(name, []):
                left.unlink(missing_ok=True)
        return job

    def _stamp(self, spec: CellSpec) -> int | None:
        try:
            return self.store.path(spec).stat().st_mtime_ns
        except OSError:
            return None

    def _stored(self, specs: Sequence[CellSpec]) -> Iterator[Stored]:
        for spec in specs:
            record = self.store.read(spec)
            held = {
                k: self.store.content(v) for k, v in (record.artifacts if record else {}).items()
            }
            weights, samples = held.get("weights"), held.get("samples")
            if record is not None and weights is not None and samples is not None:
                yield Stored(record, weights, samples)

    def _write(self, record: Record, job: Job, outcome: Outcome) -> None:
        if not record.environment:
            device = choose_device(job.setting.device)
            record.environment = environment(device, job.setting.workers)
        for kind, (content, suffix) in outcome.artifacts.get(record.cell, {}).items():
            record.artifacts[kind] = self.store.put(content, suffix)
        record.scale = job.setting.scale
        if record.status in FAILURES or record.scale is not None:
            before = self.store.read(record.spec)
            measured = before is not None and before.status not in (*FAILURES, "skipped")
            if record.status in FAILURES and measured:
                return  # a failure must not cost what was measured
            if before is not None and before.scale is None:
                record.scale = None  # it was asked for at its own budget already
        path = self.store.write(record)
        self.made.stamps[record.cell] = path.stat().st_mtime_ns


def _leftovers(root: Path) -> dict[str, list[Path]]:
    """What runs that were killed amid a write left, by the name of the file that was meant."""
    found: dict[str, list[Path]] = {}
    for path in root.rglob(".*.tmp"):
        found.setdefault(path.name[1:].rsplit(".", 2)[0], []).append(path)
    return found
