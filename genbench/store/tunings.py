"""Files of trials of tuning: one sealed file per model, data set and rule, a line per trial."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genbench.core.files import read_file, write_bytes
from genbench.core.spec import canonical
from genbench.store.folder import Store
from genbench.store.trial import first_problem, scan_folder
from genbench.store.tuning import SCHEMA, TuningFile, TuningResult, TuningRule

FOLDER = "tuning"


class Tunings:
    """The files of trials of a results folder, `tuning/<model>-<data set>-<12 digits>.json`.

    Arguments:
        root: The results folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root / FOLDER

    def path(self, rule: TuningRule) -> Path:
        """Returns where the trials of a rule lie."""
        return self.root / rule.file

    def read(self, rule: TuningRule) -> TuningFile:
        """Returns the trials of a rule, perhaps none."""
        return parse(self.path(rule)) or TuningFile(rule=rule)

    def add(self, result: TuningResult) -> Path:
        """Writes a file with a rung more; a file that is not one of trials is set aside first."""
        return self.save(self.read(result.rule).with_result(result))

    def save(self, file: TuningFile) -> Path:
        """Writes a file over what is there; one that is not of trials is set aside first."""
        path = self.path(file.rule)
        if os.path.lexists(path) and parse(path) is None:
            Store(self.root.parent).set_aside(path)
        write_bytes(path, to_bytes(file))
        return path

    def scan(self) -> Iterator[tuple[Path, TuningFile | None, str | None]]:
        """Yields (path, trials, None) or (path, None, what is wrong) for every file, or for the folder."""
        return scan_folder(self.root, examine)

    def files(self, models: Sequence[str] = (), datasets: Sequence[str] = ()) -> list[TuningFile]:
        """Returns the files that can be used, of these models and data sets alone if any are named."""
        return [
            file
            for _, file, _ in self.scan()
            if file is not None
            and (not models or file.rule.model in models)
            and (not datasets or file.rule.dataset in datasets)
        ]


def to_bytes(file: TuningFile) -> bytes:
    """Returns a file's bytes: JSON with a line per trial, sealed."""
    content = _contents(file)
    content["seal"] = _seal(content)
    trials = content.pop("trials")
    head = json.dumps(content, ensure_ascii=False, indent=1)[:-2]
    rows = ",\n".join(f"  {json.dumps(trial, ensure_ascii=False)}" for trial in trials)
    return f'{head},\n "trials": [\n{rows}\n ]\n}}\n'.encode()


def parse(path: Path) -> TuningFile | None:
    """Returns the trials in a file, or None if it is no such file, of another rule, or damaged."""
    return examine(path)[0]


def examine(path: Path) -> tuple[TuningFile | None, str | None]:
    """Returns the trials in a file, or what is wrong with it."""
    try:
        file = TuningFile.model_validate_json(read_file(path))
        sound = file.schema_ == SCHEMA and file.seal == _seal(_contents(file))
        own = file.rule.file
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror or error}"
    except ValueError as error:
        return None, f"{path} is not a file of tuning: {first_problem(error)}"
    if not sound:
        return None, f"{path} is not a file of tuning as it was written (its seal is broken)"
    if own != path.name:
        return None, f"{path} holds trials that belong in {own!r}; give it that name"
    return file, None


def _contents(file: TuningFile) -> dict[str, Any]:
    content = file.model_dump(mode="json", by_alias=True, exclude={"seal"})
    content["rule"] = file.rule.model_dump(mode="json", exclude_none=True)
    content["floors"] = _shortened(content["floors"])
    for trial in content["trials"]:
        trial["rungs"] = _shortened(trial["rungs"])
        for key in ("options", "training", "failures"):
            if not trial[key]:
                del trial[key]
    return content


def _shortened(value: Any) -> Any:
    """Measured numbers to seven digits, empty tables left out."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, list):
        return [_shortened(part) for part in value]
    if isinstance(value, Mapping):
        return {key: _shortened(part) for key, part in value.items() if part != {}}
    return value


def _seal(content: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != "seal"}
    return hashlib.sha256(canonical(rest).encode()).hexdigest()[:16]
