"""Claims' experiments, one after the other or side by side in worker processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from genbench.core.claim import find
from genbench.core.registry import load_plugin
from genbench.executors.processes import held_to, threads_each
from genbench.running.claims import Held, Scale, failed_trial, tried
from genbench.store import Store
from genbench.store.trial import Trial


@dataclass(frozen=True)
class Task:
    """An experiment to be made for seeds, as it travels to where that is done.

    Arguments:
        claim: The claim's name.
        scale: How thorough the pass is.
        seeds: The seeds.
        root: The results folder.
        device: Where it is made.
        plugins: What must be imported before.
    """

    claim: str
    scale: Scale
    seeds: tuple[int, ...]
    root: Path
    device: str = "cpu"
    plugins: tuple[str, ...] = ()

    @property
    def held(self) -> Held:
        """The claim and its evidence."""
        return Held(find([self.claim])[self.claim], Store(self.root), self.scale)


def trials(tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Trial]]:
    """Makes experiments and yields each as it ends; nothing is written down.

    When a worker dies, what has not ended is made again, each by a worker of its own.

    Arguments:
        tasks: The experiments.
        workers: How many processes; with 1 they are made in this one.
    """
    if workers == 1 or len(tasks) < 2:
        for task in tasks:
            yield task, _tried(task)
        return
    left = list(tasks)
    for task, trial in _side_by_side(tasks, workers):
        left.remove(task)
        yield task, trial
    for task in left:
        alone = [trial for _, trial in _side_by_side([task], 1)]
        reason = "WorkerDied: the worker process of the experiment died twice"
        yield task, alone[0] if alone else failed_trial(task.held, task.seeds, reason)


def _side_by_side(tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Trial]]:
    """Yields experiments as they end, until all have or a worker dies."""
    context = multiprocessing.get_context("spawn")
    theirs, leash = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, context, _begin, (theirs, threads_each(workers)))
    try:
        futures = {pool.submit(_tried, task): task for task in tasks}
        for future in as_completed(futures):
            with suppress(BrokenProcessPool):
                yield futures[future], future.result()
    finally:
        # whatever is still at work ends now: nobody waits for it
        leash.close()
        pool.shutdown(cancel_futures=True)
        theirs.close()


def _tried(task: Task) -> Trial:
    for plugin in task.plugins:
        load_plugin(plugin)
    return tried(task.held, task.seeds, task.device)


def _begin(leash: Connection, threads: int) -> None:
    """Prepares a worker, which ends at once when its driver lets go of the leash or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()
    held_to(threads)


def _end_with(leash: Connection) -> None:
    wait([leash])
    os._exit(1)
