"""Trials: what the experiment of a claim measured, one file per claim and set of options."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from genbench.core.claim import Claim
from genbench.core.files import list_folder, read_file, write_bytes
from genbench.core.spec import canonical
from genbench.store.folder import Store
from genbench.store.record import Row

SCHEMA = "genbench.trial/1"
FOLDER = "claims"


def claim_id(name: str) -> str:
    """Returns the id of a claim by its name: hyphens in place of underscores."""
    return name.replace("_", "-")


class Trial(Row):
    """An experiment's columns, one value per seed; what is not a finite number is null.

    `failures` holds, by seed, why a seed has no values. `seal` is a hash of the rest.
    """

    schema_: str = Field(default=SCHEMA, alias="schema")
    seal: str = ""
    claim: str
    version: int
    options: dict[str, Any] = {}
    columns: dict[str, dict[int, float | None]] = {}
    failures: dict[int, str] = {}
    seconds: float = 0.0
    environment: dict[str, Any] = {}
    started: str = ""
    finished: str = ""

    @property
    def seeds(self) -> set[int]:
        """The seeds that were tried, failures included."""
        return {seed for rows in self.columns.values() for seed in rows} | set(self.failures)

    def joined(self, other: Trial) -> Trial:
        """Returns this trial with the seeds of another; where both have one, the other's count."""
        columns = {
            name: {s: v for s, v in self.columns.get(name, {}).items() if s not in other.seeds}
            | other.columns.get(name, {})
            for name in {**self.columns, **other.columns}
        }
        failures = {s: w for s, w in self.failures.items() if s not in other.seeds}
        both = {
            "columns": columns,
            "failures": failures | other.failures,
            "seconds": self.seconds + other.seconds,
            "started": self.started or other.started,
        }
        return other.model_copy(update=both)


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
        about = {"claim": name, "version": version, "options": dict(options)}
        digits = hashlib.sha256(canonical(about).encode()).hexdigest()[:12]
        return self.root / f"{claim_id(name)}-{digits}.json"

    def read(self, claim: Claim, options: Mapping[str, Any]) -> Trial | None:
        """Returns a claim's trial, or None where there is none that can be used."""
        return parse(self.path(claim, options))

    def write(self, trial: Trial) -> Path:
        """Writes a trial, joined with that of other seeds; a file that is not a trial is set aside."""
        path = self.path_of(trial.claim, trial.version, trial.options)
        others = parse(path)
        return self.save(others.joined(trial) if others is not None else trial)

    def save(self, trial: Trial) -> Path:
        """Writes a trial over what is there; a file that is not a trial is set aside."""
        path = self.path_of(trial.claim, trial.version, trial.options)
        if path.exists() and parse(path) is None:
            Store(self.root.parent).set_aside(path)
        sealed = trial.model_copy(update={"seal": _seal(trial)})
        write_bytes(path, (sealed.model_dump_json(by_alias=True, indent=1) + "\n").encode())
        return path

    def scan(self) -> Iterator[tuple[Path, Trial | None]]:
        """Yields every trial's path with the trial, or None where the file, or the folder, cannot be used."""
        try:
            paths = list_folder(self.root)
        except OSError:
            yield self.root, None
            return
        for path in paths:
            if path.suffix == ".json" and re.search(r"-[0-9a-f]{12}$", path.stem):
                yield path, parse(path)


def parse(path: Path) -> Trial | None:
    """Returns the trial in a file, or None if it is not one or its seal is broken."""
    try:
        trial = Trial.model_validate_json(read_file(path))
    except (OSError, ValidationError, ValueError):
        return None
    return trial if trial.schema_ == SCHEMA and trial.seal == _seal(trial) else None


def _seal(trial: Trial) -> str:
    body = trial.model_copy(update={"seal": ""}).model_dump_json(by_alias=True)
    return hashlib.sha256(body.encode()).hexdigest()[:16]
