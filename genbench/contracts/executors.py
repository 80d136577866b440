"""What every executor must keep: jobs of two small models, and what comes back of them."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from genbench.contracts.rules import expect, rule
from genbench.core.spec import Budget, Cells, Part, Suite
from genbench.running.executor import Executor, make_executor
from genbench.running.interrupts import forget_stop, request_stop, stop_requested
from genbench.running.job import Job, Outcome, Progress
from genbench.running.sorter import make_plan, make_settings
from genbench.running.work import run_job
from genbench.store import Record, Store

#: jobs in hand at once
WORKERS = 2
#: rounds of a job that is over soon, and of one that is still training when it is asked to stop
FEW, MANY = 20, 1500
SEEDS = [0, 1]


class JobQueue:
    """Jobs in a line, as the driver hands them out: none after a request to stop.

    Arguments:
        jobs: The jobs.
        behind: Jobs that stand in line only when the first outcome has been taken.
    """

    def __init__(self, jobs: Sequence[Job], behind: Sequence[Job] = ()) -> None:
        self.jobs = [*jobs, *behind]
        self.queue, self.later = deque(range(len(jobs))), range(len(jobs), len(self.jobs))
        self.indices: list[int] = []

    def next(self) -> tuple[int, Job] | None:
        """Returns the next job with its index."""
        if not self.queue or stop_requested():
            return None
        self.indices.append(self.queue.popleft())
        return self.indices[-1], self.jobs[self.indices[-1]]

    def run(self, executor: Executor, report: Any = lambda index, progress: None) -> Outcomes:
        """Returns the outcomes of all jobs with their indices, in the order in which they came."""
        outcomes = []
        for index, outcome in executor.run(self.next, report):
            outcomes.append((index, outcome))
            self.queue.extend(self.later)
            self.later = range(0)
        return outcomes


Outcomes = list[tuple[int, Outcome]]


@contextmanager
def small_jobs(steps: int) -> Iterator[list[Job]]:
    """Gives two jobs of two seeds each; their checkpoints lie in a folder that goes afterwards."""
    suite = Suite(
        description="jobs to check an executor",
        seeds=SEEDS,
        seeds_at_once=None,
        budget=Budget(steps=steps),
        batch=8,
        samples=100,
        metrics=[Part(name="fid")],
        curve=0,
        cells=[
            Cells(
                models=[Part(name="gan", options={"hidden": (8,)}), Part(name="gaussian")],
                datasets=[Part(name="ring")],
            )
        ],
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        yield make_plan(suite, Store(root), make_settings(suite, root, device="cpu")).jobs


@contextmanager
def started(name: str) -> Iterator[Executor]:
    """Gives an executor with its default options, and closes it."""
    forget_stop()
    try:
        with closing(make_executor(name, WORKERS)) as executor:
            yield executor
    finally:
        forget_stop()


def measured(outcome: Outcome) -> list[dict[str, Any]]:
    """Returns what an outcome's records say, but for times and the machine."""
    rows = []
    for result in outcome.results:
        assert isinstance(result, Record)
        scores = {f"{m.id} {m.split}": m.value for m in result.metrics}
        rows.append({"seed": result.spec.seed, "status": result.status, "scores": scores})
        if result.reason is not None:
            rows[-1]["reason"] = result.reason
    return rows


def weights(outcome: Outcome) -> dict[str, bytes]:
    """Returns the stored weights by cell."""
    return {cell: kinds["weights"][0] for cell, kinds in outcome.artifacts.items()}


def expect_same(outcome: Outcome, expected: Outcome, what: str) -> None:
    """Raises Broken unless two outcomes hold the same scores and weights."""
    got, reference = measured(outcome), measured(expected)
    expect(
        got == reference, f"{what} needs the results {reference}, got {got}; do jobs by run_job"
    )
    same = weights(outcome) == weights(expected)
    expect(same, f"{what} needs the same weights, got others; return run_job's outcome as it is")


@rule("executor", first=True)
def it_can_be_made(name: str) -> None:
    """It is an Executor, made with a number of workers, and can be closed, twice too."""
    with started(name) as executor:
        own = executor.workers
        expect(
            isinstance(own, int) and own >= 1,
            f"workers needs a whole number >= 1, got {own!r}; call super().__init__(workers)",
        )
        outcomes = JobQueue([]).run(executor)
        expect(outcomes == [], f"without jobs there is nothing to yield, got {outcomes}")
        executor.close()


@rule("executor")
def every_job_comes_back_once(name: str) -> None:
    """Every job comes back once, with its index and its seeds, also those that are to be had later."""
    with small_jobs(FEW) as jobs, started(name) as executor:
        queue = JobQueue(jobs, behind=jobs)
        outcomes = queue.run(executor)
        indices = sorted(index for index, _ in outcomes)
        expect(
            indices == list(range(len(queue.jobs))),
            f"jobs 0 to {len(queue.jobs) - 1} need to come back once each, got {indices}; ask for "
            "jobs again after every yield, and end when there is neither a job nor one in hand",
        )
        for index, outcome in outcomes:
            expect_all_seeds(outcome, queue.jobs[index])


def expect_all_seeds(outcome: Outcome, job: Job) -> None:
    """Raises Broken unless an outcome has a result for each of a job's seeds."""
    seeds = [seed for result in outcome.results for seed in result.seeds]
    expect(seeds == job.seeds, f"the outcome of {job.title} needs seeds {job.seeds}, got {seeds}")


@rule("executor")
def results_are_those_of_one_process(name: str) -> None:
    """Scores and weights are, bit for bit, those of `run_job` in this process."""
    with small_jobs(FEW) as jobs, started(name) as executor:
        for index, outcome in JobQueue(jobs).run(executor):
            expect_same(outcome, run_job(jobs[index]), jobs[index].title)


@rule("executor")
def a_job_that_fails_costs_the_others_nothing(name: str) -> None:
    """A job that raises comes back as failures of its seeds, and the others as they would be."""
    with small_jobs(FEW) as jobs, started(name) as executor:
        broken = replace(jobs[0], settings=replace(jobs[0].settings, plugins=("no_such_plugin",)))
        outcomes = dict(JobQueue([broken, jobs[1]]).run(executor))
        expect(sorted(outcomes) == [0, 1], f"two jobs need to come back, got {sorted(outcomes)}")
        expect_all_seeds(outcomes[0], broken)
        status = {row["status"] for row in measured(outcomes[0])}
        expect(status == {"error"}, f"a job that raises needs the status error, got {status}")
        expect_same(outcomes[1], run_job(jobs[1]), "the job beside one that fails")


@rule("executor")
def a_request_to_stop_loses_nothing(name: str) -> None:
    """After `stop` jobs in hand come back, done or with a checkpoint from which they go on."""
    with small_jobs(MANY) as jobs:
        expected = run_job(_elsewhere(jobs[0]))
        with started(name) as executor:
            outcomes = [(0, _stopped(executor, jobs[0]))]
        if outcomes[0][1].stopped:
            with started(name) as executor:
                outcomes = JobQueue([jobs[0]]).run(executor)
        expect(len(outcomes) == 1, f"the stopped job needs to come back once, got {outcomes}")
        expect_same(outcomes[0][1], expected, "a job that was stopped and went on")


def _elsewhere(job: Job) -> Job:
    """The same job without checkpoints."""
    return replace(job, settings=replace(job.settings, checkpoints=None))


def _stopped(executor: Executor, job: Job) -> Outcome:
    """The outcome of a job that is asked to stop as soon as it is heard to train."""

    def report(index: int, progress: Progress) -> None:
        if progress.phase == "train" and not stop_requested():
            executor.stop()
            request_stop()

    queue = JobQueue([job])
    outcomes = queue.run(executor, report)
    expect(
        [index for index, _ in outcomes] == queue.indices,
        f"after stop() the jobs {queue.indices} in hand need to come back, got "
        f"{[index for index, _ in outcomes]}; wait for them, and yield what they give back",
    )
    return outcomes[0][1]


@rule("executor")
def it_can_be_left_early_and_run_again(name: str) -> None:
    """When the iterator is closed early, jobs in hand are ended; the next run is as the first."""
    with small_jobs(FEW) as jobs, started(name) as executor:
        outcomes = executor.run(JobQueue(jobs).next, lambda index, progress: None)
        next(outcomes)
        close = getattr(outcomes, "close", lambda: None)
        close()
        indices = sorted(index for index, _ in JobQueue(jobs).run(executor))
        expect(indices == [0, 1], f"the next run needs jobs 0 and 1 once each, got {indices}")
