"""Ending a job before its end: because the user asks, or because its time is over."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: seconds after which an alarm that was swallowed rings again
AGAIN = 5.0

_requested = threading.Event()


class Stopped(BaseException):
    """Raised inside a job that was asked to stop, after its checkpoint is written."""


class OutOfTime(BaseException):
    """Raised inside a job whose time is over; no `except Exception` of a plugin may catch it."""


def request_stop() -> None:
    """Asks the job of this process to write its checkpoint and stop."""
    _requested.set()


def stop_requested() -> bool:
    """Returns whether the job of this process was asked to stop."""
    return _requested.is_set()


def forget_stop() -> None:
    """Takes the request back, for another run in this process."""
    _requested.clear()


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raises OutOfTime in its body after so many seconds of wall clock.

    Only the main thread of a process can be interrupted so; elsewhere, and in native code that does not
    return, the time is not held (worker processes are then ended by their driver).
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise OutOfTime(f"it took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
