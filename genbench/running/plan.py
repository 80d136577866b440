"""What a suite still needs: its cells, sorted by what there is to do, and put into jobs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from genbench.core import options
from genbench.core.dataset import DATASETS, Dataset
from genbench.core.errors import ContractError, GenbenchError, SpecError
from genbench.core.model import MODELS
from genbench.core.spec import Cells, CellSpec, Part, Suite
from genbench.evaluation.provenance import hash_plugin
from genbench.evaluation.requests import make_requests
from genbench.running.build import open_dataset
from genbench.running.interrupts import deadline
from genbench.running.job import Job, RunSettings, StackJob, Stage, failed, now
from genbench.running.planner import StackRequest, make_stacks
from genbench.store import FAILURES, Record, Store
from genbench.store.tuned import find_tuned

#: more jobs that are no stacks than this are told in one line
MANY = 12
#: which cells are done: those without a record, failures too, or all
Redo = Literal["missing", "failed", "all"]


@dataclass
class Plan:
    """The cells of a suite, sorted by what there is to do, or the experiments of claims.

    Arguments:
        jobs: Stacks to be trained, finished cells to be measured again, experiments to be made.
        done: Cells whose records are complete.
        failed: Records of earlier failures that are left as they are.
        skipped: Records of pairs of a model and a data set that cannot be.
        broken: Records of cells whose model or data set failed while they were planned.
        cells: Every cell of the suite, in order.
        damaged: A sentence for every file that stands in a record's place and is not one.
        stamps: By cell, when its record was written, so that a job sees what others did meanwhile.
        scaled: Those of `done` that were made for claims at another budget and are now asked for as such.
        changed: By model, cells of `done` that were made with another source of a user's plugin.
        replaced: Old records of cells that were trained anew to other weights, where they lie now.
        busy: Jobs, or what is left of them, that another run on this folder has in hand.
        stopped: Why the run ended before its end, or None.
    """

    jobs: list[Job] = field(default_factory=list)
    done: list[CellSpec] = field(default_factory=list)
    failed: list[Record] = field(default_factory=list)
    skipped: list[Record] = field(default_factory=list)
    broken: list[Record] = field(default_factory=list)
    cells: list[CellSpec] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    stamps: dict[str, int] = field(default_factory=dict)
    scaled: list[CellSpec] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    replaced: list[Path] = field(default_factory=list)
    busy: list[Job] = field(default_factory=list)
    stopped: str | None = None

    @property
    def pending(self) -> int:
        """The number of cells, or seeds of experiments, that there is something to do for."""
        return sum(len(job.seeds) for job in self.jobs)

    def describe(self) -> str:
        """Returns a line about what there is to do, and one per experiment and damaged file."""
        rescored = [isinstance(job, StackJob) and job.rescore for job in self.jobs]
        score = sum(len(job.seeds) for job, old in zip(self.jobs, rescored, strict=True) if old)
        parts = [
            f"{len(self.cells)} cells",
            f"{len(self.done)} done",
            f"{self.pending - score} to train",
        ]
        if score:
            parts.append(f"{score} to measure again")
        if self.failed:
            parts.append(f"{len(self.failed)} failed before (again with --retry-failed)")
        if self.skipped:
            parts.append(f"{len(self.skipped)} that cannot be run")
        if self.broken:
            parts.append(f"{len(self.broken)} that fail before they start")
        cells = [", ".join(parts) + ("" if self.jobs else "; nothing to do")] if self.cells else []
        trials = [job for job in self.jobs if not isinstance(job, StackJob)]
        lines = [f"{job.title}: {len(job.seeds)} seeds" for job in trials]
        if len(lines) > MANY:
            lines = [f"{len(lines)} jobs, from {trials[0].title} to {trials[-1].title}"]
        lines += self.refusals
        aside = [f"damaged, done anew and the file set aside: {text}" for text in self.damaged]
        return "\n".join([*cells, *lines, *aside, *self._list_changed()])

    @property
    def refusals(self) -> list[str]:
        """A sentence per pair of a model and a data set that cannot be, with the reason."""
        pairs = ((f"{r.spec.model} on {r.spec.dataset}", r.reason) for r in self.skipped)
        return [f"{title} cannot be run: {reason}" for title, reason in dict.fromkeys(pairs)]

    def _list_changed(self) -> list[str]:
        return [
            f"{count} done cells of {model} were made with another source than its file has now; train them "
            f"anew with --force, or raise the model's version, which keeps both"
            for model, count in sorted(Counter(self.changed).items())
        ]


def dataset_options(name: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all options of a data set that decide its points, checked and filled in.

    Raises:
        SpecError: For an option that it does not have.
    """
    places = "data_dir", "offline"
    own = {k: v for k, v in chosen.items() if k not in places}
    resolved = options.resolve(DATASETS.get(name), own, who=f"data set {name}")
    return {k: v for k, v in resolved.items() if k not in places}


def cell_specs(
    suite: Suite, cells: Cells, model: Part, dataset: Part, autocast: bool
) -> list[CellSpec]:
    """Returns the cells of one model on one data set, one per seed, options checked and filled in."""
    model_class = MODELS.get(model.name)
    budget, batch = cells.budget or suite.budget, cells.batch or suite.batch
    tuned: dict[str, Any] = {}
    training = cells.training
    extra = dataset_options(dataset.name, dataset.options)
    if cells.tuned and model_class.search:
        criterion = "samples" if cells.tuned is True else cells.tuned
        tuned, own_training = find_tuned(
            model.name, dataset.name, budget, batch, criterion, dataset_options=extra
        )
        training = training or own_training
    named = {**tuned, **model.options}
    chosen = options.resolve(model_class, named, who=f"model {model.name}")
    return [
        CellSpec(
            model=model.name,
            model_version=model_class.version,
            options=chosen,
            dataset=dataset.name,
            dataset_version=DATASETS.get(dataset.name).version,
            dataset_options=extra,
            budget=budget,
            batch=batch,
            labelled=cells.labelled,
            precision=suite.precision,
            autocast="bf16" if autocast else None,
            training=training,
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


def make_plan(
    suite: Suite,
    store: Store,
    settings: RunSettings,
    *,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    redo: Redo = "missing",
    autocast: bool = False,
) -> Plan:
    """Works out what a suite still needs; reads records, trains nothing.

    Arguments:
        suite: The comparison.
        store: Where records are looked for.
        settings: What every job gets.
        models: Keep only these, if any are named.
        datasets: Keep only these, if any are named.
        redo: `missing` does cells without a record or with metrics that lack, `failed` also those that
            failed, `all` every cell.
        autocast: Train in bfloat16 where safe (CUDA only).

    Raises:
        DataError: If a data set that is needed cannot be had.
        SpecError: If no cell is left.
        UnknownName: For names that no registry knows.
    """
    make_requests(settings.curve_metrics)
    requests = make_requests(
        settings.metrics, samples=settings.samples, features=settings.features
    )
    plan, cells_so_far = Plan(), set()
    sorter = _Sorter(plan, store, settings, {a.key for a in requests}, redo)
    for cells in suite.cells:
        for dataset in (d for d in cells.datasets if not datasets or d.name in datasets):
            for model in (m for m in cells.models if not models or m.name in models):
                named = cell_specs(suite, cells, model, dataset, autocast)
                specs = [spec for spec in named if spec.cell not in cells_so_far]
                cells_so_far |= {spec.cell for spec in specs}
                plan.cells += specs
                if specs:
                    sorter.sort(specs)
    if not plan.cells:
        raise SpecError(
            "no cell is left to run: the suite has no such --model with such a --dataset; its models are "
            f"{_names(part for c in suite.cells for part in c.models)}, its data sets "
            f"{_names(part for c in suite.cells for part in c.datasets)}; name no suite for a comparison "
            "of your own"
        )
    plan.jobs += make_stacks(sorter.requests, settings, suite.seeds_at_once)
    return plan


def _names(parts: Iterable[Part]) -> str:
    return ", ".join(dict.fromkeys(part.name for part in parts))


def merge_plans(plans: Sequence[Plan]) -> Plan:
    """Returns several plans as one; no two of them may hold the same cell."""
    whole = Plan()
    for part in plans:
        for name in (f.name for f in fields(Plan) if f.name not in ("stamps", "stopped")):
            getattr(whole, name).extend(getattr(part, name))
        whole.stamps |= part.stamps
    return whole


@dataclass
class _Sorter:
    """Puts the cells of one group after the other where they belong in a plan."""

    plan: Plan
    store: Store
    settings: RunSettings
    keys: set[str]
    redo: Redo
    requests: list[StackRequest] = field(default_factory=list)
    earlier: dict[Path, list[Record]] = field(default_factory=dict)
    records: dict[str, Record | None] = field(default_factory=dict)

    def sort(self, specs: list[CellSpec]) -> None:
        """Puts cells where they belong; what their model or data set raises makes them errors.

        Raises:
            GenbenchError: If the data set cannot be had.
        """
        stage = Stage()
        try:
            with deadline(self.settings.timeout):
                dataset = open_dataset(specs[0], self.settings)
                refusal = find_refusal(specs[0], dataset)
                hashes = None if refusal is not None else self._hash(specs, dataset)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a user's code may raise anything, and end the program
            if isinstance(error, GenbenchError) and not isinstance(error, ContractError):
                raise
            self._break(specs, error, stage)
            return
        if refusal is not None:
            scale = self.settings.scale
            self.plan.skipped += [_skipped(spec, refusal, scale) for spec in specs]
            return
        self._sort(specs, hashes)

    def _hash(self, specs: list[CellSpec], dataset: Dataset) -> object:
        """The data set's hashes, where any cell is still to be done."""
        missing = any(self._need(self._peek(spec)) != "nothing" for spec in specs)
        return dataset.hashes if missing else None

    def _peek(self, spec: CellSpec) -> Record | None:
        if spec.cell not in self.records:
            self.records[spec.cell] = self._read(spec)
        return self.records[spec.cell]

    def _break(self, specs: list[CellSpec], error: BaseException, stage: Stage) -> None:
        """Makes cells errors, but for those of which there is a record that stays."""
        for spec in specs:
            record = self._peek(spec)
            if self._need(record) == "nothing":
                self._leave(spec, record)
            else:
                scale = self.settings.scale
                broken = failed(spec, error, stage).model_copy(update={"scale": scale})
                self.plan.broken.append(broken)

    def _sort(self, specs: list[CellSpec], hashes: object) -> None:
        records = {spec.cell: self._peek(spec) for spec in specs}
        needs = {spec.cell: self._need(records[spec.cell]) for spec in specs}
        train = [spec for spec in specs if needs[spec.cell] == "train"]
        score = [spec for spec in specs if needs[spec.cell] == "score"]
        self._compare_source(specs[0].model, [records[s.cell] for s in specs if s not in train])
        for spec in specs:
            if needs[spec.cell] == "nothing":
                self._leave(spec, records[spec.cell])
        if train or score:
            assert hashes  # so that data that cannot be had is known before any training
        if train:
            old = [record for record in records.values() if record is not None]
            self.requests.append(StackRequest(train, seconds=self._seconds(specs[0], old)))
        if score:
            self.requests.append(StackRequest(score, rescore=True))

    def _compare_source(self, model: str, records: Sequence[Record | None]) -> None:
        """Notes cells that stay, of a user's model whose file is another now."""
        sources = [r.environment.get("source") for r in records if r is not None]
        if any(sources):
            now = hash_plugin(MODELS.get(model))
            self.plan.changed += [model for source in sources if source not in (None, now)]

    def _leave(self, spec: CellSpec, record: Record | None) -> None:
        """Puts a cell that there is nothing to do for where it belongs."""
        if record is not None and record.status in FAILURES:
            self.plan.failed.append(record)
            return
        self.plan.done.append(spec)
        if record is not None and record.scale and self.settings.scale is None:
            self.plan.scaled.append(spec)

    def _read(self, spec: CellSpec) -> Record | None:
        path = self.store.path(spec)
        if not os.path.lexists(path):
            return None
        with suppress(OSError):  # a link that leads nowhere
            self.plan.stamps[spec.cell] = path.stat().st_mtime_ns
        record, problem = self.store.parse(path)
        if problem:
            self.plan.damaged.append(problem)
        return record

    def _need(self, record: Record | None) -> Literal["train", "score", "nothing"]:
        if record is None or self.redo == "all" or record.status == "skipped":
            return "train"
        if record.status in FAILURES:
            return "train" if self.redo == "failed" else "nothing"
        if record.status == "diverged" or self.keys <= {m.key for m in record.metrics}:
            return "nothing"
        stored = (self.store.content(record.artifacts.get(k, "")) for k in ("weights", "samples"))
        return "score" if all(content is not None for content in stored) else "train"

    def _seconds(self, spec: CellSpec, records: Sequence[Record]) -> float | None:
        """How long a round of one seed took, in earlier records of the group, else of the model."""
        folder = self.store.path(spec).parent
        if not records and folder not in self.earlier:
            some = (self.store.parse(path)[0] for path in sorted(folder.glob("*.json"))[:3])
            self.earlier[folder] = [record for record in some if record is not None]
        seconds = [
            r.used.seconds / r.used.seeds_sharing / r.used.steps
            for r in records or self.earlier[folder]
            if r.used.steps and r.spec.batch == spec.batch
        ]
        return sum(seconds) / len(seconds) if seconds else None


def find_refusal(spec: CellSpec, dataset: Dataset) -> str | None:
    """Returns why a cell cannot be, or None."""
    if spec.labelled is not None and dataset.spec.classes is None:
        return f"labelled needs a data set with labels, {spec.dataset} has none"
    reason = MODELS.get(spec.model).refuses(dataset.spec)
    if reason is not None and not isinstance(reason, str):
        raise ContractError(
            f"model {spec.model!r} needs to return None or a sentence from refuses, got {reason!r:.80}"
        )
    return reason


def _skipped(spec: CellSpec, reason: str, scale: str | None) -> Record:
    return Record(
        cell=spec.cell,
        group=spec.group,
        status="skipped",
        phase="build",
        reason=reason,
        spec=spec,
        taxonomy=MODELS.get(spec.model).taxonomy,
        scale=scale,
        started=now(),
        finished=now(),
    )


def make_settings(suite: Suite, root: Path, **about: Any) -> RunSettings:
    """Returns the settings of a suite's jobs; `about` holds what the run decides."""
    return replace(
        RunSettings(
            metrics=tuple(suite.metrics),
            curve_metrics=tuple(suite.curve_metrics),
            samples=suite.samples,
            features=suite.features,
            curve=suite.curve,
            curve_samples=suite.curve_samples,
            checkpoints=root / ".checkpoints",
        ),
        **about,
    )
