"""Trials: what the experiment of a claim measured, one file per claim and set of options."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from genbench.core.claim import Claim
from genbench.core.files import list_folder, read_file, write_bytes
from genbench.core.spec import canonical
from genbench.store.folder import Store
from genbench.store.moments import Moment, earliest
from genbench.store.record import Row, finite

SCHEMA = "genbench.trial/1"
FOLDER = "claims"
File = TypeVar("File")
Value = TypeVar("Value")


def claim_id(name: str) -> str:
    """Returns the id of a claim by its name: hyphens in place of underscores."""
    return name.replace("_", "-")


#: the side on which a value is infinite
Side = Literal[-1, 1]


class Trial(Row):
    """An experiment's columns, one value per seed; what is not a finite number is null.

    `infinite` says which of those are infinite, and on which side: what diverged is so on the side that is
    worse. The others do not exist, like the round of an event that never came. `failures` holds, by seed,
    why a seed has no values. `seal` is a hash of the rest.
    """

    schema_: str = Field(default=SCHEMA, alias="schema")
    seal: str = ""
    claim: str
    version: int
    options: dict[str, Any] = {}
    columns: dict[str, dict[int, float | None]] = {}
    #: absent from the file where there are none
    infinite: dict[str, dict[int, Side]] = Field(default={}, exclude_if=lambda rows: not rows)
    failures: dict[int, str] = {}
    seconds: float = 0.0
    environment: dict[str, Any] = {}
    started: Moment = ""
    finished: Moment = ""

    @property
    def seeds(self) -> set[int]:
        """The seeds that were tried, failures included."""
        return {seed for rows in self.columns.values() for seed in rows} | set(self.failures)

    @property
    def failed(self) -> set[int]:
        """The seeds that failed, or diverged in some column."""
        return {seed for row in self.infinite.values() for seed in row} | set(self.failures)

    def values(self, column: str) -> dict[int, float]:
        """Returns a column's values by seed, infinite ones too, without the seeds that have none."""
        numbers = {s: v for s, v in self.columns.get(column, {}).items() if v is not None}
        return numbers | {s: side * math.inf for s, side in self.infinite.get(column, {}).items()}

    def joined(self, other: Trial) -> Trial:
        """Returns this trial with the seeds of another; where both have one, the other's count."""
        columns = _join(self.columns, other.columns, other.seeds)
        infinite = _join(self.infinite, other.infinite, other.seeds)
        failures = {s: w for s, w in self.failures.items() if s not in other.seeds}
        both = {
            "columns": columns,
            "infinite": {name: row for name, row in infinite.items() if row},
            "failures": failures | other.failures,
            "seconds": self.seconds + other.seconds,
            "started": earliest([self.started, other.started]) or "",
            "environment": other.environment | self._mix_sources(other),
        }
        return other.model_copy(update=both)

    def _mix_sources(self, other: Trial) -> dict[str, str]:
        """The sources of a user's claim that made the seeds of both, "+" between them, where they differ."""
        kept = self if self.seeds - other.seeds else other
        sources = {
            one
            for trial in (kept, other)
            for one in str(trial.environment.get("source", "")).split("+")
        } - {""}
        return {"source": "+".join(sorted(sources))} if len(sources) > 1 else {}


def pack_columns(columns: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
    """Returns the fields of a trial that hold an experiment's columns."""
    infinite: dict[str, dict[int, Side]] = {
        name: {seed: 1 if v > 0 else -1 for seed, v in row.items() if math.isinf(v)}
        for name, row in columns.items()
    }
    return {
        "columns": {name: {s: finite(v) for s, v in row.items()} for name, row in columns.items()},
        "infinite": {name: row for name, row in infinite.items() if row},
    }


def _join(
    own: Mapping[str, Mapping[int, Value]],
    other: Mapping[str, Mapping[int, Value]],
    seeds: set[int],
) -> dict[str, dict[int, Value]]:
    """Rows by name, those of some seeds replaced by another's."""
    return {
        name: {s: v for s, v in own.get(name, {}).items() if s not in seeds}
        | {**other.get(name, {})}
        for name in {**own, **other}
    }


class Trials:
    """The trials of a results folder: `claims/<claim>-<12 digits>.json`, each written whole.

    Arguments:
        root: The results folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root / FOLDER

    def path(self, claim: Claim, options: Mapping[str, Any]) -> Path:
        """Returns where a claim's trial lies."""
        return self.path_of(claim.name, claim.version, options)

    def path_of(self, name: str, version: int, options: Mapping[str, Any]) -> Path:
        """Returns where a trial lies: its name holds all that decides the values but seeds."""
        return self.root / _file_name(name, version, options)

    def read(self, claim: Claim, options: Mapping[str, Any]) -> Trial | None:
        """Returns a claim's trial, or None where there is none that can be used."""
        return self.read_of(claim.name, claim.version, options)

    def read_of(self, name: str, version: int, options: Mapping[str, Any]) -> Trial | None:
        """Returns the trial of a claim's version, or None where there is none that can be used."""
        return parse(self.path_of(name, version, options))

    def write(self, trial: Trial) -> Path:
        """Writes a trial, joined with that of other seeds; a file that is not a trial is set aside."""
        path = self.path_of(trial.claim, trial.version, trial.options)
        others = parse(path)
        return self.save(others.joined(trial) if others is not None else trial)

    def save(self, trial: Trial) -> Path:
        """Writes a trial over what is there; a file that is not a trial is set aside."""
        path = self.path_of(trial.claim, trial.version, trial.options)
        if os.path.lexists(path) and parse(path) is None:
            Store(self.root.parent).set_aside(path)
        sealed = trial.model_copy(update={"seal": _seal(trial)})
        write_bytes(path, (sealed.model_dump_json(by_alias=True, indent=1) + "\n").encode())
        return path

    def scan(self) -> Iterator[tuple[Path, Trial | None, str | None]]:
        """Yields (path, trial, None) or (path, None, what is wrong) for every file, or for the folder."""
        return scan_folder(self.root, examine)


def scan_folder(
    folder: Path, examine: Callable[[Path], tuple[File | None, str | None]]
) -> Iterator[tuple[Path, File | None, str | None]]:
    """Yields what a function says of every file of trials in a folder, or why the folder cannot be read."""
    paths, problem = list_trials(folder)
    if problem:
        yield folder, None, problem
    for path in paths:
        yield (path, *examine(path))


def list_trials(folder: Path) -> tuple[list[Path], str | None]:
    """Returns the files of trials in a folder, sorted, or what is wrong with the folder."""
    try:
        paths = list_folder(folder)
    except OSError as error:
        return [], f"{folder} cannot be read: {error.strerror}; its trials are not known"
    if not paths and os.path.lexists(folder) and not folder.is_dir():
        return [], f"{folder} is not a folder; trials are looked for there, move it away"
    return [p for p in paths if p.suffix == ".json" and not p.name.startswith(".")], None


def parse(path: Path) -> Trial | None:
    """Returns the trial in a file, or None if it is not one, of another name, or its seal is broken."""
    return examine(path)[0]


def examine(path: Path) -> tuple[Trial | None, str | None]:
    """Returns the trial in a file, or what is wrong with it."""
    try:
        trial = Trial.model_validate_json(read_file(path))
        sound = trial.schema_ == SCHEMA and trial.seal == _seal(trial)
        own = _file_name(trial.claim, trial.version, trial.options)
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror or error}"
    except ValueError as error:
        return None, f"{path} is not a trial of a claim: {first_problem(error)}"
    if not sound:
        return None, f"{path} is not a trial as it was written (its seal is broken)"
    if own != path.name:
        return None, f"{path} holds a trial that belongs in {own!r}; give it that name"
    return trial, None


def first_problem(error: ValueError) -> str:
    """Returns what is wrong with a file's content in a few words: the first finding and where it is."""
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())[:200]
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where or 'JSON'}: {first['msg'][:200]}"


def _file_name(name: str, version: int, options: Mapping[str, Any]) -> str:
    about = {"claim": name, "version": version, "options": dict(options)}
    digits = hashlib.sha256(canonical(about).encode()).hexdigest()[:12]
    return f"{claim_id(name)}-{digits}.json"


def _seal(trial: Trial) -> str:
    body = trial.model_copy(update={"seal": ""}).model_dump_json(by_alias=True)
    return hashlib.sha256(body.encode()).hexdigest()[:16]
