"""The loop that gets a plan done: it hands out jobs, takes outcomes, and alone writes results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from genbench.core.errors import WriteError
from genbench.running.executor import Executor, ReportOf
from genbench.running.filing import CellFiling, Filing, TrialFiling
from genbench.running.interrupts import stop_requested
from genbench.running.job import Job, Outcome, Result, RunSettings, StackJob, TrialJob
from genbench.running.plan import Plan
from genbench.running.tuning_filing import TuneFiling
from genbench.running.tuning_job import TuneJob
from genbench.store import Record, Store
from genbench.store.locks import Locks

#: a job whose workers died so often is cut in halves, or, with one seed, an error
DEATHS = 3


def run_plan(
    plan: Plan,
    store: Store,
    executor: Executor,
    report: ReportOf = lambda index, progress: None,
    finished: Callable[[int, list[Result]], None] = lambda index, results: None,
) -> Iterator[Result]:
    """Yields the results of a plan's jobs and skipped pairs as they come, each on disk already.

    What fails is tried again where that may help: a job that does not fit the memory in halves, a job
    whose worker died as it is. A full disk and a request to stop end the run with `plan.stopped`.

    Arguments:
        plan: The plan; it is told what other runs have in hand, and why the run stopped.
        store: Where results go; this loop alone writes them.
        executor: Where jobs run.
        report: Told of every job's progress.
        finished: Told of every job's results; none where it will be tried again.

    Raises:
        WriteError: If the folder cannot be written at all; nothing has been done then.
    """
    skipped = [record for record in plan.skipped if store.read(record.spec) is None]
    if not (skipped or plan.broken or plan.jobs or plan.marks):
        return
    with Locks(store.root) as locks:
        driver = _Driver(plan, store, locks)
        yield from driver.file(skipped)
        outcomes = executor.run(driver.next, report)
        try:
            for index, outcome in outcomes:
                results = driver.take(index, outcome)
                if not stop_requested() or results:
                    finished(index, results)
                yield from results
        except WriteError as error:
            plan.stopped = str(error)
        finally:
            close = getattr(outcomes, "close", None)
            if close is not None:
                close()
        if plan.stopped is None and stop_requested():
            plan.stopped = "asked to stop"


class _Driver:
    """Knows which jobs are waiting, and what becomes of an outcome."""

    def __init__(self, plan: Plan, store: Store, locks: Locks) -> None:
        self.plan, self.store, self.waiting = plan, store, deque(range(len(plan.jobs)))
        cells = CellFiling(plan, store, locks)
        cells.mark()
        self.filings: dict[type[Job], Filing[Any]] = {
            StackJob: cells,
            TrialJob: TrialFiling(plan, store, locks),
            TuneJob: TuneFiling(plan, store, locks),
        }

    def next(self) -> tuple[int, Job] | None:
        """Returns the next job that is free and still to be done."""
        while self.waiting and not stop_requested():
            index = self.waiting.popleft()
            job = self.plan.jobs[index]
            job = self.filings[type(job)].claim(job)
            self.plan.jobs[index] = job.with_seeds(
                job.seeds
            )  # what travels along is not kept here
            if job.seeds:
                return index, job
        return None

    def file(self, skipped: list[Record]) -> Iterator[Record]:
        """Writes the records of cells that cannot be, and of those that failed before they became jobs."""
        for record in skipped:
            self.store.write(record)
            yield record
        for record in self.plan.broken:
            job = StackJob(specs=(record.spec,), settings=RunSettings(scale=record.scale))
            self.filings[StackJob].write(job, Outcome([record]), set())
            yield record

    def take(self, index: int, outcome: Outcome) -> list[Result]:
        """Writes what an outcome holds; returns its results, none where it will be tried again."""
        job = self.plan.jobs[index]
        if outcome.full is not None:
            raise WriteError(outcome.full)
        again = _retries(job, outcome)
        self._hand_in(again)
        filing = self.filings[type(job)]
        results = filing.write(job, outcome, {seed for part in again for seed in part.seeds})
        over = not outcome.stopped and all(part.seeds != job.seeds for part in again)
        filing.release(job, over)
        self._hand_in(filing.again)
        filing.again.clear()
        return results

    def _hand_in(self, jobs: Iterable[Job]) -> None:
        """Adds jobs to the plan, to be done before those that wait."""
        for job in jobs:
            self.plan.jobs.append(job)
            self.waiting.appendleft(len(self.plan.jobs) - 1)


def _retries(job: Job, outcome: Outcome) -> list[Job]:
    """Returns the jobs to be tried in place of one that failed; none where its results stand."""
    if outcome.stopped or (outcome.died and stop_requested()):
        return [job.with_seeds(job.seeds)]  # handed out again, unless all of the run is to stop
    if outcome.died and job.deaths + 1 < DEATHS:
        return [replace(job.with_seeds(job.seeds), deaths=job.deaths + 1)]
    seeds = job.seeds if outcome.died else [seed for seed in job.seeds if seed in outcome.oom]
    if not seeds or len(job.seeds) == 1:
        return []
    half = (len(seeds) + 1) // 2
    return [job.with_seeds(part) for part in (seeds[:half], seeds[half:]) if part]
