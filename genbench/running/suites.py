"""Runs suites: from a suite and how it is to be run to records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from genbench.core.asked import require_counts, require_seconds
from genbench.core.device import choose_device
from genbench.core.errors import SpecError
from genbench.core.files import RUNS
from genbench.core.spec import Budget, Cells, Criterion, Part, Suite, parse_part
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
        had: set[str] | None = None,
    ) -> Plan:
        """Returns the plan of a suite.

        Arguments:
            suite: The suite.
            workers: Jobs side by side.
            models: Only these, if any are named.
            datasets: Only these, if any are named.
            scale: The claims' budget scale that cells are for, where it is not their own budget.
            had: Data sets that earlier plans of the pass have read whole.

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


def find_pairs(
    suite: Suite, models: Sequence[str], datasets: Sequence[str]
) -> tuple[list[Part], list[Part]]:
    """Returns the models and data sets of a comparison for which no suite was named.

    Both are as they were named; of one kind alone, the other is the suite's, and what the suite has keeps
    the options that it has there, unless others are named.

    Arguments:
        suite: Whose settings hold.
        models: Names, perhaps with options ("gan:lr=0.003"), perhaps none.
        datasets: Likewise.
    """
    own_models = {part.name: part for cells in suite.cells for part in cells.models}
    own_datasets = {part.name: part for cells in suite.cells for part in cells.datasets}
    named = [parse_part(model) for model in models], [parse_part(data) for data in datasets]
    if bool(models) == bool(datasets):
        return named
    if models:
        return _as_there(named[0], own_models), list(own_datasets.values())
    return list(own_models.values()), _as_there(named[1], own_datasets)


def _as_there(named: Sequence[Part], own: Mapping[str, Part]) -> list[Part]:
    """What was named, with a suite's options where no others are."""
    return [part if part.options else own.get(part.name, part) for part in named]


def _find_cells(suite: Suite, model: Part, dataset: Part) -> Cells:
    """The cells of one pair, trained as where a suite has it, else by what holds for all of the suite."""
    own = (cells for cells in suite.cells if model in cells.models and dataset in cells.datasets)
    found = next(own, None)
    if found is None:
        return Cells(models=[model], datasets=[dataset])
    return found.model_copy(update={"models": [model], "datasets": [dataset]})


def change_suite(
    suite: Suite,
    models: Sequence[Part] = (),
    datasets: Sequence[Part] = (),
    *,
    seeds: int | None = None,
    steps: int | None = None,
    labelled: int | None = None,
    tuned_by: Criterion | None = None,
    metrics: Sequence[Part] = (),
) -> Suite:
    """Returns a suite with other cells or settings.

    Arguments:
        suite: The suite.
        models: With `datasets`, the cells are all pairs of these in place of the suite's own; a pair that the
            suite has keeps how it is trained there: budget, minibatch, tuned options.
        datasets: See `models`.
        seeds: So many seeds, from 0 on.
        steps: Every cell trains for so many rounds.
        labelled: Every seed sees only so many training labels.
        tuned_by: All cells take the options that tuning chose so, of models that can be tuned.
        metrics: Measured in place of the suite's own.

    Raises:
        SpecError: If one of the numbers is less than 1, or nothing chooses so.
    """
    require_counts(seeds=seeds, steps=steps, labelled=labelled)
    if tuned_by is not None and tuned_by not in get_args(Criterion):
        raise SpecError(
            f"tuned_by needs one of {', '.join(get_args(Criterion))}, got {tuned_by!r}"
        )
    changes: dict[str, Any] = {"seeds": int(seeds)} if seeds else {}
    cells = suite.cells
    if models and datasets:
        cells = [_find_cells(suite, *pair) for pair in product(models, datasets)]
    about: dict[str, Any] = {"labelled": int(labelled)} if labelled else {}
    about |= {"tuned": tuned_by} if tuned_by else {}
    if steps:
        changes["budget"] = about["budget"] = Budget(steps=int(steps))
    if metrics:
        changes["metrics"] = list(metrics)
    changes["cells"] = [part.model_copy(update=about) for part in cells]
    return suite.model_copy(update=changes)
