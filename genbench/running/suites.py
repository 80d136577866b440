"""Runs suites: from a suite and how it is to be run to records."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from genbench.core.asked import require_counts, require_seconds
from genbench.core.device import choose_device
from genbench.core.errors import SpecError
from genbench.core.files import RUNS
from genbench.core.spec import Suite, parse_part
from genbench.running.driver import run_plan
from genbench.running.executor import Executor, make_executor
from genbench.running.interrupts import stopping_on_signals
from genbench.running.job import Progress, Result, RunSettings
from genbench.running.plan import Plan, Redo
from genbench.running.run_result import RunResult
from genbench.running.sorter import make_plan, make_settings
from genbench.store import Store
from genbench.training.inductor import find_lack

#: how training may be compiled
Compile = Literal["none", "graphs", "inductor"]
COMPILE = get_args(Compile)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How and where something is run, whatever it is.

    Arguments:
        root: The results folder.
        device: auto, cpu, cuda or cuda:N.
        executor: A registered executor, perhaps with options: `name:option=value`.
        jobs: Jobs side by side, for executors that have more than one in hand.
        data_dir: A folder with data sets' files.
        offline: Never download anything.
        plugins: Files or modules with plugins, which workers import too.
        checkpoint_every: Seconds between two checkpoints of a job.
        timeout: Seconds that a job may take, or None for as long as it needs.
        redo: `missing` does what has no result, `failed` failures too, `all` everything.
        bf16: Train in bfloat16 autocast (CUDA only).
        compile: `graphs` replays rounds as CUDA graphs where they are the same kernels each time, `inductor`
            compiles losses with their gradients (CPU only); or `none`.
        named: Metrics that are asked for by name, which leaderboards show whatever they are.

    Raises:
        SpecError: If a field has no value that is allowed.
    """

    root: Path = Path(RUNS)
    device: str = "auto"
    executor: str = "inline"
    jobs: int = 2
    data_dir: Path | None = None
    offline: bool = False
    plugins: tuple[str, ...] = ()
    checkpoint_every: float = 30.0
    timeout: float | None = None
    redo: Redo = "missing"
    bf16: bool = False
    compile: Compile = "none"
    named: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_counts(jobs=self.jobs)
        for name, allowed in (("redo", get_args(Redo)), ("compile", COMPILE)):
            if getattr(self, name) not in allowed:
                raise SpecError(
                    f"{name} needs one of {', '.join(allowed)}, got {getattr(self, name)!r}"
                )
        require_seconds(above=True, timeout=self.timeout)
        require_seconds(checkpoint_every=self.checkpoint_every)

    def make_executor(self) -> Executor:
        """Returns the executor that is meant.

        Raises:
            UnknownName: If no executor has the name.
            SpecError: If it has not the option, or cannot run here.
        """
        part = parse_part(self.executor)
        return make_executor(part.name, self.jobs, **part.options)

    def check(self) -> None:
        """Refuses what the device cannot do.

        Raises:
            SpecError: If it cannot.
        """
        device = choose_device(self.device)
        if self.compile == "inductor":
            _check_inductor(device)
        if device.type == "cuda":
            return
        for flag, value in (
            ("--bf16", self.bf16),
            ("--compile graphs", self.compile == "graphs"),
        ):
            if value:
                raise SpecError(f"{flag} needs a CUDA GPU, got device {device}; leave it out")

    def plan_suite(
        self,
        suite: Suite,
        *,
        workers: int,
        models: Sequence[str] = (),
        datasets: Sequence[str] = (),
        scale: str | None = None,
        had: dict[str, dict[str, str]] | None = None,
    ) -> Plan:
        """Returns the plan of a suite.

        Arguments:
            suite: The suite.
            workers: Jobs side by side.
            models: Only these, if any are named.
            datasets: Only these, if any are named.
            scale: The claims' budget scale that cells are for, where it is not their own budget.
            had: Hashes of the data sets that earlier plans of the pass have read whole.

        Raises:
            SpecError: If no cell is left, or the device cannot do what is asked.
        """
        self.check()
        settings = make_settings(
            suite,
            self.root,
            device=self.device,
            data_dir=self.data_dir,
            offline=self.offline,
            checkpoint_every=self.checkpoint_every,
            plugins=self.plugins,
            workers=workers,
            timeout=self.timeout,
            scale=scale,
            named=self.named,
            graphs=self.compile == "graphs",
        )
        return make_plan(
            suite,
            Store(self.root),
            settings,
            models=models,
            datasets=datasets,
            redo=self.redo,
            autocast=self.bf16,
            compiled=self.compile == "inductor",
            had=had,
        )

    def trial_settings(self, workers: int) -> RunSettings:
        """Returns the settings of claims' experiments."""
        return RunSettings(
            device=self.device, plugins=self.plugins, workers=workers, timeout=self.timeout
        )


def _check_inductor(device: torch.device) -> None:
    if device.type != "cpu":
        raise SpecError(
            f"--compile inductor needs the CPU, got device {device}; say --device cpu, or --compile graphs"
        )
    lack = find_lack()
    if lack is not None:
        raise SpecError(f"--compile inductor needs {lack}, or leave it out")


class Listener:
    """Is told of a run as it goes on; every method may be left as it is."""

    def planned(self, plan: Plan) -> None:
        """Told of every plan before any of it is done."""

    def during(self, plan: Plan) -> AbstractContextManager[Any]:
        """Returns what is entered while a plan is being done."""
        return nullcontext()

    def progress(self, index: int, progress: Progress) -> None:
        """Told of the progress of a plan's job."""

    def finished(self, index: int, results: Sequence[Result]) -> None:
        """Told of the results of a job, which are on disk; none where it will be tried again."""

    def stopping(self) -> None:
        """Told that the user has asked the run to stop, which takes until checkpoints are written."""


def run_suite(
    suite: Suite,
    options: RunOptions | None = None,
    *,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    dry_run: bool = False,
    listener: Listener | None = None,
) -> RunResult:
    """Trains and scores what a suite still lacks.

    The first Ctrl-C lets jobs write their checkpoints and ends the run with `plan.stopped`; a second one
    raises KeyboardInterrupt at once.

    Arguments:
        suite: The comparison.
        options: How and where.
        models: Only these, if any are named.
        datasets: Only these, if any are named.
        dry_run: Make the plan alone.
        listener: Told of the run as it goes on.

    Raises:
        GenbenchError: If the suite cannot be planned, or the results folder cannot be written.
    """
    options, listener = options or RunOptions(), listener or Listener()
    store = Store(options.root)
    with closing(options.make_executor()) as executor:
        workers = executor.workers
        plan = options.plan_suite(suite, workers=workers, models=models, datasets=datasets)
        listener.planned(plan)
        results = [] if dry_run else execute_plan(plan, store, executor, listener)
    return RunResult(store, [plan], results)


def execute_plan(plan: Plan, store: Store, executor: Executor, listener: Listener) -> list[Result]:
    """Does a plan, and returns its results; Ctrl-C keeps what is finished."""
    with listener.during(plan), stopping_on_signals(executor.stop, listener.stopping):
        return list(run_plan(plan, store, executor, listener.progress, listener.finished))
