"""Jobs side by side in worker processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from queue import Empty
from typing import Any

from genbench.executors import Watch
from genbench.harness.job import Job, Outcome, Stage, failed
from genbench.harness.stack import run_job

_queue: Any = None


class Processes:
    """Runs up to `workers` jobs at once, each in a process with its share of the cores.

    Arguments:
        workers: The number of processes.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, jobs: Sequence[Job], watch: Watch) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) as jobs finish; a worker that dies makes its job's cells errors."""
        context = multiprocessing.get_context("spawn")
        queue = context.Queue()
        done = threading.Event()
        listener = threading.Thread(target=_listen, args=(queue, watch, done), daemon=True)
        listener.start()
        threads = max(1, (os.cpu_count() or 1) // self.workers)
        pool = ProcessPoolExecutor(
            self.workers, mp_context=context, initializer=_start, initargs=(queue, threads)
        )
        try:
            futures: dict[Future[Outcome], int] = {
                pool.submit(_work, index, job): index for index, job in enumerate(jobs)
            }
            for future in as_completed(futures):
                index = futures[future]
                yield index, _outcome(future, jobs[index])
        finally:
            pool.shutdown(cancel_futures=True)
            # nothing is put here: a worker killed in a write keeps the queue's lock for ever
            done.set()
            listener.join(timeout=5)


def _outcome(future: Future[Outcome], job: Job) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        error = MemoryError("a worker process died (killed, or out of memory)")
        return Outcome([failed(spec, error, Stage(lambda progress: None)) for spec in job.specs])


def _start(queue: Any, threads: int) -> None:
    global _queue
    _queue = queue
    import torch

    torch.set_num_threads(threads)


def _work(index: int, job: Job) -> Outcome:
    return run_job(job, partial(_send, index))


def _send(index: int, progress: Any) -> None:
    _queue.put((index, progress))


def _listen(queue: Any, watch: Watch, done: threading.Event) -> None:
    while True:
        try:
            watch(*queue.get(timeout=0.2))
        except Empty:
            if done.is_set():
                return
