"""Jobs one after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from genbench.running.executor import Executor, NextJob, ReportOf, executor
from genbench.running.job import Outcome
from genbench.running.work import run_job


@executor("inline")
class Inline(Executor):
    """The default executor: this process, all cores for one job at a time."""

    def __init__(self, workers: int = 1) -> None:
        super().__init__(1)

    def run(self, next_job: NextJob, report: ReportOf) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) in order."""
        while (assigned := next_job()) is not None:
            index, job = assigned
            yield index, run_job(job, partial(report, index))
