"""What processes that a run starts have in common: they heed its signals as it does, and end with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait

from genbench.running.interrupts import STOPS, become_worker, is_ignored, request_stop


@contextmanager
def signals_held() -> Iterator[None]:
    """Holds back, in its body and in processes that are started there, what asks a run to stop.

    Else one that has not yet come to its first line is ended by it, with a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        resource_tracker.ensure_running()  # which lets some through when it is first started
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def heed_signals() -> None:
    """Lets signals ask the job of this process to stop, those too that were held back since its start.

    Schedulers and terminals send them to all processes of a run, which is to write its checkpoints first.
    """
    become_worker()
    for number in STOPS:
        if not is_ignored(number):
            signal.signal(number, lambda number, frame: request_stop())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def end_with_parent() -> None:
    """Ends this process when its parent ends, in whatever way: a job without one helps nobody."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
