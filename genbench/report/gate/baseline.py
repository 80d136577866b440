"""Baselines: accepted scores, seed by seed, that a later state of the code is held against."""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from genbench.core.errors import StoreError
from genbench.core.spec import CellSpec, Strict
from genbench.report.columns import Column
from genbench.report.gate.regression_test import variance
from genbench.report.gate.tolerance import Tolerance, usual_tolerance
from genbench.store import Measurement, Record
from genbench.store.documents import read_json, reviewable
from genbench.store.record import OF_TIME

SCHEMA = "genbench.baseline/1"
LEVEL = 0.05
#: parts of a record's environment that decide its times
MACHINE = ("cpu", "device", "threads", "workers")


class Accepted(Strict):
    """Who said that these scores are what they should be, and when."""

    by: str
    when: str
    note: str = ""


class Measured(Strict):
    """What the scores were measured on; every value that occurs."""

    first: str
    last: str
    commits: list[str]
    environment: dict[str, list[str]]


class Scored(Strict):
    """One column of one cell: a value a seed, and what numbers must share to be held against it."""

    id: str
    protocol: str
    split: Literal["test", "train"] = "test"
    kind: Literal["exact", "bound", "estimate"]
    version: int
    better: Literal["lower", "higher"]
    unit: str = ""
    n_real: int | None = None
    n_fake: int | None = None
    n: int = Field(gt=0)
    mean: float
    spread: float | None = Field(ge=0, description="standard deviation over seeds")
    values: dict[int, float] = Field(min_length=1)

    @model_validator(mode="after")
    def _agrees(self) -> Scored:
        values = list(self.values.values())
        if len(values) != self.n:
            raise ValueError(f"n needs to be the number of values, {len(values)}, got {self.n}")
        if not math.isclose(self.mean, statistics.fmean(values), rel_tol=1e-6, abs_tol=1e-12):
            raise ValueError(f"mean needs to be that of the values, got {self.mean!r}")
        if self.unit in OF_TIME and min(values) <= 0:
            raise ValueError("values need to be positive, where the unit is one of time")
        return self


class Guarded(Strict):
    """One group of cells: a model on a data set with one budget, its seeds and scores."""

    dataset: str
    model: str
    group: str
    spec: dict[str, Any] = Field(description="all of the cells' specs but the seed")
    taxonomy: str = ""
    seeds: list[int] = Field(min_length=1)
    failed: dict[int, str] = Field(
        default={}, description="seeds that did not end well, by status"
    )
    data: dict[str, str] = Field(default={}, description="digests of the data, by split")
    machines: list[str] = []
    scores: list[Scored]

    @model_validator(mode="after")
    def _hashes(self) -> Guarded:
        spec = CellSpec.model_validate({**self.spec, "seed": 0})
        if spec.group != self.group:
            raise ValueError(f"group needs to be the hash of spec, {spec.group}")
        if (spec.dataset, spec.model) != (self.dataset, self.model):
            raise ValueError("dataset and model need to be those of spec")
        return self


class Baseline(Strict):
    """The whole of a baseline's file."""

    version: Literal["genbench.baseline/1"] = Field(alias="schema")
    suite: str | None
    accepted: Accepted
    measured: Measured
    level: float = Field(
        default=LEVEL, gt=0, lt=0.5, description="chance of a false alarm, whole gate"
    )
    tolerances: dict[str, Tolerance | None]
    cells: list[Guarded] = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> Baseline:
        ids = {score.id for cell in self.cells for score in cell.scores}
        if missing := sorted(ids - set(self.tolerances)):
            raise ValueError(f"tolerances need a line for every column, {missing[0]!r} has none")
        groups = [cell.group for cell in self.cells]
        if twice := [group for group in groups if groups.count(group) > 1]:
            raise ValueError(f"cells need to differ in group, {twice[0]} stands twice")
        return self


def load_baseline(path: Path) -> Baseline:
    """Reads a baseline.

    Raises:
        StoreError: Naming the file, the line, the key and what is wrong.
    """
    make = f"make one with: genbench baseline accept --from results --to {path}"
    return read_json(path, Baseline, what="baseline", make=make)


def to_text(baseline: Baseline) -> str:
    """Returns a baseline's file: the same for the same scores, a line for whatever fits one."""
    data = json.loads(baseline.model_dump_json(by_alias=True))
    for id, tolerance in data["tolerances"].items():
        if tolerance is not None:
            said = {key: value for key, value in tolerance.items() if value}
            data["tolerances"][id] = said or {"absolute": 0.0}
    return reviewable(data) + "\n"


def accept(
    records: Iterable[Record],
    *,
    suite: str | None,
    by: str,
    when: str,
    note: str = "",
    with_failures: bool = False,
) -> Baseline:
    """Returns the baseline of records: every directed column against held-out data.

    Arguments:
        records: What was measured.
        suite: Its name, for the reader.
        by: Who accepts.
        when: The time, as ISO 8601.
        note: Why, in a sentence.
        with_failures: Accept that cells failed; that many failures are no alarm later.

    Raises:
        StoreError: If there is nothing to accept, or cells failed and that is not accepted.
    """
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.group].append(record)
    rows = [record for members in groups.values() for record in members]
    bad = [r for r in rows if r.status not in ("ok", "skipped")]
    if bad and not with_failures:
        first = bad[0]
        raise StoreError(
            f"a baseline needs cells that ended well, {len(bad)} did not (first {first.spec.model} on "
            f"{first.spec.dataset}, seed {first.spec.seed}: {first.status}, {first.reason}); "
            "mend them, or accept them as they are with --with-failures"
        )
    cells = [_guarded(members) for members in groups.values()]
    cells = sorted(
        (c for c in cells if c.scores or c.failed), key=lambda c: (c.dataset, c.model, c.group)
    )
    if not any(cell.scores for cell in cells):
        raise StoreError("a baseline needs scores, got records without any; measure some first")
    units = {s.id: s.unit for cell in cells for s in cell.scores}
    return Baseline(
        schema=SCHEMA,
        suite=suite,
        accepted=Accepted(by=by, when=when, note=note),
        measured=_measured(rows),
        tolerances={id: usual_tolerance(id, units[id]) for id in sorted(units)},
        cells=cells,
    )


def updated(old: Baseline, new: Baseline) -> Baseline:
    """Returns the new baseline with what people set in the old one, or the old one if nothing moved."""
    kept = {id: old.tolerances.get(id, usual) for id, usual in new.tolerances.items()}
    new = new.model_copy(update={"tolerances": kept, "level": old.level})
    same = new.model_copy(update={"accepted": old.accepted})
    return old if same == old else new


def machine(environment: Mapping[str, Any]) -> str:
    """Returns what decides times, in words, e.g. "cpu EPYC, device cpu, threads 1"."""
    return ", ".join(f"{key} {environment[key]}" for key in MACHINE if key in environment)


def scores_of(records: Iterable[Record]) -> dict[tuple[Column, int | None, int | None], Any]:
    """Returns (the first measurement, value by seed) of every column that has values."""
    found: dict[Any, tuple[Measurement, dict[int, float]]] = {}
    for record in records:
        for m in record.metrics:
            if m.value is not None and math.isfinite(m.value):
                held = found.setdefault((Column.of(m), m.n_real, m.n_fake), (m, {}))
                held[1][record.spec.seed] = m.value
    return found


def _guarded(members: list[Record]) -> Guarded:
    ok = [r for r in members if r.status == "ok"]
    spec = members[0].spec
    scores = [
        _scored(m, values)
        for m, values in scores_of(ok).values()
        if m.split == "test" and m.better != "none" and usual_tolerance(m.id, m.unit) is not None
    ]
    return Guarded(
        dataset=spec.dataset,
        model=spec.model,
        group=spec.group,
        spec=json.loads(spec.model_dump_json(exclude_none=True, exclude={"seed"})),
        taxonomy=members[0].taxonomy,
        seeds=sorted(r.spec.seed for r in members),
        failed={
            r.spec.seed: r.status
            for r in sorted(members, key=lambda r: r.spec.seed)
            if r.status != "ok"
        },
        data=dict(sorted(ok[0].data_hashes.items())) if ok else {},
        machines=sorted({machine(r.environment) for r in ok}),
        scores=sorted(scores, key=lambda s: (s.id, s.kind, s.protocol, s.version)),
    )


def _scored(m: Measurement, values: dict[int, float]) -> Scored:
    ordered = dict(sorted(values.items()))
    held = list(ordered.values())
    about = m.model_dump(
        include={
            *("id", "protocol", "split", "kind", "version"),
            *("better", "unit", "n_real", "n_fake"),
        }
    )
    return Scored(
        **about,
        n=len(held),
        mean=statistics.fmean(held),
        spread=math.sqrt(variance(held)) if len(held) > 1 else None,
        values=ordered,
    )


def _measured(records: list[Record]) -> Measured:
    seen: dict[str, set[str]] = defaultdict(set)
    for record in records:
        for key, value in record.environment.items():
            told = json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)
            seen[key].add(told)
    commits = sorted(seen.pop("git", set()) - {"None"})
    times = sorted(time for r in records for time in (r.started, r.finished) if time)
    return Measured(
        first=times[0] if times else "",
        last=times[-1] if times else "",
        commits=commits,
        environment={key: sorted(values) for key, values in sorted(seen.items())},
    )


def describe(spec: Mapping[str, Any]) -> dict[str, str]:
    """Returns a spec's parts as text, options one by one, for a comparison of two."""
    told: dict[str, str] = {}
    for key, value in spec.items():
        if isinstance(value, dict):
            told |= {f"{key}.{k}": json.dumps(v) for k, v in value.items() if v is not None}
        elif value is not None:
            told[key] = json.dumps(value)
    return told
