"""Records: one JSON a cell, written whole or not at all; samples and weights live beside them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genbench.core.errors import StoreError
from genbench.core.files import write_bytes
from genbench.core.spec import CellSpec

if TYPE_CHECKING:
    import pandas

SCHEMA = "genbench.record/1"
Status = Literal["ok", "diverged", "error", "timeout", "oom", "skipped"]


class Row(BaseModel):
    """A part of a record; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Measurement(Row):
    """One number, with all that is needed to know what it may be compared with.

    `key` names the question that was asked (metric, version, options, number of points, features),
    so that a later run knows what is still to be measured. `id` is the column (fid, recall …), `split`
    the reference it was measured against, `protocol` the sentence printed in column heads; two numbers
    with different (id, protocol, split) never share a column. `floor` is the same metric between two
    disjoint sets of real points at the same n.
    """

    id: str
    metric: str
    version: int
    key: str = ""
    protocol: str
    split: Literal["test", "train"] = "test"
    value: float | None
    stderr: float | None = None
    floor: float | None = None
    reason: str | None = None
    n_real: int | None = None
    n_fake: int | None = None
    better: Literal["lower", "higher", "none"] = "lower"
    unit: str = ""
    kind: Literal["exact", "bound", "estimate"] = "exact"
    seconds: float = 0.0


class Used(Row):
    """What training cost. Seconds are shared by all seeds of the stack (`seeds_sharing`)."""

    steps: int = 0
    examples: int = 0
    seconds: float = 0.0
    seeds_sharing: int = 1
    peak_memory_bytes: int | None = None


class CurvePoint(Row):
    """One point of the learning curve: losses by player, and cheap metrics by column id."""

    step: int
    seconds: float
    losses: dict[str, float | None] = {}
    metrics: dict[str, float | None] = {}


class Record(Row):
    """One cell: a model on a data set with one seed and one budget, and all that was measured."""

    schema_: str = Field(default=SCHEMA, alias="schema")
    cell: str
    group: str
    status: Status
    phase: str | None = None
    reason: str | None = None
    failed_after_s: float | None = None
    spec: CellSpec
    taxonomy: str = ""
    parameters: int | None = None
    data_hashes: dict[str, str] = {}
    used: Used = Used()
    curve: list[CurvePoint] = []
    metrics: list[Measurement] = []
    sequential_steps: int | None = None
    environment: dict[str, Any] = {}
    artifacts: dict[str, str] = {}
    started: str = ""
    finished: str = ""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    def measurement(self, id: str, split: str = "test") -> Measurement | None:
        """Returns the measurement of a column against a split, or None."""
        return next((m for m in self.metrics if m.id == id and m.split == split), None)


class Store:
    """A results folder: `<dataset>/<model>/<cell>.json` and `.artifacts/<sha256>`.

    Arguments:
        root: The folder; it is made on the first write.
        groups: Let `records` yield those of these groups alone (cells that differ in the seed only).
    """

    def __init__(self, root: Path | str, groups: Set[str] | None = None) -> None:
        self.root, self.groups = Path(root), groups

    def path(self, spec: CellSpec) -> Path:
        """Returns where a cell's record lies; names that could leave the folder are refused."""
        for name in (spec.dataset, spec.model):
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", name):
                raise StoreError(
                    f"{name!r} cannot name a folder of results; use letters, digits, _ . -"
                )
        return self.root / spec.dataset / spec.model / f"{spec.cell}.json"

    def read(self, spec: CellSpec) -> Record | None:
        """Returns a cell's record, or None if there is none that can be read."""
        path = self.path(spec)
        return self._parse(path)[0] if path.is_file() else None

    def write(self, record: Record) -> Path:
        """Writes a record: temporary file, fsync, rename."""
        path = self.path(record.spec)
        text = record.model_dump_json(by_alias=True, indent=1, exclude_defaults=False)
        write_bytes(path, (text + "\n").encode())
        return path

    def records(self) -> Iterator[Record]:
        """Yields every sound record, in the order of paths; see `problems` for the others."""
        for path in self._files():
            record, _ = self._parse(path)
            if record is not None and (self.groups is None or record.group in self.groups):
                yield record

    def problems(self) -> list[str]:
        """Returns one sentence for every file that is no valid record or lies in the wrong place."""
        parsed = (self._parse(path) for path in self._files())
        return [problem for _, problem in parsed if problem]

    def find(self, cell: str) -> Record | None:
        """Returns the record whose cell id starts with the given digits, if there is just one."""
        if not re.fullmatch(r"[0-9a-f]{4,16}", cell):
            return None
        paths = [path for path in self._files() if path.stem.startswith(cell)]
        return self._parse(paths[0])[0] if len(paths) == 1 else None

    def put(self, content: bytes, suffix: str) -> str:
        """Stores an artifact by content; returns "sha256:<hex><suffix>"."""
        name = hashlib.sha256(content).hexdigest() + suffix
        path = self.root / ".artifacts" / name
        if not path.exists():
            write_bytes(path, content)
        return f"sha256:{name}"

    def artifact(self, reference: str) -> Path | None:
        """Returns the file of an artifact, or None if it is not here (records travel without)."""
        name = reference.removeprefix("sha256:")
        if not re.fullmatch(r"[0-9a-f]{64}\.[a-z]+", name):
            return None
        path = self.root / ".artifacts" / name
        return path if path.is_file() else None

    def _parse(self, path: Path) -> tuple[Record | None, str | None]:
        """The record in a file, or what is wrong with it."""
        record, problem = _parse(path)
        if record is None:
            return None, problem
        spec = record.spec
        if (record.cell, record.group) != (spec.cell, spec.group):
            return None, f"{path} holds cell {record.cell}, whose spec hashes to {spec.cell}"
        try:
            own = self.path(spec)
        except StoreError as error:
            return None, f"{path} is not a record: {error}"
        if own != path:
            return None, f"{path} holds a record that belongs in {own}; move it there"
        return record, None

    def _files(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        return sorted(p for p in self.root.glob("*/*/*.json") if not p.parts[-3].startswith("."))


def results(root: Path | str = "results") -> pandas.DataFrame:
    """Returns all measurements of a results folder as a frame, one row a (cell, column, split)."""
    import pandas

    rows = []
    for record in Store(root).records():
        about = {
            "cell": record.cell,
            "group": record.group,
            "status": record.status,
            "reason": record.reason,
            "model": record.spec.model,
            "options": json.dumps(record.spec.options, sort_keys=True),
            "dataset": record.spec.dataset,
            "seed": record.spec.seed,
            "parameters": record.parameters,
            "train_seconds": record.used.seconds,
        }
        rows += [{**about, **m.model_dump()} for m in record.metrics] or [about]
    return pandas.DataFrame(rows)


def _parse(path: Path) -> tuple[Record | None, str | None]:
    try:
        return Record.model_validate_json(path.read_bytes()), None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return None, f"{path} is not a record: {where or 'JSON'}: {first['msg']}"
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror or error}"
