"""Jobs side by side in worker processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from genbench.core.errors import SpecError
from genbench.running.child_processes import end_with_parent, heed_signals, signals_held
from genbench.running.executor import Executor, NextJob, ReportOf, executor
from genbench.running.interrupts import OutOfTime, Stopped, stop_requested, stopped_at_once
from genbench.running.job import Job, Outcome, Progress, Stage
from genbench.running.work import run_job

#: seconds beyond a job's timeout after which a worker that does not answer is ended
GRACE = 15.0


@executor("processes")
class Processes(Executor):
    """Runs up to `workers` jobs at once, each in a process with its share of the cores.

    A worker that dies costs its own job alone, which the driver may give out again. Every worker has a
    pipe of its own, so that one that is killed amid a message harms no other.

    Arguments:
        workers: The number of processes.

    Raises:
        SpecError: On Windows.
    """

    def __init__(self, workers: int = 1) -> None:
        super().__init__(workers)
        if not hasattr(signal, "pthread_sigmask"):
            raise SpecError(
                "--executor processes needs signals that this system has not; take inline or ray"
            )
        self._all: list[Worker] = []

    def run(self, next_job: NextJob, report: ReportOf) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) as jobs finish."""
        threads = threads_each(self.workers)
        try:
            while True:
                self._fill(next_job, threads)
                busy = [worker for worker in self._all if worker.busy]
                if not busy:
                    return
                ready = wait([worker.connection for worker in busy], timeout=1.0)
                for worker in busy:
                    spoke = worker.connection in ready
                    outcome = worker.take(report) if spoke else worker.overdue()
                    if outcome is not None:
                        yield worker.index, outcome
        finally:
            for worker in self._all:
                if worker.busy:
                    worker.end()

    def close(self) -> None:
        """Ends all workers."""
        for worker in self._all:
            worker.end()
        self._all = []

    def stop(self) -> None:
        """Asks all workers to write their checkpoints and stop."""
        for worker in self._all:
            worker.ask_to_stop()

    def _fill(self, next_job: NextJob, threads: int) -> None:
        """Gives jobs to idle workers, and starts workers while there are jobs for them."""
        self._all = [worker for worker in self._all if worker.alive or worker.busy]
        for place in range(self.workers):
            if place < len(self._all) and self._all[place].busy:
                continue
            assigned = next_job()
            if assigned is None:
                return
            if place == len(self._all):
                self._all.append(Worker(threads))
            self._all[place].give(*assigned)


class Worker:
    """A process that does one job after the other, and the driver's end of its pipe.

    Arguments:
        threads: How many threads it may compute with.
    """

    def __init__(self, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, threads), daemon=True)
        with signals_held():
            self.process.start()
        theirs.close()
        self.index, self.since = -1, 0.0
        self.job: Job | None = None
        self.stage = Stage()

    @property
    def busy(self) -> bool:
        """Whether it has a job in hand."""
        return self.job is not None

    @property
    def alive(self) -> bool:
        """Whether it can be given a job."""
        return self.process.is_alive() and not self.connection.closed

    def give(self, index: int, job: Job) -> None:
        """Hands it a job; if it has died meanwhile, `take` will tell."""
        self.index, self.job, self.since = index, job, time.monotonic()
        self.stage = Stage()
        with suppress(OSError):
            self.connection.send(job)

    def take(self, report: ReportOf) -> Outcome | None:
        """Takes one message: progress is passed on; an outcome, or its death, is returned."""
        assert self.job is not None
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            return self._dead()
        if isinstance(message, Progress):
            self.stage.phase = message.phase
            report(self.index, message)
            return None
        self.job = None
        return message

    def overdue(self) -> Outcome | None:
        """Ends it if its job's time has long been over and it does not say so itself."""
        assert self.job is not None
        job, limit = self.job, self.job.settings.timeout
        if limit is None or time.monotonic() - self.since < limit + GRACE:
            return None
        self.end()
        late = OutOfTime(f"it took longer than {limit:g} s and did not answer")
        return Outcome(job.failures(late, self.stage))

    def ask_to_stop(self) -> None:
        """Tells it to write its checkpoint and stop."""
        if self.process.is_alive() and self.process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGINT)

    def end(self) -> None:
        """Ends it at once, and its job with it."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.connection.close()
        self.job = None

    def _dead(self) -> Outcome:
        assert self.job is not None
        job = self.job
        self.process.join(timeout=5)
        code = self.process.exitcode
        self.end()
        how = f"exit code {code}"
        if code is not None and code < 0:
            how = f"killed by {signal.Signals(-code).name}"
            how += ", as it is when memory runs out" if code == -signal.SIGKILL else ""
        return job.died(how, self.stage)


def _serve(connection: Connection, threads: int) -> None:
    """What a worker process does until its driver closes the pipe or dies."""
    heed_signals()
    end_with_parent()

    def tell(message: Any) -> None:
        with suppress(OSError):  # the driver is gone, and this process will be at once
            connection.send(message)

    with limit_threads(threads):
        while not stop_requested():
            try:
                with stopped_at_once():
                    job = connection.recv()
            except (EOFError, OSError, Stopped):
                return
            tell(run_job(job, tell))


def threads_each(workers: int) -> int:
    """Returns how many threads each of several workers takes.

    That is its share of the cores that this process may use, and no more than OMP_NUM_THREADS: two threads
    that share a core with another job wait for each other, and may be twenty times as slow as one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    share = max(1, (cores or 1) // workers)
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(limit)) if limit.isdecimal() and int(limit) else share


def limit_threads(threads: int) -> Any:
    """Limits this process to so many threads; returns what takes that back for most libraries."""
    # for libraries that are loaded later
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    return threadpool_limits(threads)
