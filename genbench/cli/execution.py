"""How `genbench run` runs a plan: the executor, progress, Ctrl-C, and what is told of every cell."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from genbench.running.plan import Plan
    from genbench.store import Record

STOPPED = "stopped; finished cells are kept, the same command goes on from here"


def execute(made: Plan, store: Any, console: Any, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Runs a plan with progress on the console, and returns its rows; Ctrl-C keeps what is finished.

    Curves are logged if that was asked, those of cells that were done before too.
    """
    from genbench.cli.progress import Display
    from genbench.running.driver import run

    executor, rows = executor_of(given), []
    log = given["log"]
    if log is not None:
        for old in map(store.read, made.done):
            if old is not None:
                log.write(old)
    told = {"quiet": given["quiet"], "verbose": given["verbose"]}
    try:
        with Display(console, made.jobs, **told) as display, interrupts(executor.stop):
            for record in run(made, store, executor, display.watch, display.finished):
                rows.append(entry(record, store))
                if log is not None:
                    log.write(record)
        return rows
    except KeyboardInterrupt:
        click.echo(STOPPED, err=True)
        raise SystemExit(130) from None


def curves_log(given: dict[str, Any]) -> Any:
    """Returns where curves are logged for TensorBoard, or None where that was not asked."""
    if given["tensorboard"] is None or given["dry_run"]:
        return None
    from genbench.report.event_files import EventFiles

    return EventFiles(given["tensorboard"])


def executor_of(given: dict[str, Any]) -> Any:
    """Returns the executor that the arguments mean."""
    if given["executor"] == "processes":
        from genbench.executors.processes import Processes

        return Processes(given["jobs"])
    if given["executor"] == "ray":
        from genbench.executors.ray import Ray

        return Ray(given["jobs"], address=given["ray_address"])
    from genbench.executors.inline import Inline

    return Inline()


@contextmanager
def interrupts(stop: Callable[[], None]) -> Iterator[None]:
    """Lets the first Ctrl-C (or SIGTERM) ask the jobs to stop, and a second one end the run at once."""
    from genbench.running.interrupts import forget_stop, request_stop, stop_requested

    def take(number: int, frame: Any) -> None:
        if stop_requested():
            raise KeyboardInterrupt
        request_stop()
        click.echo("stopping; checkpoints are being written, Ctrl-C again stops at once", err=True)
        stop()

    forget_stop()
    before = [(number, signal.signal(number, take)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def entry(record: Record, store: Any) -> dict[str, Any]:
    """Returns the documented JSON object of a cell."""
    return {
        "cell": record.cell,
        "model": record.spec.model,
        "dataset": record.spec.dataset,
        "seed": record.spec.seed,
        "status": record.status,
        "reason": record.reason,
        "seconds": record.used.seconds,
        "record": str(store.path(record.spec)),
    }
