"""Ending a job before its end: because the user asks, or because its time is over."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from genbench.core.errors import SpecError

#: seconds after which an alarm that was swallowed rings again
AGAIN = 5.0
#: what asks a run to stop: Ctrl-C, a scheduler, a terminal that is closed
STOPS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
#: seconds within which a signal is the same request: `timeout` sends it to a process, then to its group
TOGETHER = 0.2

_requested = threading.Event()
#: whether the main thread is amid work that a request to stop ends at once
_at_once = threading.Event()
#: whether this process is a worker, which no signal interrupts
_worker = threading.Event()


class Stopped(BaseException):
    """Raised inside a job that was asked to stop, after its checkpoint is written."""


class OutOfTime(BaseException):
    """Raised inside a job whose time is over; no `except Exception` of a plugin may catch it."""


def request_stop() -> None:
    """Asks the job of this process to write its checkpoint and stop.

    Raises:
        Stopped: Where a signal handler calls it amid `stopped_at_once`.
    """
    _requested.set()
    if _at_once.is_set() and threading.current_thread() is threading.main_thread():
        raise Stopped


def stop_requested() -> bool:
    """Returns whether the job of this process was asked to stop."""
    return _requested.is_set()


def forget_stop() -> None:
    """Takes the request back, for another run in this process."""
    _requested.clear()


def is_of_user(error: BaseException) -> bool:
    """Returns whether an exception is a Ctrl-C; in a worker that nobody asked to stop a plugin raised it."""
    return isinstance(error, KeyboardInterrupt) and (stop_requested() or not _worker.is_set())


def become_worker() -> None:
    """Notes that this process takes signals as requests alone, and raises nothing for them."""
    _worker.set()


@contextmanager
def stopped_at_once() -> Iterator[None]:
    """Raises Stopped in its body as soon as a stop is requested, for work that looks for no request.

    Only the main thread of a process can be interrupted so; elsewhere the body goes on to its end.
    """
    if stop_requested():
        raise Stopped
    _at_once.set()
    try:
        yield
    finally:
        _at_once.clear()


def is_ignored(number: int) -> bool:
    """Returns whether a signal is one that nohup had ignored, which is left so."""
    return number not in (signal.SIGINT, signal.SIGTERM) and (
        signal.getsignal(number) == signal.SIG_IGN
    )


@contextmanager
def stopping_on_signals(stop: Callable[[], None], tell: Callable[[], None]) -> Iterator[None]:
    """Lets the first Ctrl-C (or SIGTERM, SIGHUP) ask the jobs to stop, and a second one end the run at once.

    A terminal that is closed is no second one: shells and schedulers send SIGHUP after other signals.
    Outside the main thread, where Python takes no signals, they are left as they are.

    Arguments:
        stop: Passes the request on to jobs of other processes.
        tell: Called on the first signal.
    """
    began = -math.inf

    def take(number: int, frame: FrameType | None) -> None:
        nonlocal began
        if stop_requested():
            if number in (signal.SIGINT, signal.SIGTERM) and time.monotonic() - began > TOGETHER:
                raise KeyboardInterrupt
            return
        began = time.monotonic()
        tell()
        stop()
        request_stop()

    forget_stop()
    main = threading.current_thread() is threading.main_thread()
    numbers = [number for number in STOPS if not is_ignored(number)] if main else []
    before = [(number, signal.signal(number, take)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


#: nobody waits for a later deadline, a hundred years, and the system's clock cannot be set to any
LONGEST = 3.2e9


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raises OutOfTime in its body after so many seconds of wall clock.

    Only the main thread of a process can be interrupted so; elsewhere, and in native code that does not
    return, the time is not kept (worker processes are then ended by their driver).

    Raises:
        SpecError: On Windows, which has no such alarm.
    """
    if (
        seconds is None
        or seconds > LONGEST
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return
    if not hasattr(signal, "setitimer"):
        raise SpecError("--timeout needs signals that this system has not; leave it out")

    def ring(number: int, frame: FrameType | None) -> None:
        raise OutOfTime(f"it took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
