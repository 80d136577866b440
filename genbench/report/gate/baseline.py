"""Baselines: accepted scores, seed by seed, that a later state of the code is compared with."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from shlex import quote
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from genbench.core.errors import nearest
from genbench.core.files import RUNS
from genbench.core.spec import NUMBER, CellSpec, Strict
from genbench.core.tolerance import Tolerance
from genbench.report.columns import TableColumn
from genbench.report.gate.regression_test import mean_of
from genbench.store import Measurement, Record
from genbench.store.documents import read_json, reviewable
from genbench.store.record import OF_TIME

SCHEMA = "genbench.baseline/1"
LEVEL = 0.05


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
    """One column of one cell: a value per seed, and what numbers must share to be compared with it."""

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
        if not math.isclose(self.mean, mean_of(values), rel_tol=1e-6, abs_tol=1e-12):
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
        default={}, description="seeds whose runs did not complete, by status"
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
    level: Annotated[float, Field(gt=0, lt=0.5), NUMBER] = Field(
        default=LEVEL, description="chance of a false alarm, whole gate"
    )
    tolerances: dict[str, Tolerance | None]
    cells: list[Guarded] = Field(min_length=1)

    @property
    def groups(self) -> set[str]:
        """The groups of all cells."""
        return {cell.group for cell in self.cells}

    @model_validator(mode="after")
    def _complete(self) -> Baseline:
        ids = {score.id for cell in self.cells for score in cell.scores}
        if missing := sorted(ids - set(self.tolerances)):
            raise ValueError(f"tolerances need a line for every column, {missing[0]!r} has none")
        if unknown := sorted(set(self.tolerances) - ids):
            raise ValueError(f"tolerances know no column {unknown[0]!r}{nearest(unknown[0], ids)}")
        groups = [cell.group for cell in self.cells]
        if twice := [group for group in groups if groups.count(group) > 1]:
            raise ValueError(f"cells need to differ in group, {twice[0]} stands twice")
        return self


def load_baseline(path: Path, folder: Path | None = None) -> Baseline:
    """Reads a baseline.

    Arguments:
        path: The file.
        folder: Whose records it would be made from, where there is none; None: those of the usual folder.

    Raises:
        StoreError: Naming the file, the line, the key and what is wrong.
    """
    of = f" --from {quote(str(folder))}" if folder not in (None, Path(RUNS)) else ""
    make = f"make one with: genbench baseline accept{of} --to {quote(str(path))}"
    return read_json(path, Baseline, what="baseline", make=make)


def guarded_cells(path: Path) -> dict[str, str]:
    """Returns the groups that a baseline's file guards, each in words; none where there is no such file."""
    cells = load_baseline(path).cells if path.exists() else []
    return {cell.group: f"{cell.model} on {cell.dataset}" for cell in cells}


def to_text(baseline: Baseline) -> str:
    """Returns a baseline's file: the same for the same scores, a line for whatever fits one."""
    data = json.loads(baseline.model_dump_json(by_alias=True))
    for id, tolerance in data["tolerances"].items():
        if tolerance is not None:
            parts = {key: value for key, value in tolerance.items() if value}
            data["tolerances"][id] = parts or {"absolute": 0.0}
    return reviewable(data) + "\n"


def scores_of(records: Iterable[Record]) -> dict[tuple[TableColumn, int | None, int | None], Any]:
    """Returns (the first measurement, value by seed) of every column that has values."""
    scores: dict[Any, tuple[Measurement, dict[int, float]]] = {}
    for record in records:
        for m in record.metrics:
            if m.value is not None and math.isfinite(m.value):
                key = (TableColumn.of(m), m.n_real, m.n_fake)
                scores.setdefault(key, (m, {}))[1][record.spec.seed] = m.value
    return scores


def describe(spec: Mapping[str, Any]) -> dict[str, str]:
    """Returns a spec's parts as text, options one by one, for a comparison of two."""
    parts: dict[str, str] = {}
    for key, value in spec.items():
        if isinstance(value, dict):
            parts |= {f"{key}.{k}": json.dumps(v) for k, v in value.items() if v is not None}
        elif value is not None:
            parts[key] = json.dumps(value)
    return parts
