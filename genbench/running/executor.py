"""What an executor is: where jobs run. One file in `genbench/executors/`, or a plugin, makes one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeVar

from genbench.core import options
from genbench.core.registry import Registry, registrar
from genbench.running.job import Job, Outcome, Progress

#: hands out the next job with its index, or None while there is none
NextJob = Callable[[], tuple[int, Job] | None]
#: told of the progress of the job with an index
ReportOf = Callable[[int, Progress], None]


class Executor(ABC):
    """Runs jobs somewhere; all executors give the same results but for times.

    Jobs and outcomes are picklable values. Whatever does a job calls
    `genbench.running.work.run_job(job, report)` in a process where genbench and the data sets' files are
    installed; that loads plugins, keeps time, and turns everything that a job may raise into an
    outcome. Nothing there needs the driver's disk. The driver alone writes results, retries what was
    lost and cuts in halves what does not fit, so that an executor need not.

    Options are keyword-only arguments of the constructor with defaults; `--executor name:option=value`
    sets them on the command line.

    Arguments:
        workers: How many jobs are in hand at once, at most. An executor with a number of its own says so
            in `self.workers`, which is recorded beside every time that is measured.
    """

    #: the registered name
    name: ClassVar[str] = ""

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers

    @abstractmethod
    def run(self, next_job: NextJob, report: ReportOf) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) as jobs finish, in any order.

        It asks for jobs while there is room for one; None means that there is nothing now. Since an
        outcome may bring new jobs, it asks again after every yield, and ends when there is neither a job
        in hand nor one to be had. A job whose worker dies yields `job.died(how, stage)`, one that a user
        stopped from outside `Outcome(stopped=True)`. When the iterator is closed early, whatever is
        still running is ended. An executor is run several times, one after the other.

        Arguments:
            next_job: Hands out jobs; called from this iterator alone.
            report: Told of the progress of jobs, as far as it can be had.
        """

    def stop(self) -> None:  # noqa: B027
        """Passes on that the run is to stop soon; called from a signal handler amid `run`.

        No more jobs are handed out from then on, and a job in this process sees the request itself, so
        that by default there is nothing to do but wait for jobs elsewhere to finish. Better: let them
        write their checkpoints, by `genbench.running.interrupts.request_stop()` in their processes.
        """

    def close(self) -> None:  # noqa: B027
        """Lets go of what is kept between runs, such as idle workers; called once, at the end."""


EXECUTORS: Registry[type[Executor]] = Registry("executor", "genbench.executors")

E = TypeVar("E", bound=type[Executor])


def executor(name: str) -> Callable[[E], E]:
    """Returns a decorator that registers an executor under a name, its file's.

    Raises:
        ContractError: If what it decorates is not an Executor.
    """
    return registrar(EXECUTORS, name, Executor, {})


def make_executor(name: str, workers: int = 1, **chosen: Any) -> Executor:
    """Returns an executor by its name.

    Arguments:
        name: A registered executor.
        workers: How many jobs are in hand at once.
        chosen: Options of the executor.

    Raises:
        UnknownName: With the nearest match.
        SpecError: For an option that it does not have, or one of the wrong type.
    """
    cls = EXECUTORS.get(name)
    return cls(workers, **options.resolve(cls, chosen, who=f"executor {name}"))
