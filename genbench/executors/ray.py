"""Jobs on a Ray cluster, or on a Ray of this machine."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from genbench.core.errors import SpecError
from genbench.running.executor import Executor, NextJob, ReportOf, executor
from genbench.running.interrupts import forget_stop, request_stop
from genbench.running.job import Job, Outcome, Progress, Stage
from genbench.running.work import run_job

#: the least share of a GPU that a job is given, and what the estimate of its memory is multiplied by
LEAST_GPU, RESERVE = 0.05, 1.5
#: seconds that a cluster has to answer
ANSWER = 10.0


@executor("ray")
class Ray(Executor):
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

    def __init__(self, workers: int = 1, *, address: str | None = None) -> None:
        super().__init__(workers)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError:
            raise SpecError(
                "--executor ray needs Ray, which is not installed; "
                "pip install 'genbench[ray]', or take --executor processes"
            ) from None
        self.address, self._ray, self._own = address, ray, False
        self._tasks: dict[Any, tuple[int, Job]] = {}

    def run(self, next_job: NextJob, report: ReportOf) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) as tasks finish."""
        ray = self._ray
        if not ray.is_initialized():
            self._connect()
            self._own = True
        try:
            needs = Needs(ray, self.workers)
            work, board = ray.remote(_work), ray.remote(Board).options(num_cpus=0).remote()
            while True:
                while len(self._tasks) < self.workers and (assigned := next_job()) is not None:
                    index, job = assigned
                    remote = work.options(max_retries=0, **needs.of(job)).remote
                    self._tasks[remote(job, needs.threads, index, board)] = index, job
                    report(index, Progress("ray", 0.0))
                if not self._tasks:
                    return
                self._progress(board, report)
                for task in ray.wait(list(self._tasks), num_returns=1, timeout=1.0)[0]:
                    index, job = self._tasks.pop(task)
                    yield index, self._outcome(task, job)
        finally:
            for task in self._tasks:
                with suppress(Exception):
                    ray.cancel(task, force=True)
            self._tasks = {}

    def close(self) -> None:
        """Leaves the cluster, or ends that of this machine."""
        if self._own:
            self._ray.shutdown()
            self._own = False

    def stop(self) -> None:
        """Asks all tasks to write their checkpoints and stop."""
        for task in list(self._tasks):
            with suppress(Exception):
                self._ray.cancel(task, force=False)

    def _connect(self) -> None:
        address, more = self.address, {}
        if address is None:  # "local": none that runs here already, nor that of $RAY_ADDRESS
            address = "local"
            more = {"num_cpus": os.cpu_count(), "include_dashboard": False}
        try:
            _require_listener(address)
            self._ray.init(address=address, log_to_driver=False, configure_logging=False, **more)
        except (OSError, ValueError, RuntimeError) as error:
            text = getattr(error, "strerror", None) or str(error) or type(error).__name__
            why = " ".join(text.splitlines()[0].split()).rstrip(":")
            if self.address is None:
                raise SpecError(
                    f"Ray cannot be started on this machine: {why}; mend that, name a cluster by "
                    f"--ray-address, or take --executor processes"
                ) from error
            raise SpecError(
                f"cannot reach a Ray cluster at {self.address!r}: {why}; name one that runs by "
                f"--ray-address HOST:PORT, or start one with `ray start --head`"
            ) from error

    def _progress(self, board: Any, report: ReportOf) -> None:
        """Passes on what jobs in flight have put on the board."""
        running = {index for index, _ in self._tasks.values()}
        with suppress(self._ray.exceptions.RayError):
            for index, progress in self._ray.get(board.take.remote(), timeout=1.0).items():
                if index in running:
                    report(index, progress)

    def _outcome(self, task: Any, job: Job) -> Outcome:
        """What a task gave back, or failures where it was lost."""
        errors, stage = self._ray.exceptions, Stage()
        try:
            return self._ray.get(task)
        except errors.TaskCancelledError:
            return Outcome(stopped=True)
        except errors.OutOfMemoryError as error:
            full = MemoryError(str(error).splitlines()[0])
            return Outcome(job.failures(full, stage), oom=set(job.seeds))
        except errors.RayError as error:
            how = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"
            return job.died(how, stage)


class Board:
    """The last progress of every job."""

    def __init__(self) -> None:
        self.news: dict[int, Progress] = {}

    def tell(self, index: int, progress: Progress) -> None:
        """Takes up the progress of a job."""
        self.news[index] = progress

    def take(self) -> dict[int, Progress]:
        """Returns what is new."""
        news, self.news = self.news, {}
        return news


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
        if not self.gpus or job.settings.device == "cpu":
            return {"num_cpus": self.threads, "num_gpus": 0}
        share = self.share
        if job.memory is not None and self.memory:
            share = min(1.0, max(LEAST_GPU, RESERVE * job.memory / self.memory))
        return {"num_cpus": self.threads, "num_gpus": round(share, 2)}


def _require_listener(address: str) -> None:
    """Refuses a host and port where nobody listens, for which Ray would wait some minutes.

    Raises:
        OSError: If no connection can be made.
    """
    parts = re.fullmatch(r"(?:ray://)?\[?([^/@\s]+?)\]?:(\d{1,5})", address)
    if parts is not None:
        socket.create_connection((parts[1], int(parts[2])), timeout=ANSWER).close()


def _gpu_memory() -> int:
    import torch

    return torch.cuda.get_device_properties(0).total_memory if torch.cuda.is_available() else 0


def _work(job: Job, threads: int, index: int, board: Any) -> Outcome:
    """Does a job on a node."""
    import torch

    torch.set_num_threads(threads)
    forget_stop()  # of a task that this process did before
    signal.signal(signal.SIGINT, lambda number, frame: request_stop())
    where = job.settings.checkpoints
    if where is not None and not where.parent.is_dir():  # a node without the driver's disk
        job = replace(job, settings=replace(job.settings, checkpoints=None))

    def tell(progress: Progress) -> None:
        with suppress(Exception):  # nobody listens any more, which costs no job
            board.tell.remote(index, progress)

    return run_job(job, tell)
