"""Since when runs and parts of a claim have stood as they do, and when what they read was first scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from genbench.core.claim import Claim, Run
from genbench.core.model import MODELS
from genbench.running.evidence import SCALES, ClaimEvidence, Scale
from genbench.store import Store
from genbench.store.registrations import Registration

#: what was added to parts by a later rule: of no account where the registration is of an earlier one
BY_RULE = ("by_definition", "exact", "jump", "resolution")


@dataclass(frozen=True)
class Late:
    """A run, an experiment or a part that was laid down when what it reads had been scored.

    Arguments:
        laid_down: When it was laid down as it is.
        scored: When the first of the scores was begun.
    """

    laid_down: str
    scored: str


@dataclass(frozen=True)
class FirstScores:
    """When the first scores of a claim were begun, at any budget.

    Arguments:
        runs: By the place of a run in the claim; None of what has not been scored. Rows of reference, which
            learn nothing and have no say in who wins, are left out.
        experiment: That of its experiment.
    """

    runs: Mapping[int, str | None]
    experiment: str | None

    @property
    def first(self) -> str | None:
        """The earliest of all."""
        times = [time for time in (*self.runs.values(), self.experiment) if time is not None]
        return min(times, key=moment, default=None)


@dataclass(frozen=True)
class Planted:
    """Evidence in which some of a claim's runs have numbers that say nothing.

    Arguments:
        runs: Those that have.
        experiment: Whether the experiment has.
    """

    runs: Sequence[Run]
    experiment: bool

    def scores(self, run: Run, column: str) -> Mapping[int, float]:
        """Returns numbers between 0 and 1."""
        return _numbers(run.seeds) if run in self.runs else {}

    def finished(self, run: Run) -> list[int]:
        """Returns all seeds."""
        return list(range(run.seeds)) if run in self.runs else []

    def measured(self, column: str) -> Mapping[int, float]:
        """Returns numbers between 0 and 1."""
        return _numbers(8) if self.experiment else {}


def read_first_scores(claim: Claim, store: Store) -> FirstScores:
    """Returns when what a claim reads was first scored."""
    runs: dict[int, str | None] = {}
    trials: list[str] = []
    for name in SCALES:
        evidence = ClaimEvidence(claim, store, Scale(name))
        for k, run in enumerate(claim.runs):
            if MODELS.get(run.model).taxonomy != "reference":
                times = [r.started for r in evidence.records(run) if r.started]
                times += [before] if (before := runs.get(k)) else []
                runs[k] = min(times, key=moment, default=None)
        if claim.experiment is not None and (started := evidence.trial().started):
            trials.append(started)
    return FirstScores(runs, min(trials, key=moment, default=None))


def find_late(
    claim: Claim,
    terms: Mapping[str, Any],
    descriptions: Sequence[Mapping[str, Any]],
    scores: FirstScores,
    history: Sequence[Registration],
) -> Iterator[Late]:
    """Yields what was laid down when scores were at hand.

    A registration that only adds to the one before leaves the rest as old as it was: runs and the
    experiment must be older than their first scores, and a part than those of all that it reads.

    Arguments:
        claim: The claim.
        terms: Its terms of today, which the last registration has.
        descriptions: What terms say of its runs, in their order.
        scores: When they were first scored.
        history: Its registrations, oldest first.
    """
    for k, scored in scores.runs.items():
        since = _since(history, lambda old, k=k: descriptions[k] in old["runs"].values())
        if scored is not None and moment(since) > moment(scored):
            yield Late(since, scored)
    if scores.experiment is not None:
        own = terms.get("experiment")
        since = _since(history, lambda old: old.get("experiment") == own)
        if moment(since) > moment(scores.experiment):
            yield Late(since, scores.experiment)
    for k, part in enumerate(terms["parts"]):
        since = _since(history, lambda old, k=k, part=part: _has_part(old["parts"], k, part))
        scored = scores.first
        if scored is None or moment(since) <= moment(scored):
            continue
        if not _reads_only_what_came_later(claim, k, since, scores):
            yield Late(since, scored)


def _since(history: Sequence[Registration], stands_in: Callable[[Mapping[str, Any]], bool]) -> str:
    """When something was registered from which on every registration has it, the last one at worst.

    Registrations that are not as they were hashed, or were made with scores at hand, count for nothing.
    """
    last = history[-1]
    since = last.date
    for registration in reversed(history[:-1]):
        sound = registration.intact and registration.seen is None
        if not sound or not stands_in(registration.terms):
            break
        since = registration.date
    return since


def _has_part(parts: Sequence[Mapping[str, Any]], k: int, part: Mapping[str, Any]) -> bool:
    """Whether the k-th of a registration's parts has this one's bar; wording is of no account."""
    names = {"effect", *BY_RULE}
    return k < len(parts) and all(
        parts[k].get(name) == part.get(name) for name in {*parts[k], *part} - names
    )


def _reads_only_what_came_later(claim: Claim, k: int, since: str, scores: FirstScores) -> bool:
    """Whether the k-th judged part has a value where nothing that was scored before a date has one."""

    def later(scored: str | None) -> bool:
        return scored is None or moment(scored) > moment(since)

    runs = [run for i, run in enumerate(claim.runs) if later(scores.runs.get(i))]
    evidence = Planted(runs, claim.experiment is not None and later(scores.experiment))
    try:
        parts = [effect for effect in claim.function(evidence) if effect.judged]
    except (
        ArithmeticError,
        LookupError,
        ValueError,
    ):  # numbers that say nothing are no such scores
        return False
    return k < len(parts) and bool(parts[k].values)


def _numbers(seeds: int) -> dict[int, float]:
    return {seed: 0.5 + 0.4 * (seed + 1) / (seeds + 1) for seed in range(seeds)}


def moment(text: str) -> datetime:
    """Returns a date as a moment; without a zone it is of UTC."""
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)
