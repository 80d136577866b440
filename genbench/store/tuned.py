"""Tuned options by model × data set × budget: the product of tuning, which suites and claims name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, FiniteFloat, ValidationError, model_validator

from genbench.core.dataset import DATASETS, version_of
from genbench.core.errors import SpecError
from genbench.core.files import read_text, write_bytes
from genbench.core.model import MODELS
from genbench.core.spec import Budget, CellSpec, Training, canonical
from genbench.store.documents import describe_invalid, list_shipped
from genbench.store.record import Row
from genbench.store.tuning import SharedRule, TuningRule
from genbench.store.yaml_trees import parse_yaml

#: where the file lies, from the working folder or from that of genbench
FILE = Path("baselines/tuned.yaml")
#: what goes with commands, as nobody here knows which suite file has the plan
OTHER_PLAN = "(with --config, where the plan is not of the usual suite file)"
HEAD = (
    "# Written by `genbench tune --accept` of {trials}; `tuned: true` takes it from here.\n"
    "# Scores are of the validation split, the default's those of trial 0.\n"
)


def _fits(form: type[Budget] | type[Training]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Lets through the fields of a form, as it takes them: files may be edited by hand."""

    def check(fields: dict[str, Any]) -> dict[str, Any]:
        return form.model_validate(fields).model_dump(exclude_unset=True, exclude_none=True)

    return check


class TunedChoice(Row):
    """The best trial by one criterion, of those that reached the whole budget.

    `validation` and `default` are mean scores over seeds, of it and of the model's default; `gain` is how
    much better it is, of which the luck of the best of many trials is a part.
    """

    column: str
    trial: int
    hash: str
    options: dict[str, Any] = {}
    training: Annotated[dict[str, Any], AfterValidator(_fits(Training))] = {}
    validation: FiniteFloat
    default: FiniteFloat | None = None
    gain: FiniteFloat | None = None


class TunedEntry(Row):
    """A model on a data set at a budget: `trials_hash` is the seal of the file of its trials.

    The data set's version is absent from the file where it is 1, and the rule from files of earlier versions.
    """

    model: str
    model_version: int
    dataset: str
    dataset_version: int = Field(default=1, exclude_if=lambda version: version == 1)
    dataset_options: dict[str, Any] = {}
    budget: Annotated[dict[str, Any], AfterValidator(_fits(Budget))]
    batch: int = Field(gt=0)
    trials: int = Field(gt=0)
    sampler: str
    rule: SharedRule | None = Field(default=None, exclude_if=lambda rule: rule is None)
    trials_file: str
    trials_hash: str
    choices: dict[Annotated[str, Field(pattern="^(samples|density)$")], TunedChoice]


class TunedFile(Row):
    """The whole of baselines/tuned.yaml."""

    version: Literal[1] = Field(default=1, alias="schema")
    entries: list[TunedEntry] = []

    @model_validator(mode="after")
    def _alone(self) -> TunedFile:
        """Refuses two entries of one place, of which either might be taken."""
        for key, count in Counter(map(key_of, self.entries)).items():
            if count > 1:
                raise ValueError(
                    f"{key[2]} on {key[0]}: {count} entries of the same budget and minibatch; "
                    "delete all but one"
                )
        return self


def read_tuned(path: Path | None = None) -> TunedFile:
    """Reads tuned options: of the file named, or of the working folder with those of genbench beside.

    A data set of which the working folder's file has any entry has those of that file alone, so that what is
    taken together was tuned together.

    Raises:
        SpecError: If there is no such file, or it is not one of tuned options.
    """
    return _join(_find_files(path))


def _find_files(path: Path | None) -> tuple[tuple[Path, int], ...]:
    """The files with their times, that of the working folder first."""
    files = list_shipped(FILE, path)
    if not files:
        raise SpecError(
            f"tuned: true needs {path or FILE}, which is not there; write it by: genbench tune --accept"
        )
    return tuple((file.resolve(), file.stat().st_mtime_ns) for file in files)


@lru_cache(maxsize=8)
def _join(files: tuple[tuple[Path, int], ...]) -> TunedFile:
    first, *others = (_read(*file) for file in files)
    own = {data_of(entry) for entry in first.entries}
    rest = [entry for other in others for entry in other.entries if data_of(entry) not in own]
    return TunedFile(entries=[*first.entries, *rest])


def read_all_tuned(path: Path | None = None) -> tuple[TunedEntry, ...]:
    """Returns the entries of both files, those too in whose place suites take others of their data set.

    Raises:
        SpecError: As `read_tuned` does.
    """
    return _join_all(_find_files(path))


def find_damaged_choices() -> list[str]:
    """Returns what is wrong with a file of tuned options that is there; rows are not marked as tuned then."""
    if not list_shipped(FILE):
        return []
    try:
        read_all_tuned()
    except SpecError as error:
        return [f"{error}; rows that were tuned are shown without that mark"]
    return []


def find_file(entry: TunedEntry, path: Path | None = None) -> Path:
    """Returns the file that an entry is of: the one named, the working folder's or the shipped one."""
    return next(file for file, time in _find_files(path) if entry in _read(file, time).entries)


@lru_cache(maxsize=8)
def _join_all(files: tuple[tuple[Path, int], ...]) -> tuple[TunedEntry, ...]:
    """Of several entries of one model, data set, budget and minibatch that of the first file."""
    entries: dict[Any, TunedEntry] = {}
    for file in files:
        for entry in _read(*file).entries:
            entries.setdefault(key_of(entry), entry)
    return tuple(entries.values())


def is_taken(path: Path) -> bool:
    """Returns whether `tuned: true` takes options from a file, if it is there."""
    return path.resolve() in {FILE.resolve(), *(file.resolve() for file in list_shipped(FILE))}


@lru_cache(maxsize=8)
def _read(path: Path, stamp: int) -> TunedFile:
    try:
        tree, data = parse_yaml(read_text(path), path, "file of tuned options")
        return TunedFile.model_validate(data)
    except OSError as error:
        text = " ".join(str(error.strerror or error).split())[:200]
        raise SpecError(f"{path} is not a usable file of tuned options: {text}") from None
    except ValidationError as error:
        raise SpecError(f"{path}:{describe_invalid(tree, TunedFile, error)}") from None


class _Brief(dict[str, Any]):
    """A table that is written in braces, whatever it holds."""


class _Dumper(yaml.SafeDumper):
    """Writes the file of tuned options."""


_Dumper.add_representer(
    _Brief,
    lambda dumper, table: dumper.represent_mapping(
        "tag:yaml.org,2002:map", table, flow_style=True
    ),
)


def write_tuned(
    path: Path, entries: Sequence[TunedEntry], trials: Path = Path("results/tuning")
) -> None:
    """Writes entries over those of the same model, data set, budget and batch; others stay.

    Arguments:
        path: The file.
        entries: The entries.
        trials: Where their trials lie, as the file's first line is to say.
    """
    file = TunedFile(entries=merge_entries(path, entries))
    content = file.model_dump(mode="json", by_alias=True, exclude_none=True)
    for entry in content["entries"]:
        if "rule" in entry:
            entry["rule"] = _Brief(entry["rule"])
    text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=110, default_flow_style=None)
    write_bytes(path, (HEAD.format(trials=" ".join(str(trials).split())) + text).encode())


def merge_entries(path: Path, entries: Sequence[TunedEntry]) -> list[TunedEntry]:
    """Returns what a file, or none, holds once entries are written to it, in the file's order."""
    before = _read(path, path.stat().st_mtime_ns).entries if path.is_file() else []
    by_key = {key_of(entry): entry for entry in [*before, *entries]}
    return [by_key[key] for key in sorted(by_key)]


def data_of(entry: TunedEntry | TuningRule) -> tuple[str, str]:
    """Returns the data set that was tuned on, with its options as text."""
    return entry.dataset, canonical(entry.dataset_options)


def rivals_of(entry: TunedEntry) -> tuple[str, str, str, float, int]:
    """Returns what an entry has in common with its rivals: data set, its options, budget and minibatch."""
    ((kind, amount),) = entry.budget.items()
    return *data_of(entry), kind, float(amount), entry.batch


def key_of(entry: TunedEntry) -> tuple[str, str, str, str, float, int]:
    """Returns what only one entry of a file may have: its model, and what it has in common with rivals."""
    dataset, own, kind, amount, batch = rivals_of(entry)
    return dataset, own, entry.model, kind, amount, batch


def find_outdated(entry: TunedEntry | TuningRule) -> str | None:
    """Returns which version of its model or data set, other than the installed, it is of, or None."""
    for registry, name, version in (
        (MODELS, entry.model, entry.model_version),
        (DATASETS, entry.dataset, entry.dataset_version),
    ):
        if name not in registry:
            return f"version {version} of {name}, which is not installed"
        data = registry is DATASETS
        installed = version_of(name, entry.dataset_options) if data else registry.get(name).version
        if installed != version:
            return f"version {version} of {name}, which is at version {installed}"
    return None


def choices_of(
    spec: CellSpec, path: Path | None = None, *, overridden: bool = False, defaults: bool = False
) -> list[TunedChoice]:
    """Returns the choices of tuning that a cell was trained by, of any budget; none without such a file.

    Options that were not tuned may be others than usual.

    Arguments:
        spec: Of the cell.
        path: The file of choices; None takes the usual one.
        overridden: Whether tuned options may have another value, where how it trains was tuned too: one, or
            all but one where step sizes were drawn, by which a cell is known; else defaults, some of
            which were chosen, would pass for tuned.
        defaults: Whether a search that chose the model's defaults counts, too.
    """
    try:
        entries = read_all_tuned(path)
    except SpecError:
        return []
    own = (spec.model, spec.model_version, spec.dataset, spec.dataset_version)
    of_data = canonical(spec.dataset_options)
    training = _training(spec.training.model_dump() if spec.training else {})
    overridden = overridden and spec.training is not None
    return [
        choice
        for entry in entries
        if own == (entry.model, entry.model_version, entry.dataset, entry.dataset_version)
        and of_data == canonical(entry.dataset_options)
        for choice in entry.choices.values()
        if (choice.trial or defaults) and training == _training(choice.training)
        if len(choice.options) - len(options_kept(spec, choice))
        <= (_count_free(choice) if overridden else 0)
    ]


def _count_free(choice: TunedChoice) -> int:
    """How many of its options may be others and the cell still be known by how it trains."""
    return max(1, len(choice.options) - 1) if choice.training.get("rates") else 1


def options_kept(spec: CellSpec, choice: TunedChoice) -> set[str]:
    """Returns the names of the tuned options that have their chosen value in a cell."""
    own = {name: canonical(spec.options.get(name)) for name in choice.options}
    return {name for name, value in choice.options.items() if own[name] == canonical(value)}


def _training(values: Mapping[str, Any]) -> str:
    return canonical({name: value for name, value in values.items() if value is not None})
