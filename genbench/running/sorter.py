"""What a suite still needs: its cells, sorted by what there is to do, and put into jobs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from genbench.core.catalogue import place_to_record
from genbench.core.dataset import Dataset
from genbench.core.errors import ContractError, GenbenchError, SpecError, StoreError
from genbench.core.model import MODELS
from genbench.core.spec import CellSpec, Part, Suite, canonical
from genbench.evaluation.provenance import hash_plugin
from genbench.evaluation.requests import make_requests
from genbench.running.build import open_dataset
from genbench.running.cells import cell_specs, find_refusal
from genbench.running.interrupts import deadline, is_of_user
from genbench.running.job import RunSettings, Stage, failed, now
from genbench.running.plan import Plan, Redo
from genbench.running.planner import StackRequest, make_stacks
from genbench.store import FAILURES, Record, Store

#: what is to be done for a cell
Need = Literal["train", "score", "nothing"]


def make_plan(
    suite: Suite,
    store: Store,
    settings: RunSettings,
    *,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
    redo: Redo = "missing",
    autocast: bool = False,
    compiled: bool = False,
    had: dict[str, dict[str, str]] | None = None,
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
        compiled: Compile losses with their gradients (CPU only).
        had: Hashes of data sets that earlier plans of the same pass have read whole, to which this one's are
            added: reading all points of a large one takes seconds.

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
    keys = {a.key for a in requests}
    sorter = _Sorter(plan, store, settings, keys, redo, {} if had is None else had)
    for cells in suite.cells:
        for dataset in (d for d in cells.datasets if not datasets or d.name in datasets):
            for model in (m for m in cells.models if not models or m.name in models):
                named = cell_specs(suite, cells, model, dataset, autocast, compiled)
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


@dataclass
class _Sorter:
    """Puts the cells of one group after the other where they belong in a plan."""

    plan: Plan
    store: Store
    settings: RunSettings
    keys: set[str]
    redo: Redo
    #: by data set, the hashes of those whose points could all be had
    had: dict[str, dict[str, str]]
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
                if refusal is None:
                    self._read_points(specs, dataset)
        except BaseException as error:  # a user's code may raise anything, and end the program
            if is_of_user(error):
                raise
            if isinstance(error, GenbenchError) and not isinstance(error, ContractError):
                raise
            self._break(specs, error, stage)
            return
        if refusal is not None:
            scale = self.settings.scale
            self.plan.skipped += [_skipped(spec, refusal, scale) for spec in specs]
            return
        self._sort(specs)

    def _read_points(self, specs: list[CellSpec], dataset: Dataset) -> None:
        """Reads all points, where any cell is still to be done: what cannot be had shows before training."""
        name = _name_data(specs[0])
        if name in self.had or all(self._need(self._peek(spec)) == "nothing" for spec in specs):
            return
        if hashes := dataset.hashes:
            self.had[name] = hashes

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

    def _sort(self, specs: list[CellSpec]) -> None:
        records = {spec.cell: self._peek(spec) for spec in specs}
        needs: dict[str, Need] = {spec.cell: self._need(records[spec.cell]) for spec in specs}
        needs |= self._compare_points(specs, needs)
        train = [spec for spec in specs if needs[spec.cell] == "train"]
        score = [spec for spec in specs if needs[spec.cell] == "score"]
        self._compare_source(specs[0].model, [records[s.cell] for s in specs if s not in train])
        for spec in specs:
            if needs[spec.cell] == "nothing":
                self._leave(spec, records[spec.cell])
        points = self.had.get(_name_data(specs[0]), {})
        if train:
            old = [record for record in records.values() if record is not None]
            seconds = self._seconds(specs[0], old)
            self.requests.append(StackRequest(train, seconds=seconds, points=points))
        if score:
            self.requests.append(StackRequest(score, rescore=True, points=points))

    def _compare_source(self, model: str, records: Sequence[Record | None]) -> None:
        """Notes cells that stay, of a user's model whose file is another now."""
        sources = [r.environment.get("source") for r in records if r is not None]
        if any(sources):
            now = hash_plugin(MODELS.get(model))
            self.plan.changed += [model for source in sources if source not in (None, now)]

    def _compare_points(
        self, specs: Sequence[CellSpec], needs: Mapping[str, Need]
    ) -> dict[str, Need]:
        """Returns the cells of other points than the data set has now, which are not measured by these.

        Those that are done stay, and are noted.
        """
        now, anew = self.had.get(_name_data(specs[0]), {}), {}
        for spec in specs:
            record = self._peek(spec)
            before = {} if record is None else record.data_hashes
            if all(now.get(split, digest) == digest for split, digest in before.items()):
                continue
            if needs[spec.cell] == "score":
                anew[spec.cell] = "train"
            elif needs[spec.cell] == "nothing":
                self.plan.moved.append(spec.dataset)
        return anew

    def _leave(self, spec: CellSpec, record: Record | None) -> None:
        """Puts a cell that there is nothing to do for where it belongs."""
        if record is not None and record.status in FAILURES:
            self.plan.failed.append(record)
            return
        self.plan.done.append(spec)
        if record is None:
            return
        marks: dict[str, Any] = {}
        if record.scale and self.settings.scale is None:
            marks["scale"] = None
        if not set(self.settings.named) <= set(record.named):
            marks["named"] = sorted({*record.named, *self.settings.named})
        if marks:
            self.plan.marks.append((spec, marks))

    def _read(self, spec: CellSpec) -> Record | None:
        path = self.store.path(spec)
        if not os.path.lexists(path):
            return None
        with suppress(OSError):  # a link that leads nowhere
            self.plan.stamps[spec.cell] = path.stat().st_mtime_ns
        record, problem = self.store.parse(path)
        if path in self.store.newer:
            raise StoreError(f"{problem}; install that, or give another folder by -o")
        if problem:
            self.plan.damaged.append(problem)
        return record

    def _need(self, record: Record | None) -> Need:
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


def _name_data(spec: CellSpec) -> str:
    """What stands for a cell's data set with its options."""
    return canonical([spec.dataset, dict(spec.dataset_options)])


def _skipped(spec: CellSpec, reason: str, scale: str | None) -> Record:
    return Record(
        cell=spec.cell,
        group=spec.group,
        status="skipped",
        phase="build",
        reason=reason,
        spec=spec,
        **place_to_record(spec.model),
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
