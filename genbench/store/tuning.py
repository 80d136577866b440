"""Trials of tuning: one sealed file per model, data set and rule, a line per trial."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from genbench.core.files import read_file, write_bytes
from genbench.core.spec import Budget, canonical
from genbench.store.folder import Store
from genbench.store.record import Moment, Row
from genbench.store.trial import first_problem, scan_folder

SCHEMA = "genbench.tuning/1"
FOLDER = "tuning"
#: the sampler whose trials are drawn at random, each independent of the others
DRAWN = "random"


class Criterion(Row):
    """A column of a metric, with its options, by which trials are compared."""

    column: str
    metric: str
    version: int
    options: dict[str, Any] = {}
    better: Literal["lower", "higher"] = "lower"


class SharedRule(Row):
    """What the rules of all models of a data set have in common, beside their budget and their sampler.

    `version` is that of the halving by several criteria; absent for a model with one.
    """

    version: int | None = None
    criteria: dict[str, Criterion]
    samples: int
    features: str | None = None
    seeds: int
    bracket: int
    rungs: list[float]
    keep: float


class TuningRule(Row):
    """All that trials of one file have in common; `digits`, its hash, is a part of the file's name."""

    #: of the halving and of the samplers; raised when either changes. By 2 each of several criteria sends
    #: trials of its own to the last rung
    version: int = 1
    model: str
    model_version: int
    dataset: str
    dataset_version: int
    dataset_options: dict[str, Any] = {}
    base: dict[str, Any] = {}
    space: dict[str, list[Any]]
    sampler: str
    budget: Budget
    batch: int
    criteria: dict[str, Criterion]
    samples: int
    features: str | None = None
    seeds: int
    bracket: int
    rungs: list[float]
    keep: float

    @property
    def digits(self) -> str:
        """12 hexadecimal digits of the sha256 of its canonical JSON."""
        dump = self.model_dump(exclude_none=True)
        return hashlib.sha256(canonical(dump).encode()).hexdigest()[:12]

    @property
    def shared(self) -> SharedRule:
        """What other models' rules must have, too, so that all are tuned alike."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in SharedRule.model_fields}
        fields["version"] = self.version if len(self.criteria) > 1 else None
        return SharedRule(**fields)

    @property
    def data(self) -> str:
        """The data set with its options, for people."""
        own = ", ".join(f"{key}={value}" for key, value in sorted(self.dataset_options.items()))
        return f"{self.dataset} ({own})" if own else self.dataset

    @property
    def file(self) -> str:
        """The name of the file of its trials."""
        return f"{self.model}-{self.dataset}-{self.digits}.json"


class Rung(Row):
    """A trial at a share of its budget: scores by criterion and seed; null where there is none.

    `seconds` is all training so far, of all seeds of the stack together; `scoring` what this rung's
    measurements took.
    """

    step: int
    examples: int
    seconds: float
    scoring: float
    scores: dict[str, dict[int, float | None]]
    reasons: dict[int, str] = {}

    @property
    def seeds(self) -> set[int]:
        """The seeds that were scored, or have none."""
        return {seed for by in self.scores.values() for seed in by}

    def joined(self, other: Rung) -> Rung:
        """Returns this rung with the other's seeds, which count where both have one.

        Times are those of both where they have no seed in common, as when a stack was cut in halves.
        """
        scores = {
            name: self.scores.get(name, {}) | values for name, values in other.scores.items()
        }
        reasons = {seed: why for seed, why in self.reasons.items() if seed not in other.seeds}
        both: dict[str, Any] = {"scores": scores, "reasons": reasons | other.reasons}
        if self.seeds.isdisjoint(other.seeds):
            both["seconds"] = self.seconds + other.seconds
            both["scoring"] = self.scoring + other.scoring
        return other.model_copy(update=both)


class TuningTrial(Row):
    """One choice of options: `hash` is that of its cells but for the seed."""

    k: int
    hash: str
    options: dict[str, Any] = {}
    training: dict[str, Any] = {}
    seeds: list[int]
    rungs: list[Rung] = []
    #: by seed, why it could not be trained or measured at all
    failures: dict[int, str] = {}

    def complete(self, rung: int) -> bool:
        """Returns whether every seed has reached a rung, or failed."""
        reached = set(self.failures)
        if rung < len(self.rungs):
            reached |= self.rungs[rung].seeds
        return set(self.seeds) <= reached


class TuningResult(Row):
    """What a job gives back: a trial with one new rung, at its place, or failures."""

    rule: TuningRule
    trial: TuningTrial
    rung: int
    floors: dict[str, float | None] = {}
    protocols: dict[str, str] = {}
    environment: dict[str, Any] = {}
    started: Moment = ""

    @property
    def seeds(self) -> set[int]:
        """The seeds that were tried."""
        return {seed for rung in self.trial.rungs for seed in rung.seeds} | set(
            self.trial.failures
        )

    @property
    def failures(self) -> dict[int, str]:
        """By seed, why there is nothing."""
        return self.trial.failures

    @property
    def unscored(self) -> dict[int, str]:
        """By seed, why it was trained and has no score by one of the criteria."""
        return {
            seed: rung.reasons.get(seed, "it has no score")
            for rung in self.trial.rungs
            for by in rung.scores.values()
            for seed, value in by.items()
            if value is None
        }

    @property
    def seconds(self) -> float:
        """Training up to the new rung, and its scoring."""
        return sum(rung.seconds + rung.scoring for rung in self.trial.rungs)


class TuningFile(Row):
    """The trials of a model on a data set under one rule.

    `floors` are the scores of training points in place of samples, `protocols` the sentences that
    belong to the numbers, `environments` where trials were made.
    """

    schema_: str = Field(default=SCHEMA, alias="schema")
    seal: str = ""
    rule: TuningRule
    floors: dict[str, float | None] = {}
    protocols: dict[str, str] = {}
    environments: list[dict[str, Any]] = []
    started: Moment = ""
    trials: list[TuningTrial] = []

    @property
    def by_number(self) -> dict[int, TuningTrial]:
        """The trials by their numbers."""
        return {trial.k: trial for trial in self.trials}

    @property
    def seconds(self) -> float:
        """What all trials took, training and scoring."""
        return sum(
            trial.rungs[-1].seconds + sum(rung.scoring for rung in trial.rungs)
            for trial in self.trials
            if trial.rungs
        )

    def with_result(self, result: TuningResult) -> TuningFile:
        """Returns the file with a rung more."""
        before = self.by_number.get(result.trial.k)
        trial = result.trial
        if before is not None:
            rungs = [*before.rungs]
            for new in trial.rungs:
                old = rungs[result.rung] if result.rung < len(rungs) else None
                rungs[result.rung :] = [old.joined(new) if old is not None else new]
            failures = {s: why for s, why in before.failures.items() if s not in result.seeds}
            trial = before.model_copy(
                update={"rungs": rungs, "failures": failures | trial.failures}
            )
        others = [other for other in self.trials if other.k != trial.k]
        machine = [*self.environments]
        if result.environment and result.environment not in machine:
            machine.append(result.environment)
        about = {
            "trials": sorted([*others, trial], key=lambda one: one.k),
            "floors": self.floors | result.floors,
            "protocols": self.protocols | result.protocols,
            "environments": machine,
            "started": self.started or result.started,
        }
        return self.model_copy(update=about)


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
