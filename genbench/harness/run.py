"""Suites: what is still to be done, and the loop that gets it done and recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from genbench.core import options
from genbench.core.dataset import DATASETS, Dataset
from genbench.core.errors import SpecError
from genbench.core.feature import EXTRACTORS
from genbench.core.model import MODELS
from genbench.core.spec import Cells, CellSpec, Part, Suite
from genbench.harness.environment import choose_device, environment
from genbench.harness.evaluate import ask
from genbench.harness.job import Job, Outcome, Progress, Setting, now
from genbench.harness.stack import checkpoint_path, open_dataset
from genbench.store import Record, Store


class Runner(Protocol):
    """What `run` asks of an executor."""

    def run(
        self, jobs: Sequence[Job], watch: Callable[[int, Progress], None]
    ) -> Iterator[tuple[int, Outcome]]:
        """Yields (index, outcome) in any order."""
        ...


@dataclass
class Plan:
    """The cells of a suite, sorted by what there is to do.

    Arguments:
        jobs: Stacks to be trained, or finished cells to be measured again.
        done: Cells whose records are complete.
        skipped: Records of pairs of a model and a data set that cannot be.
        cells: Every cell of the suite, in order.
    """

    jobs: list[Job] = field(default_factory=list)
    done: list[CellSpec] = field(default_factory=list)
    skipped: list[Record] = field(default_factory=list)
    cells: list[CellSpec] = field(default_factory=list)

    @property
    def pending(self) -> int:
        """The number of cells that there is something to do for."""
        return sum(len(job.specs) for job in self.jobs)


def cell_specs(
    suite: Suite, cells: Cells, model: Part, dataset: Part, autocast: bool
) -> list[CellSpec]:
    """Returns the cells of one model on one data set, a seed each, options checked and filled in."""
    model_class, dataset_class = MODELS.get(model.name), DATASETS.get(dataset.name)
    chosen = options.resolve(model_class, model.options, who=f"model {model.name}")
    given = {k: v for k, v in dataset.options.items() if k not in ("data_dir", "offline")}
    extra = options.resolve(dataset_class, given, who=f"data set {dataset.name}")
    return [
        CellSpec(
            model=model.name,
            model_version=model_class.version,
            options=chosen,
            dataset=dataset.name,
            dataset_version=dataset_class.version,
            dataset_options={k: v for k, v in extra.items() if k not in ("data_dir", "offline")},
            budget=cells.budget or suite.budget,
            batch=cells.batch or suite.batch,
            labelled=cells.labelled,
            precision=suite.precision,
            autocast="bf16" if autocast else None,
            seed=seed,
        )
        for seed in suite.seed_list
    ]


def groups_of(suite: Suite) -> set[str]:
    """Returns the groups of a suite's cells, whatever their seeds."""
    one = suite.model_copy(update={"seeds": [0]})
    return {
        spec.group
        for cells in suite.cells
        for dataset in cells.datasets
        for model in cells.models
        for spec in cell_specs(one, cells, model, dataset, autocast=False)
    }


def plan(
    suite: Suite,
    store: Store,
    setting: Setting,
    *,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    force: bool = False,
    autocast: bool = False,
) -> Plan:
    """Works out what a suite still needs; reads records, trains nothing.

    Arguments:
        suite: The comparison.
        store: Where records are looked for.
        setting: Given to every job.
        models: Keep only these, if any are named.
        datasets: Keep only these, if any are named.
        force: Do finished cells again.
        autocast: Train in bfloat16 where safe (CUDA only).

    Raises:
        DataError: If a data set that is needed cannot be had.
        SpecError: If no cell is left.
        UnknownName: For names that no registry knows.
    """
    ask(setting.curve_metrics)
    if setting.features is not None:
        EXTRACTORS.get(setting.features)
    wanted = {
        a.key for a in ask(setting.metrics, samples=setting.samples, features=setting.features)
    }
    made, seen = Plan(), set()
    for cells in suite.cells:
        for dataset in (d for d in cells.datasets if not datasets or d.name in datasets):
            for model in (m for m in cells.models if not models or m.name in models):
                named = cell_specs(suite, cells, model, dataset, autocast)
                specs = [spec for spec in named if spec.cell not in seen]
                seen |= {spec.cell for spec in specs}
                made.cells += specs
                if specs:
                    _sort(made, specs, suite, store, setting, wanted, force)
    if not made.cells:
        raise SpecError(
            "no cell is left to run; the --model and --dataset given are not both in the suite"
        )
    for job in made.jobs:
        assert open_dataset(job.specs[0], setting).hashes
    return made


def _sort(
    made: Plan,
    specs: list[CellSpec],
    suite: Suite,
    store: Store,
    setting: Setting,
    wanted: set[str],
    force: bool,
) -> None:
    """Puts the cells of one group where they belong in a plan."""
    first = specs[0]
    dataset = open_dataset(first, setting)
    refusal = _refusal(first, dataset)
    train, score = [], []
    for spec in specs:
        record = None if force else store.read(spec)
        if refusal is not None:
            made.skipped.append(_skipped(spec, refusal))
        elif record is None or record.status in ("error", "oom", "timeout", "skipped"):
            train.append(spec)
        elif record.status == "diverged" or wanted <= {m.key for m in record.metrics}:
            made.done.append(spec)
        elif all(store.artifact(record.artifacts.get(k, "")) for k in ("weights", "samples")):
            score.append(spec)
        else:
            train.append(spec)
    at_once = suite.seeds_at_once or max(len(train), 1)
    for at in range(0, len(train), at_once):
        made.jobs.append(Job(tuple(train[at : at + at_once]), setting))
    if score:
        made.jobs.append(Job(tuple(score), setting, rescore=store.root))


def _refusal(spec: CellSpec, dataset: Dataset) -> str | None:
    """Why a cell cannot be, or None."""
    if spec.labelled is not None and dataset.spec.classes is None:
        return f"labelled needs a data set with labels, {spec.dataset} has none"
    return MODELS.get(spec.model).refuses(dataset.spec)


def _skipped(spec: CellSpec, reason: str) -> Record:
    return Record(
        cell=spec.cell,
        group=spec.group,
        status="skipped",
        phase="build",
        reason=reason,
        spec=spec,
        taxonomy=MODELS.get(spec.model).taxonomy,
        started=now(),
        finished=now(),
    )


def run(
    made: Plan,
    store: Store,
    executor: Runner,
    watch: Callable[[int, Progress], None],
    finished: Callable[[int, list[Record]], None] = lambda index, records: None,
) -> list[Record]:
    """Runs a plan's jobs; every record is on disk as soon as its job is done.

    Arguments:
        made: The plan.
        store: Where records go; this loop alone writes them.
        executor: Where jobs run.
        watch: Told of every job's progress.
        finished: Told of every job's records.

    Returns:
        The records of the plan's jobs and skipped pairs, in the order they came.
    """
    records = [record for record in made.skipped if store.read(record.spec) is None]
    for record in records:
        store.write(record)
    for index, outcome in executor.run(made.jobs, watch):
        job = made.jobs[index]
        for record in outcome.records:
            if not record.environment:
                device = choose_device(job.setting.device)
                record.environment = environment(device, job.setting.workers)
            for kind, (content, suffix) in outcome.artifacts.get(record.cell, {}).items():
                record.artifacts[kind] = store.put(content, suffix)
            if job.rescore is None or record.status == "ok":
                store.write(record)  # a failure to measure again must not cost what was measured
        path = checkpoint_path(job)
        if path is not None:
            path.unlink(missing_ok=True)
        records += outcome.records
        finished(index, outcome.records)
    return records


def setting_of(suite: Suite, root: Path, **given: Any) -> Setting:
    """Returns the setting of a suite's jobs; `given` holds what the command line decides."""
    return replace(
        Setting(
            metrics=tuple(suite.metrics),
            curve_metrics=tuple(suite.curve_metrics),
            samples=suite.samples,
            features=suite.features,
            curve=suite.curve,
            curve_samples=suite.curve_samples,
            checkpoints=root / ".checkpoints",
        ),
        **given,
    )
