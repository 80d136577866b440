"""What a suite still needs: its cells, sorted by what there is to do, and put into jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from genbench.core import options
from genbench.core.dataset import DATASETS, Dataset
from genbench.core.errors import SpecError
from genbench.core.feature import EXTRACTORS
from genbench.core.model import MODELS
from genbench.core.spec import Cells, CellSpec, Part, Suite
from genbench.evaluation.requests import ask
from genbench.running.build import open_dataset
from genbench.running.job import Job, Setting, now
from genbench.running.planner import Group, stack
from genbench.store import FAILURES, Record, Store

#: which cells are done: those without a record, failures too, or all
Redo = Literal["missing", "failed", "all"]


@dataclass
class Plan:
    """The cells of a suite, sorted by what there is to do.

    Arguments:
        jobs: Stacks to be trained, or finished cells to be measured again.
        done: Cells whose records are complete.
        failed: Records of earlier failures that are left as they are.
        skipped: Records of pairs of a model and a data set that cannot be.
        cells: Every cell of the suite, in order.
        damaged: A sentence for every file that stands in a record's place and is none.
        stamps: By cell, when its record was written, so that a job sees what others did meanwhile.
        scaled: Those of `done` that were made for claims at another budget and are now asked for as such.
        busy: Cells that another run on this folder has in hand.
        stopped: Why the run ended before its end, or None.
    """

    jobs: list[Job] = field(default_factory=list)
    done: list[CellSpec] = field(default_factory=list)
    failed: list[Record] = field(default_factory=list)
    skipped: list[Record] = field(default_factory=list)
    cells: list[CellSpec] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    stamps: dict[str, int] = field(default_factory=dict)
    scaled: list[CellSpec] = field(default_factory=list)
    busy: list[CellSpec] = field(default_factory=list)
    stopped: str | None = None

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
    redo: Redo = "missing",
    autocast: bool = False,
) -> Plan:
    """Works out what a suite still needs; reads records, trains nothing.

    Arguments:
        suite: The comparison.
        store: Where records are looked for.
        setting: Given to every job.
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
    ask(setting.curve_metrics)
    if setting.features is not None:
        EXTRACTORS.get(setting.features)
    asks = ask(setting.metrics, samples=setting.samples, features=setting.features)
    sorter = _Sorter(Plan(), store, setting, {a.key for a in asks}, redo)
    made, seen = sorter.made, set()
    for cells in suite.cells:
        for dataset in (d for d in cells.datasets if not datasets or d.name in datasets):
            for model in (m for m in cells.models if not models or m.name in models):
                named = cell_specs(suite, cells, model, dataset, autocast)
                specs = [spec for spec in named if spec.cell not in seen]
                seen |= {spec.cell for spec in specs}
                made.cells += specs
                if specs:
                    sorter.sort(specs)
    if not made.cells:
        raise SpecError(
            "no cell is left to run; the --model and --dataset given are not both in the suite"
        )
    made.jobs = stack(sorter.groups, setting, suite.seeds_at_once)
    return made


@dataclass
class _Sorter:
    """Puts the cells of one group after the other where they belong in a plan."""

    made: Plan
    store: Store
    setting: Setting
    wanted: set[str]
    redo: Redo
    groups: list[Group] = field(default_factory=list)
    known: dict[Path, list[Record]] = field(default_factory=dict)

    def sort(self, specs: list[CellSpec]) -> None:
        dataset = open_dataset(specs[0], self.setting)
        refusal = _refusal(specs[0], dataset)
        if refusal is not None:
            self.made.skipped += [_skipped(spec, refusal, self.setting.scale) for spec in specs]
            return
        train: list[CellSpec] = []
        score: list[CellSpec] = []
        read: list[Record] = []
        for spec in specs:
            record = self._read(spec)
            read += [record] if record is not None else []
            need = self._need(record)
            if need != "nothing":
                (train if need == "train" else score).append(spec)
            elif record is not None and record.status in FAILURES:
                self.made.failed.append(record)
            else:
                self.made.done.append(spec)
                if record is not None and record.scale and self.setting.scale is None:
                    self.made.scaled.append(spec)
        if train or score:
            assert dataset.hashes  # so that data that cannot be had is known before any training
        if train:
            self.groups.append(Group(train, seconds=self._seconds(specs[0], read)))
        if score:
            self.groups.append(Group(score, rescore=True))

    def _read(self, spec: CellSpec) -> Record | None:
        path = self.store.path(spec)
        if not path.exists():
            return None
        self.made.stamps[spec.cell] = path.stat().st_mtime_ns
        record, problem = self.store.parse(path)
        if problem:
            self.made.damaged.append(problem)
        return record

    def _need(self, record: Record | None) -> Literal["train", "score", "nothing"]:
        if record is None or self.redo == "all" or record.status == "skipped":
            return "train"
        if record.status in FAILURES:
            return "train" if self.redo == "failed" else "nothing"
        if record.status == "diverged" or self.wanted <= {m.key for m in record.metrics}:
            return "nothing"
        held = (self.store.content(record.artifacts.get(k, "")) for k in ("weights", "samples"))
        return "score" if all(content is not None for content in held) else "train"

    def _seconds(self, spec: CellSpec, read: Sequence[Record]) -> float | None:
        """How long a round of one seed took, in earlier records of the group, else of the model."""
        folder = self.store.path(spec).parent
        if not read and folder not in self.known:
            found = (self.store.parse(path)[0] for path in sorted(folder.glob("*.json"))[:3])
            self.known[folder] = [record for record in found if record is not None]
        known = [
            r.used.seconds / r.used.seeds_sharing / r.used.steps
            for r in read or self.known[folder]
            if r.used.steps and r.spec.batch == spec.batch
        ]
        return sum(known) / len(known) if known else None


def _refusal(spec: CellSpec, dataset: Dataset) -> str | None:
    """Why a cell cannot be, or None."""
    if spec.labelled is not None and dataset.spec.classes is None:
        return f"labelled needs a data set with labels, {spec.dataset} has none"
    return MODELS.get(spec.model).refuses(dataset.spec)


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
