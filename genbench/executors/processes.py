"""Jobs side by side in worker processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from genbench.running.driver import Source, Watch
from genbench.running.interrupts import OutOfTime, request_stop, stop_requested
from genbench.running.job import Job, Outcome, Progress, Stage, WorkerDied, failed
from genbench.running.stack import run_job

#: seconds beyond a job's timeout after which a worker that does not answer is ended
GRACE = 15.0


class Processes:
    """Runs up to `workers` jobs at once, each in a process with its share of the cores.

    A worker that dies costs its own job alone, which the driver may give out again. Every worker has a
    pipe of its own, so that one that is killed amid a message harms no other.

    Arguments:
        workers: The number of processes.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._all: list[Worker] = []

    def run(self, source: Source, watch: Watch) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) as jobs finish."""
        threads = threads_each(self.workers)
        try:
            while True:
                self._fill(source, threads)
                busy = [worker for worker in self._all if worker.busy]
                if not busy:
                    return
                ready = wait([worker.connection for worker in busy], timeout=1.0)
                for worker in busy:
                    told = worker.connection in ready
                    outcome = worker.take(watch) if told else worker.overdue()
                    if outcome is not None:
                        yield worker.index, outcome
        finally:
            for worker in self._all:
                worker.end()
            self._all = []

    def stop(self) -> None:
        """Asks all workers to write their checkpoints and stop."""
        for worker in self._all:
            worker.ask_to_stop()

    def _fill(self, source: Source, threads: int) -> None:
        """Gives jobs to idle workers, and starts workers while there are jobs for them."""
        self._all = [worker for worker in self._all if worker.busy or worker.alive]
        for place in range(self.workers):
            if place < len(self._all) and self._all[place].busy:
                continue
            given = source()
            if given is None:
                return
            if place == len(self._all):
                self._all.append(Worker(threads))
            self._all[place].give(*given)


class Worker:
    """A process that does one job after the other, and the driver's end of its pipe.

    Arguments:
        threads: How many threads it may compute with.
    """

    def __init__(self, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, threads), daemon=True)
        # inherited by the worker, so that Ctrl-C does not end it before it can take it
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.index, self.since = -1, 0.0
        self.job: Job | None = None
        self.stage = Stage(lambda progress: None)

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
        self.stage = Stage(lambda progress: None)
        with suppress(OSError):
            self.connection.send(job)

    def take(self, watch: Watch) -> Outcome | None:
        """Takes one message: progress is passed on; an outcome, or its death, is returned."""
        assert self.job is not None
        try:
            said = self.connection.recv()
        except (EOFError, OSError):
            return self._dead()
        if isinstance(said, Progress):
            self.stage.phase = said.phase
            watch(self.index, said)
            return None
        self.job = None
        return said

    def overdue(self) -> Outcome | None:
        """Ends it if its job's time has long been over and it does not say so itself."""
        assert self.job is not None
        limit = self.job.setting.timeout
        if limit is None or time.monotonic() - self.since < limit + GRACE:
            return None
        self.end()
        return self._failures(OutOfTime(f"it took longer than {limit:g} s and did not answer"))

    def ask_to_stop(self) -> None:
        """Tells it to write its checkpoint and stop."""
        if self.process.is_alive() and self.process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGINT)

    def end(self) -> None:
        """Ends it at once."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.connection.close()

    def _dead(self) -> Outcome:
        self.process.join(timeout=5)
        code = self.process.exitcode
        self.end()
        how = f"exit code {code}"
        if code is not None and code < 0:
            how = f"killed by {signal.Signals(-code).name}"
            how += ", as it is when memory runs out" if code == -signal.SIGKILL else ""
        deaths = self.job.deaths + 1 if self.job else 1
        outcome = self._failures(WorkerDied(f"its worker process died {deaths} times ({how})"))
        outcome.died = True
        return outcome

    def _failures(self, error: BaseException) -> Outcome:
        specs = self.job.specs if self.job is not None else ()
        self.job = None
        return Outcome([failed(spec, error, self.stage) for spec in specs])


def _serve(connection: Connection, threads: int) -> None:
    """What a worker process does until its driver closes the pipe or dies."""
    signal.signal(signal.SIGINT, lambda number, frame: request_stop())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_driver, daemon=True).start()

    def tell(said: Any) -> None:
        with suppress(OSError):  # the driver is gone, and this process will be at once
            connection.send(said)

    with held_to(threads):
        while not stop_requested():
            try:
                job = connection.recv()
            except (EOFError, OSError):
                return
            tell(run_job(job, tell))


def threads_each(workers: int) -> int:
    """Returns how many threads each of several workers takes.

    That is its share of the cores that this process may use, and no more than OMP_NUM_THREADS: two threads
    that share a core with another job wait for each other, and may be twenty times as slow as one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    share = max(1, (cores or 1) // workers)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(asked)) if asked.isdigit() and int(asked) else share


def held_to(threads: int) -> Any:
    """Holds this process to so many threads from now on; returns what undoes it for most libraries."""
    # for libraries that are loaded later
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    return threadpool_limits(threads)


def _end_with_driver() -> None:
    """Ends this process when the driver ends, in whatever way: a job without one helps nobody."""
    driver = multiprocessing.parent_process()
    if driver is not None:
        wait([driver.sentinel])
        os._exit(1)
