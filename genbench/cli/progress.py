"""What a run shows while it goes on: a line a stack on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from genbench.harness.job import Job
from genbench.harness.job import Progress as Told
from genbench.store import Record


class Display:
    """Shows jobs' progress on a console; a context manager.

    Arguments:
        console: Where to; progress bars appear only if it is a terminal.
        jobs: The jobs, whose indices are the ones told of.
        quiet: Show nothing but failures.
    """

    def __init__(self, console: Console, jobs: Sequence[Job], *, quiet: bool = False) -> None:
        self.console, self.jobs, self.quiet = console, jobs, quiet
        self.live = console.is_terminal and not quiet
        self.bars = Progress(
            TextColumn("{task.description}", style="bold"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[phase]:<9}"),
            TextColumn("{task.fields[rate]:>12}"),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not self.live,
        )
        self.tasks: dict[int, TaskID] = {}
        self.began: dict[int, tuple[float, int]] = {}

    def __enter__(self) -> Display:
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bars.stop()

    def watch(self, index: int, told: Told) -> None:
        """Takes up a job's progress."""
        job = self.jobs[index]
        if index not in self.tasks:
            title = f"{job.title} × {len(job.specs)}"
            self.tasks[index] = self.bars.add_task(title, total=1.0, phase="", rate="")
            if not self.live and not self.quiet:
                self.console.print(f"start  {title}", highlight=False)
        if told.phase == "train" and index not in self.began:
            self.began[index] = (time.monotonic(), told.step)
        since, first = self.began.get(index, (time.monotonic(), told.step))
        elapsed = time.monotonic() - since
        rate = f"{(told.step - first) / elapsed:.0f} steps/s" if elapsed > 0.5 else ""
        self.bars.update(self.tasks[index], completed=told.share, phase=told.phase, rate=rate)

    def finished(self, index: int, records: list[Record]) -> None:
        """Closes a job's line, and names what failed."""
        job = self.jobs[index]
        if not records:
            self._again(index, job)
            return
        bad = [record for record in records if record.status != "ok"]
        if index in self.tasks:
            self.bars.update(self.tasks[index], completed=1.0, phase="done", rate="")
        if not self.live and not self.quiet:
            seconds = max((record.used.seconds for record in records), default=0.0)
            ok = len(records) - len(bad)
            self.console.print(
                f"done   {job.title}: {ok} of {len(records)} ok, trained {seconds:.1f} s",
                highlight=False,
            )
        for record in bad[:3]:
            self.console.print(
                f"{record.status:<6} {job.title} seed {record.spec.seed}: {record.reason}",
                highlight=False,
                markup=False,
            )

    def _again(self, index: int, job: Job) -> None:
        """Says that a job failed in a way that another attempt may change."""
        if index in self.tasks:
            self.bars.update(self.tasks[index], completed=1.0, phase="again", rate="")
        if not self.live and not self.quiet:
            self.console.print(f"again  {job.title} × {len(job.specs)}", highlight=False)
