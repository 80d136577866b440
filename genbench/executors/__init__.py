"""Where jobs run; all executors give the same records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from genbench.harness.job import Job, Outcome, Progress

#: told of a job's progress: (index of the job, progress)
Watch = Callable[[int, Progress], None]


class Executor(Protocol):
    """Runs jobs and yields their outcomes as they come, each with the job's index."""

    def run(self, jobs: Sequence[Job], watch: Watch) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) in any order."""
        ...
