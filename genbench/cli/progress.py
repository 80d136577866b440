"""What a run shows while it goes on: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from statistics import fmean
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from genbench.running.job import Job
from genbench.running.job import Progress as Told
from genbench.store import Record

#: seconds between two plain lines about one job
EVERY = 30.0
#: seconds of a phase before its speed is told
SETTLED = 0.5


class Going:
    """A job in hand: its phase, and how fast it is there.

    Arguments:
        job: The job.
        now: The time, in seconds.
    """

    def __init__(self, job: Job, now: float) -> None:
        self.title, self.seeds = job.title, len(job.specs)
        self.since, self.told, self.first = now, Told("", 0.0), Told("", 0.0)
        self.score, self.spoke = "", now

    def take(self, told: Told, now: float) -> bool:
        """Takes up what a job says; returns whether it has entered another phase."""
        entered = told.phase != self.told.phase
        if entered:
            self.since, self.first = now, told
        self.told = told
        if told.score is not None:
            name, value = told.score
            self.score = f"{name} {value:.3g}"
        return entered

    def rate(self, now: float) -> str:
        """Returns the rounds a second in this phase, e.g. "120 steps/s"."""
        made, elapsed = self.told.step - self.first.step, now - self.since
        return f"{made / elapsed:.3g} steps/s" if elapsed > SETTLED and made > 0 else ""

    def left(self, now: float) -> str:
        """Returns how long the rest of this phase takes at its speed until now, e.g. "0:35 left"."""
        made, elapsed = self.told.share - self.first.share, now - self.since
        if elapsed <= SETTLED or made <= 0:
            return ""
        return f"{clock_text(elapsed * (1 - self.told.share) / made)} left"

    def line(self, now: float) -> str:
        """Returns all of it in one line."""
        share = f"{self.told.share:.0%}" if self.told.share else ""
        known = (share, self.rate(now), self.left(now), self.score)
        text = ", ".join(part for part in known if part)
        return f"{self.told.phase:<6} {self.title} × {self.seeds}" + (f": {text}" if text else "")


class Display:
    """Shows jobs' progress on a console; a context manager.

    On a terminal a table of the jobs in hand stands below the lines about finished ones. Elsewhere there
    are lines alone: when a job starts and ends, and one every half minute in between.

    Arguments:
        console: Where to.
        jobs: The jobs, whose indices are the ones told of; more may be added to them.
        quiet: Show nothing but failures.
        verbose: Show a line for every phase, and everything that jobs say where there is no table.
        clock: Tells the time in seconds.
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
        self.going: dict[int, Going] = {}
        live = console.is_terminal and not console.is_dumb_terminal and not quiet
        given = {"console": console, "refresh_per_second": 2, "transient": True}
        self.live = Live(get_renderable=self.table, **given) if live else None

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

    def watch(self, index: int, told: Told) -> None:
        """Takes up a job's progress."""
        now = self.clock()
        going = self.going.get(index)
        if going is None:
            going = self.going[index] = Going(self.jobs[index], now)
            if self.live is None or self.verbose:
                self._say(f"start  {going.title} × {going.seeds}")
        entered = going.take(told, now)
        if self.verbose and (entered or self.live is None):
            self._say(going.line(now))
        elif self.live is None and now - going.spoke >= EVERY:
            going.spoke = now
            self._say(going.line(now))

    def finished(self, index: int, records: list[Record]) -> None:
        """Ends a job's row, says how it ended, and names what failed."""
        job = self.jobs[index]
        self.going.pop(index, None)
        if not records:
            self._say(f"again  {job.title} × {len(job.specs)}")
            return
        self.done += 1
        bad = [record for record in records if record.status != "ok"]
        seconds = max((record.used.seconds for record in records), default=0.0)
        score = last_score(records)
        self._say(
            f"done   {job.title}: {len(records) - len(bad)} of {len(records)} ok, "
            f"trained {seconds:.1f} s" + (f", {score}" if score else "")
        )
        for record in bad[:3]:
            text = f"{record.status:<6} {job.title} seed {record.spec.seed}: {record.reason}"
            self.console.print(text, highlight=False, markup=False)

    def table(self) -> Table:
        """Returns the jobs in hand as a table."""
        now, going = self.clock(), list(self.going.values())
        shown = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("cell", "seeds", "phase", "", "speed", "time left", "last score"):
            shown.add_column(name, justify="right" if name in ("seeds", "speed") else "left")
        for each in going:
            bar = ProgressBar(total=1.0, completed=each.told.share, width=16)
            told = (each.rate(now), each.left(now), each.score)
            head = (Text(each.title, style="bold"), str(each.seeds), each.told.phase, bar)
            shown.add_row(*head, *(Text(text) for text in told))
        shown.caption = Text(f"{self.done} of {len(self.jobs)} jobs done{self._left(now, going)}")
        shown.caption_justify = "left"
        return shown

    def _left(self, now: float, going: Sequence[Going]) -> str:
        """About how long the whole run takes yet, as if all jobs were alike."""
        made = self.done + sum(each.told.share for each in going if each.told.phase == "train")
        if not self.done or made >= len(self.jobs):
            return ""
        return f", about {clock_text((now - self.began) * (len(self.jobs) - made) / made)} left"

    def _say(self, text: str) -> None:
        if not self.quiet:
            self.console.print(text, highlight=False, markup=False)


def clock_text(seconds: float) -> str:
    """Returns a time as minutes and seconds, or hours too, e.g. "1:05" or "2:00:00"."""
    whole = math.ceil(round(seconds, 3))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def last_score(records: Sequence[Record]) -> str:
    """Returns the first score that the records have, as its mean over seeds, e.g. "fid 3.21"."""
    scores = [[m for m in r.metrics if m.split == "test" and m.value is not None] for r in records]
    first = next((row[0] for row in scores if row), None)
    if first is None:
        return ""
    same = [m.value for row in scores for m in row if (m.id, m.key) == (first.id, first.key)]
    return f"{first.id} {fmean(value for value in same if value is not None):.3g}"
