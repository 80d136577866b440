"""How runs are shown: what there is to do, progress, failures, and how it ended. Imports torch."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from genbench.cli.progress import Display, print_line
from genbench.core.errors import WriteError
from genbench.running.job import Progress, Result, StackJob
from genbench.running.run_result import RunResult
from genbench.running.suites import Listener
from genbench.store import Record, Store
from genbench.store.tuning import TuningResult

if TYPE_CHECKING:
    from genbench.report.event_files import EventFiles
    from genbench.running.plan import Plan

#: how errors of a disk that is full end
FULL = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
STOPPED = "stopped; finished cells are kept, the same command goes on from here"


class ConsoleListener(Listener):
    """Shows a run on a console.

    Arguments:
        store: The results folder.
        console: Where to.
        quiet: Print failures alone.
        verbose: Print every phase of every job.
        curves: Where learning curves go, if anywhere; those of cells that were done before go there too.
    """

    def __init__(
        self,
        store: Store,
        console: Console,
        *,
        quiet: bool = False,
        verbose: bool = False,
        curves: EventFiles | None = None,
    ) -> None:
        self.store, self.console, self.curves = store, console, curves
        self.quiet, self.verbose, self.unwritten = quiet, verbose, False
        self.display = Display(console, ())

    def print(self, text: str) -> None:
        """Prints a line, unless the run is quiet."""
        if not self.quiet:
            print_line(self.console, text)

    def planned(self, plan: Plan) -> None:
        """Says what there is to do."""
        self.print(plan.describe())

    @contextmanager
    def during(self, plan: Plan) -> Iterator[None]:
        """Shows progress."""
        for record in map(self.store.read, plan.done):
            self._log(record)
        self.display = Display(self.console, plan.jobs, quiet=self.quiet, verbose=self.verbose)
        with self.display:
            yield

    def progress(self, index: int, progress: Progress) -> None:
        """Shows a job's progress."""
        self.display.report(index, progress)

    def finished(self, index: int, results: Sequence[Result]) -> None:
        """Shows how a job ended."""
        self.display.finished(index, results)
        for result in results:
            if isinstance(result, Record):
                self._log(result)
            elif result.failures:
                reason = next(iter(result.failures.values()))
                count = f"{len(result.failures)} of {len(result.seeds)} seeds"
                text = f"{self.display.jobs[index].title} failed: {reason} ({count})"
                click.echo(text, err=True)
            elif isinstance(result, TuningResult) and result.unscored:
                reason = next(iter(result.unscored.values()))
                count = f"{len(result.unscored)} of {len(result.seeds)} seeds have no score"
                click.echo(f"{self.display.jobs[index].title}: {count}: {reason}", err=True)

    def stopping(self) -> None:
        """Says that the run is about to stop."""
        text = "stopping; checkpoints are being written, Ctrl-C again stops at once"
        click.echo(text, err=True)

    def _log(self, record: Record | None) -> None:
        if self.curves is None or record is None:
            return
        try:
            self.curves.write(record)
        except WriteError as error:  # which must not cost the training
            self.curves, self.unwritten = None, True
            click.echo(f"genbench: {error}; the run goes on without curves", err=True)


@contextmanager
def stopped_by_ctrl_c() -> Iterator[None]:
    """Ends the command with exit code 130 where its body is interrupted at once."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(STOPPED, err=True)
        raise SystemExit(130) from None


def make_listener(
    root: Path, as_json: bool = False, *, curves: Path | None = None, **how: bool
) -> ConsoleListener:
    """Returns what shows a run on stdout, or on stderr where JSON goes to stdout.

    Arguments:
        root: The results folder.
        as_json: Whether stdout is for machines.
        curves: A folder for TensorBoard, or None.
        how: `quiet` and `verbose`.
    """
    files = None
    if curves is not None:
        from genbench.report.event_files import EventFiles

        files = EventFiles(curves)
    return ConsoleListener(Store(root), Console(stderr=as_json), curves=files, **how)


def tell_diverged(result: RunResult) -> None:
    """Counts on stderr the new cells that diverged, which no exit code tells, by model and data set."""
    newest = {record.cell: record for record in result.records}.values()
    new = Counter(f"{r.spec.model} on {r.spec.dataset}" for r in newest)
    lost = Counter(
        f"{record.spec.model} on {record.spec.dataset}"
        for record in newest
        if record.status == "diverged"
    )
    if lost:
        parts = ", ".join(f"{name} {count} of {new[name]}" for name, count in lost.items())
        text = "results as they are, which another run would not change, and counted as the worst"
        click.echo(f"diverged: {parts} cells; {text}", err=True)


def describe_replaced(plan: Plan) -> str:
    """Returns a sentence on cells that came to other bits, whose old records were moved aside."""
    lacking = sorted({metric for _, metric in plan.owed})
    cells = len({cell for cell, _ in plan.owed})
    rest = (
        f"{cells} of them have no {', '.join(lacking)} now, which their suites or --metrics measure again"
        if lacking
        else "what else those were scored by was measured again"
    )
    return (
        f"{len(plan.replaced)} cells came to other weights or samples than those of their records (of "
        f"another machine?); the old records were moved to {plan.replaced[0].parent} and the like; {rest}"
    )


def exit_code(result: RunResult, *, unwritten: bool = False) -> int:
    """Says on stderr which cells diverged, and why a run did not do everything.

    Arguments:
        result: What it did.
        unwritten: Whether curves that were asked for could not be written.

    Returns:
        130 if it was stopped, 3 if anything failed or is left to another run, else 0; what diverged has not
        failed, since the same seed diverges again.
    """
    tell_diverged(result)
    for plan in result.plans:
        cells = sum(len(job.seeds) for job in plan.busy if isinstance(job, StackJob))
        if cells:
            text = f"{cells} cells are being run by another process; repeat the command when it has ended"
            click.echo(text, err=True)
        for title in dict.fromkeys(j.title for j in plan.busy if not isinstance(j, StackJob)):
            click.echo(f"{title} is being run by another process", err=True)
        if plan.replaced:
            click.echo(describe_replaced(plan), err=True)
        if plan.stopped == "asked to stop":
            click.echo(STOPPED, err=True)
            return 130
        if plan.stopped is not None:
            advice = "make room" if plan.stopped.endswith(FULL) else "mend that"
            click.echo(
                f"genbench: stopped: {plan.stopped}; finished cells are kept, {advice} and repeat the "
                "command to go on",
                err=True,
            )
            return 3
    busy = any(plan.busy for plan in result.plans)
    return 3 if result.failed or busy or unwritten else 0
