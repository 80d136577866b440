"""What a run shows while it goes on: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from genbench.running.job import Job, Progress, Result
from genbench.store import Record
from genbench.store.tuning import TuningResult

#: seconds between two plain lines about one job
EVERY = 30.0
#: seconds of a phase before its speed is told
SETTLED = 0.5
#: seeds of a job that failed that are told one by one
FEW = 3


class RunningJob:
    """A job in hand: its phase, and how fast it is there.

    Arguments:
        job: The job.
        now: The time, in seconds.
    """

    def __init__(self, job: Job, now: float) -> None:
        self.title, self.seeds = job.title, len(job.seeds)
        self.since, self.latest, self.first = now, Progress("", 0.0), Progress("", 0.0)
        self.score, self.printed = "", now

    def take(self, progress: Progress, now: float) -> bool:
        """Takes up a job's progress; returns whether it has entered another phase."""
        entered = progress.phase != self.latest.phase
        if entered:
            self.since, self.first = now, progress
        self.latest = progress
        if progress.score is not None:
            name, value = progress.score
            self.score = f"{name} {value:.3g}"
        return entered

    def rate(self, now: float) -> str:
        """Returns the rounds per second in this phase, e.g. "120 steps/s"."""
        steps, elapsed = self.latest.step - self.first.step, now - self.since
        return f"{steps / elapsed:.3g} steps/s" if elapsed > SETTLED and steps > 0 else ""

    def remaining(self, now: float) -> str:
        """Returns how long the rest of this phase takes at its speed until now, e.g. "0:35 left"."""
        share, elapsed = self.latest.share - self.first.share, now - self.since
        if elapsed <= SETTLED or share <= 0:
            return ""
        return f"{clock_text(elapsed * (1 - self.latest.share) / share)} left"

    def line(self, now: float) -> str:
        """Returns all of it in one line."""
        share = f"{self.latest.share:.0%}" if self.latest.share else ""
        parts = (share, self.rate(now), self.remaining(now), self.score)
        text = ", ".join(part for part in parts if part)
        return f"{self.latest.phase:<6} {self.title} × {self.seeds}" + (
            f": {text}" if text else ""
        )


class Display:
    """Shows jobs' progress on a console; a context manager.

    On a terminal a table of the jobs in hand stands below the lines about finished ones. Elsewhere there
    are lines alone: when a job starts and ends, and one every half minute in between.

    Arguments:
        console: Where to.
        jobs: The jobs, whose indices are those of reports; more may be added to them.
        quiet: Show nothing but failures.
        verbose: Show a line for every phase, and all reports of jobs where there is no table.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        console: Console,
        jobs: Sequence[Job],
        *,
        quiet: bool = False,
        verbose: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.console, self.jobs, self.quiet, self.verbose = console, jobs, quiet, verbose
        self.clock, self.began, self.done = clock, clock(), 0
        self.running: dict[int, RunningJob] = {}
        live = console.is_terminal and not console.is_dumb_terminal and not quiet
        options = {"console": console, "refresh_per_second": 2, "transient": True}
        self.live = Live(get_renderable=self.table, **options) if live else None

    def __enter__(self) -> Display:
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live is not None:
            self.live.stop()

    def report(self, index: int, progress: Progress) -> None:
        """Takes up a job's progress."""
        now = self.clock()
        job = self.running.get(index)
        if job is None:
            job = self.running[index] = RunningJob(self.jobs[index], now)
            if self.live is None or self.verbose:
                self._say(f"start  {job.title} × {job.seeds}")
        entered = job.take(progress, now)
        if self.verbose and (entered or self.live is None):
            self._say(job.line(now))
        elif self.live is None and now - job.printed >= EVERY:
            job.printed = now
            self._say(job.line(now))

    def finished(self, index: int, results: Sequence[Result]) -> None:
        """Ends a job's row, says how it ended, and names the cells that failed."""
        job = self.jobs[index]
        self.running.pop(index, None)
        if not results:
            self._say(f"again  {job.title} × {len(job.seeds)}")
            return
        self.done += 1
        records = [result for result in results if isinstance(result, Record)]
        bad = [record for record in records if record.status != "ok"]
        self._say(f"done   {job.title}: {ending(results)}")
        for record in bad[:FEW]:
            text = f"{record.status:<6} {job.title} seed {record.spec.seed}: {record.reason}"
            print_line(self.console, text)
        if len(bad) > FEW:
            rest = Counter(record.status for record in bad[FEW:])
            counts = ", ".join(f"{count} {status}" for status, count in rest.items())
            print_line(self.console, f"and {len(bad) - FEW} more of {job.title}: {counts}")

    def table(self) -> Table:
        """Returns the jobs in hand as a table."""
        now, jobs = self.clock(), list(self.running.values())
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("cell", "seeds", "phase", "", "speed", "time left", "last score"):
            table.add_column(name, justify="right" if name in ("seeds", "speed") else "left")
        for job in jobs:
            bar = ProgressBar(total=1.0, completed=job.latest.share, width=16)
            texts = (job.rate(now), job.remaining(now), job.score)
            head = (Text(job.title, style="bold"), str(job.seeds), job.latest.phase, bar)
            table.add_row(*head, *(Text(text) for text in texts))
        table.caption = Text(f"{self.done} of {len(self.jobs)} jobs done{self._rest(now, jobs)}")
        table.caption_justify = "left"
        return table

    def _rest(self, now: float, jobs: Sequence[RunningJob]) -> str:
        """About how long the whole run still takes, as if all jobs were alike."""
        done = self.done + sum(job.latest.share for job in jobs if job.latest.phase == "train")
        if not self.done or done >= len(self.jobs):
            return ""
        return f", about {clock_text((now - self.began) * (len(self.jobs) - done) / done)} left"

    def _say(self, text: str) -> None:
        if not self.quiet:
            print_line(self.console, text)


def print_line(console: Console, text: str) -> None:
    """Prints a text as it is, wrapped on terminals alone: a line of a log stays one line."""
    console.print(text, highlight=False, markup=False, soft_wrap=not console.is_terminal)


def clock_text(seconds: float) -> str:
    """Returns a time as minutes and seconds, or hours too, e.g. "1:05" or "2:00:00"."""
    whole = math.ceil(round(seconds, 3))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ending(results: Sequence[Result]) -> str:
    """Returns how many seeds of a job completed, and how long it took."""
    seeds = sum(len(result.seeds) for result in results)
    ok = seconds = 0
    for result in results:
        if isinstance(result, Record):
            ok += result.status == "ok"
            seconds = max(seconds, result.used.seconds)
        else:
            unscored = result.unscored if isinstance(result, TuningResult) else {}
            ok += len(result.seeds) - len({*result.failures, *unscored})
            seconds += result.seconds
    records = [result for result in results if isinstance(result, Record)]
    score = last_score(records)
    verb = "trained " if records else ""
    return f"{ok} of {seeds} ok, {verb}{seconds:.1f} s" + (f", {score}" if score else "")


def last_score(records: Sequence[Record]) -> str:
    """Returns the first score that the records have, as its mean over seeds, e.g. "fid 3.21"."""
    scores = [[m for m in r.metrics if m.split == "test" and m.value is not None] for r in records]
    first = next((row[0] for row in scores if row), None)
    if first is None:
        return ""
    same = [m.value for row in scores for m in row if (m.id, m.key) == (first.id, first.key)]
    return f"{first.id} {fmean(value for value in same if value is not None):.3g}"
