"""Jobs one after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from genbench.running.driver import Source, Watch
from genbench.running.job import Outcome
from genbench.running.stack import run_job


class Inline:
    """The default executor: this process, all cores for one job at a time."""

    def run(self, source: Source, watch: Watch) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) in order."""
        while (given := source()) is not None:
            index, job = given
            yield index, run_job(job, partial(watch, index))

    def stop(self) -> None:
        """Nothing to do: the job in hand sees the request itself."""
