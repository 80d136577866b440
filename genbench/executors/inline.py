"""Jobs one after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from genbench.executors import Watch
from genbench.harness.job import Job, Outcome
from genbench.harness.stack import run_job


class Inline:
    """The default executor: this process, all cores for one job at a time."""

    def run(self, jobs: Sequence[Job], watch: Watch) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) in order."""
        for index, job in enumerate(jobs):
            yield index, run_job(job, partial(watch, index))
