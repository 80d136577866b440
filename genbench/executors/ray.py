"""Jobs on a Ray cluster, or on a Ray of this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from genbench.core.errors import SpecError
from genbench.running.driver import DEATHS, Source, Watch
from genbench.running.interrupts import forget_stop, request_stop
from genbench.running.job import Job, Outcome, Progress, Stage, WorkerDied, failed
from genbench.running.stack import run_job

#: the least share of a GPU that a job is given, and what the estimate of its memory is multiplied by
LEAST_GPU, RESERVE = 0.05, 1.5


class Ray:
    """Runs up to `workers` jobs at once as Ray tasks.

    Jobs, stored samples, results and artifacts travel through Ray's object store, so that nodes need no
    disk in common with the driver; genbench, the plugins named and the data sets' files must be there.
    Where a node does see the results folder, it writes its checkpoints there. Lost tasks (a worker or a
    node died) are given out again by the driver. Progress lies on a board, an actor that needs no core
    of its own; a run whose board is lost goes on without.

    Arguments:
        workers: Jobs in flight.
        address: Of a running cluster; None starts Ray on this machine.
    """

    def __init__(self, workers: int, *, address: str | None = None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError:
            raise SpecError(
                "--executor ray needs Ray, which is not installed; "
                "pip install 'genbench[ray]', or take --executor processes"
            ) from None
        self.workers, self.address, self._ray = workers, address, ray
        self._tasks: dict[Any, tuple[int, Job]] = {}

    def run(self, source: Source, watch: Watch) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) as tasks finish."""
        ray = self._ray
        own = not ray.is_initialized()
        try:
            if own:
                self._connect()
            needs = Needs(ray, self.workers)
            work, board = ray.remote(_work), ray.remote(Board).options(num_cpus=0).remote()
            while True:
                while len(self._tasks) < self.workers and (given := source()) is not None:
                    index, job = given
                    asked = work.options(max_retries=0, **needs.of(job))
                    self._tasks[asked.remote(job, needs.threads, index, board)] = index, job
                    watch(index, Progress("ray", 0.0))
                if not self._tasks:
                    return
                self._progress(board, watch)
                for task in ray.wait(list(self._tasks), num_returns=1, timeout=1.0)[0]:
                    index, job = self._tasks.pop(task)
                    yield index, self._outcome(task, job)
        finally:
            for task in self._tasks:
                with suppress(Exception):
                    ray.cancel(task, force=True)
            self._tasks = {}
            if own:
                ray.shutdown()

    def stop(self) -> None:
        """Asks all tasks to write their checkpoints and stop."""
        for task in list(self._tasks):
            with suppress(Exception):
                self._ray.cancel(task, force=False)

    def _connect(self) -> None:
        more = {} if self.address else {"num_cpus": os.cpu_count(), "include_dashboard": False}
        try:
            self._ray.init(
                address=self.address, log_to_driver=False, configure_logging=False, **more
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise SpecError(
                f"cannot reach a Ray cluster at {self.address or 'this machine'}: "
                f"{str(error).splitlines()[0]}; start one with `ray start --head`"
            ) from error

    def _progress(self, board: Any, watch: Watch) -> None:
        """Passes on what jobs in flight have put on the board."""
        running = {index for index, _ in self._tasks.values()}
        with suppress(self._ray.exceptions.RayError):
            for index, said in self._ray.get(board.take.remote(), timeout=1.0).items():
                if index in running:
                    watch(index, said)

    def _outcome(self, task: Any, job: Job) -> Outcome:
        """What a task gave back, or failures of its cells where it was lost."""
        errors = self._ray.exceptions
        stage = Stage(lambda progress: None)
        try:
            return self._ray.get(task)
        except errors.TaskCancelledError:
            return Outcome([], stopped=True)
        except errors.OutOfMemoryError as error:
            lost: Exception = MemoryError(str(error).splitlines()[0])
            return Outcome([failed(spec, lost, stage) for spec in job.specs])
        except errors.RayError as error:
            what = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"
            lost = WorkerDied(f"its task was lost {job.deaths + 1} of {DEATHS} times ({what})")
            return Outcome([failed(spec, lost, stage) for spec in job.specs], died=True)


class Board:
    """The last that every job has said of its progress."""

    def __init__(self) -> None:
        self.said: dict[int, Progress] = {}

    def tell(self, index: int, said: Progress) -> None:
        """Takes up what a job says."""
        self.said[index] = said

    def take(self) -> dict[int, Progress]:
        """Returns what is new."""
        said, self.said = self.said, {}
        return said


class Needs:
    """What a job asks of the cluster: cores, and a share of a GPU by its estimated memory.

    Arguments:
        ray: The module.
        workers: Jobs in flight.
    """

    def __init__(self, ray: Any, workers: int) -> None:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        cores = [int(node.get("CPU", 0)) for node in nodes if node.get("CPU", 0) >= 1]
        self.threads = max(1, min([sum(cores) // workers, *cores]))
        self.gpus = sum(node.get("GPU", 0) for node in nodes)
        self.share = min(1.0, self.gpus / workers)
        self.memory = 0
        if self.gpus:
            self.memory = ray.get(ray.remote(_gpu_memory).options(num_gpus=LEAST_GPU).remote())

    def of(self, job: Job) -> dict[str, float]:
        """Returns the resources of a job, as Ray's options."""
        if not self.gpus or job.setting.device == "cpu":
            return {"num_cpus": self.threads, "num_gpus": 0}
        share = self.share
        if job.memory is not None and self.memory:
            share = min(1.0, max(LEAST_GPU, RESERVE * job.memory / self.memory))
        return {"num_cpus": self.threads, "num_gpus": round(share, 2)}


def _gpu_memory() -> int:
    import torch

    return torch.cuda.get_device_properties(0).total_memory if torch.cuda.is_available() else 0


def _work(job: Job, threads: int, index: int, board: Any) -> Outcome:
    """Does a job on a node."""
    import torch

    torch.set_num_threads(threads)
    forget_stop()  # of a task that this process did before
    signal.signal(signal.SIGINT, lambda number, frame: request_stop())
    where = job.setting.checkpoints
    if where is not None and not where.parent.is_dir():  # a node without the driver's disk
        job = replace(job, setting=replace(job.setting, checkpoints=None))

    def tell(said: Progress) -> None:
        with suppress(Exception):  # nobody listens any more, which costs no job
            board.tell.remote(index, said)

    return run_job(job, tell)
