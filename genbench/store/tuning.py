"""Trials of tuning: rules, rungs, trials and what a file of them holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from pydantic import Field

from genbench.core.spec import Budget, canonical
from genbench.store.record import Moment, Row

SCHEMA = "genbench.tuning/1"
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
        return describe_data(self)

    @property
    def file(self) -> str:
        """The name of the file of its trials."""
        return f"{self.model}-{self.dataset}-{self.digits}.json"


class Rung(Row):
    """A trial at a share of its budget: scores by criterion and seed; null where there is none.

    `seconds` is all training that led here, of all seeds of the stack together: that of earlier rungs too,
    whose checkpoint it went on from, and where that was lost, that of the same rounds made anew. `spent` is
    what this rung's own job trained; older files lack it. `scoring` is what its measurements took.
    """

    step: int
    examples: int
    seconds: float
    scoring: float
    spent: float | None = Field(default=None, exclude_if=lambda spent: spent is None)
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
            known = self.spent is not None and other.spent is not None
            both["spent"] = (self.spent or 0.0) + (other.spent or 0.0) if known else None
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

    @property
    def seconds(self) -> float:
        """What it took, training and scoring.

        Where a file does not tell what a rung's own job trained, it is what `seconds` has grown by since the
        rung before. Where they fell, the rung was trained anew, and all of its seconds are its own; one that
        was trained anew and took longer than all before it cannot be told from one that went on.
        """
        total = before = 0.0
        for rung in self.rungs:
            grown = rung.seconds - (before if rung.seconds >= before else 0.0)
            total += rung.scoring + (grown if rung.spent is None else rung.spent)
            before = rung.seconds
        return total

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
        """What it took, training and scoring."""
        return self.trial.seconds


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
        return sum(trial.seconds for trial in self.trials)

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


class _OfData(Protocol):
    """What names a data set with its options."""

    @property
    def dataset(self) -> str: ...

    @property
    def dataset_options(self) -> Mapping[str, Any]: ...


def describe_data(one: _OfData) -> str:
    """Returns a data set with its options, for people, e.g. "super_resolution (scale=2)"."""
    own = ", ".join(f"{key}={value}" for key, value in sorted(one.dataset_options.items()))
    return f"{one.dataset} ({own})" if own else one.dataset
