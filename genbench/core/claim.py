"""Claims: sentences from the literature, the runs or the experiment they need, and their effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Literal

from genbench.core import options
from genbench.core.declarations import (
    FLAG,
    TEXT,
    TEXTS,
    VERSION,
    WHOLE,
    Need,
    check_values,
    where,
)
from genbench.core.effect import Effect
from genbench.core.elsewhere import Elsewhere, mark
from genbench.core.errors import ContractError
from genbench.core.evidence import Evidence, Run
from genbench.core.figure import Figure
from genbench.core.registry import Registry
from genbench.core.rng import Rng

#: where the seeds of a claim begin that is tested anew, beyond the last of all looks; of one that is tested
#: anew once more, twice as many, and so on
NEW_SEEDS = 100

Outcome = Literal["supported", "refuted", "mixed", "inconclusive", "by definition"]


#: maps (rng, **options) to columns of one value per seed, in the order of the rng's seeds: infinite on the
#: side that is worse where a seed diverged, NaN where a value does not exist because no event happened
Experiment = Callable[..., Mapping[str, Sequence[float]]]


@dataclass(frozen=True)
class Claim:
    """A registered claim.

    Arguments:
        name: The registered name, its file's name.
        function: Maps an Evidence to effects, which the engine judges; no verdict is typed in.
        statement: The claim as one sentence.
        source: Who says so.
        why: Why it is tested the way it is.
        runs: Cells that its verdict rests on.
        beside: Cells that are read for effects alone that are shown beside: they are no part of what is
            registered, and a verdict that rests on one of them is exploratory.
        experiment: What it measures itself, where cells of models and data sets do not suffice.
        seeds: How many seeds the experiment takes.
        first_seed: The first seed of all that it reads, 0 or a multiple of `NEW_SEEDS`: a claim that was laid
            down when scores were at hand is tested anew by seeds that no look has reached. An experiment
            that is otherwise the same needs a higher `version` for it.
        quick: Options of the experiment for a quick pass.
        scaled: Options of the experiment that half or twice the budget multiplies.
        timed: Whether the experiment measures times, so that nothing else may run meanwhile.
        seed_by_seed: Whether the experiment makes its seeds one after the other, so that nothing is lost by
            making them apart: workers share them, and what an interrupted run has made of them is kept.
        literature: What others found, each with its source.
        threats: What may make the verdict wrong.
        figure: Its plot, of the same evidence; without it the effects alone are drawn.
        by_metric: The effects with another metric in place of the claim's own, by its name; the
            verdict of each is listed beside.
        notes: By verdict, what a second look found where that verdict goes against the claim or
            against what others found.
        outsiders: Models of its runs that are not in the list of entrants (`core/entrants.py`), each with the
            reason for which the claim needs it.
        version: Raised whenever a change may move what the experiment gives.
        elsewhere: Other data sets on which the same is read; `runs`, `function` and `by_metric` have
            their cells and effects too.
        null_exemptions: By column that its judged effects read, why no null row need be worse by it, as of
            times and of accuracies of labels; others are checked, or the card says that they are not.
        digits_alone: Why it is read on digits, or on data made of them, and not on Fashion-MNIST.
    """

    name: str
    function: Callable[[Evidence], Sequence[Effect]]
    statement: str
    source: str
    why: str
    runs: tuple[Run, ...] = ()
    beside: tuple[Run, ...] = ()
    experiment: Experiment | None = None
    seeds: int = 8
    quick: Mapping[str, Any] = field(default_factory=dict)
    scaled: tuple[str, ...] = ()
    timed: bool = False
    seed_by_seed: bool = False
    literature: tuple[str, ...] = ()
    threats: tuple[str, ...] = ()
    figure: Callable[[Evidence], Figure] | None = None
    by_metric: Callable[[Evidence], Mapping[str, Sequence[Effect]]] | None = None
    notes: Mapping[Outcome, str] = field(default_factory=dict)
    outsiders: Mapping[str, str] = field(default_factory=dict)
    version: int = 1
    first_seed: int = 0
    elsewhere: tuple[Elsewhere, ...] = ()
    null_exemptions: Mapping[str, str] = field(default_factory=dict)
    digits_alone: str = ""

    @property
    def all_runs(self) -> tuple[Run, ...]:
        """All cells that it reads."""
        return (*self.runs, *self.beside)

    @property
    def id(self) -> str:
        """The name as people read it, with hyphens."""
        return self.name.replace("_", "-")

    def measure(self, rng: Rng, **settings: Any) -> dict[str, dict[int, float]]:
        """Runs the experiment with these options; returns its columns, one value per seed.

        Raises:
            ContractError: If a column does not have one value per seed.
        """
        if self.experiment is None:
            raise ContractError(
                f"claim {self.id} needs an experiment to be measured, it has only runs"
            )
        chosen = options.resolve(self.experiment, settings, who=f"claim {self.id}")
        columns = self.experiment(rng, **chosen)
        for column, values in columns.items():
            if len(values) != len(rng):
                raise ContractError(
                    f"claim {self.id} needs one value per seed in {column!r}, "
                    f"got {len(values)} for {len(rng)} seeds"
                )
        return {
            column: dict(zip(rng.seeds, map(float, values), strict=True))
            for column, values in columns.items()
        }


CLAIMS: Registry[Claim] = Registry("claim", "genbench.claims")
RUNS: Need = (
    lambda runs: isinstance(runs, (tuple, list)) and all(isinstance(r, Run) for r in runs),
    "a tuple of Runs",
)
#: what a claim says of itself, and what is allowed
DECLARED: dict[str, Need] = {
    "statement": TEXT,
    "source": TEXT,
    "why": TEXT,
    "runs": RUNS,
    "beside": RUNS,
    "seeds": WHOLE,
    "first_seed": WHOLE,
    "version": VERSION,
    "scaled": TEXTS,
    "timed": FLAG,
    "literature": TEXTS,
    "threats": TEXTS,
}


def claim(
    name: str, **about: Any
) -> Callable[[Callable[[Evidence], Sequence[Effect]]], Callable[[Evidence], Sequence[Effect]]]:
    """Returns a decorator that registers what yields a claim's effects.

    Arguments:
        name: The file's name; hyphens take the underscores' place in `genbench claims`.
        about: The fields of `Claim`.
    """

    def register(
        function: Callable[[Evidence], Sequence[Effect]],
    ) -> Callable[[Evidence], Sequence[Effect]]:
        entry = Claim(name, _check_effects(name, function), **about)
        check_values("claim", name, function, DECLARED, of=entry)
        CLAIMS.add(name, _read_everywhere(_check_seeds(entry)))
        return function

    return register


def _check_effects(
    name: str, function: Callable[[Evidence], Sequence[Effect]]
) -> Callable[[Evidence], list[Effect]]:
    """A claim's function, of which whatever else than effects comes is refused with the file."""

    @wraps(function)
    def effects(evidence: Evidence) -> list[Effect]:
        rows: Any = function(evidence)
        rows = list(rows) if isinstance(rows, Iterable) else rows
        if not isinstance(rows, list) or not all(isinstance(row, Effect) for row in rows):
            raise ContractError(
                f"claim {name!r} ({where(function)}) needs to return Effects, got {rows!r}"
            )
        return rows

    return effects


def _check_seeds(claim: Claim) -> Claim:
    if claim.first_seed < 0 or claim.first_seed % NEW_SEEDS:
        raise ContractError(
            f"claim {claim.id} needs first_seed 0 or a multiple of {NEW_SEEDS}, got {claim.first_seed}"
        )
    return claim


def _read_everywhere(claim: Claim) -> Claim:
    """Returns a claim with the cells and effects of all data sets on which it is read."""
    if not claim.elsewhere:
        return claim
    home = ", ".join(dict.fromkeys(run.dataset for run in claim.runs))
    runs, places, by_metric = list(claim.runs), claim.elsewhere, claim.by_metric
    for moved in (place.move(run) for place in places for run in claim.runs):
        runs += [] if moved in runs else [moved]

    @wraps(claim.function)
    def effects(evidence: Evidence) -> list[Effect]:
        rows = mark(claim.function(evidence), home)
        for place in places:
            read = place.effects or claim.function
            rows += place.name(read(place.of(evidence)))
        return rows

    def effects_by_metric(evidence: Evidence) -> dict[str, list[Effect]]:
        assert by_metric is not None
        rows = {name: mark(effects, home) for name, effects in by_metric(evidence).items()}
        for place in places:
            for name, effects in by_metric(place.of(evidence)).items():
                rows[name] += place.name(effects)
        return rows

    both = effects_by_metric if by_metric is not None else None
    return replace(claim, function=effects, runs=tuple(runs), by_metric=both)


def find(names: Sequence[str] = ()) -> dict[str, Claim]:
    """Returns claims by id (hyphens or underscores), all of them if none is named.

    Raises:
        UnknownName: With the nearest match.
    """
    chosen = [name.replace("-", "_") for name in names] or [*CLAIMS.all()]
    return {one.id: one for one in map(CLAIMS.get, chosen)}
