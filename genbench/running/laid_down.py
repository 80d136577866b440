"""Since when runs and parts of a claim have stood as they do, and when what they read was first scored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from genbench.core.claim import Claim
from genbench.core.model import MODELS
from genbench.running.evidence import ClaimEvidence
from genbench.running.planted import RANGES, PlantedEvidence, read_planted
from genbench.running.same_terms import MADE_ANEW, differing, has_content, is_part, list_ignored
from genbench.running.scale import SCALES, Scale
from genbench.store import Store
from genbench.store.git import date_files
from genbench.store.moments import earliest, moment
from genbench.store.registrations import Registration
from genbench.store.trial import Trials

#: when a file was scored, by what it says itself
Clock = Callable[[Path, str], str]


@dataclass(frozen=True)
class Late:
    """A run, an experiment or a part that was laid down when what it reads had been scored.

    Arguments:
        laid_down: When it was laid down as it is.
        scored: When the first of the scores was begun.
        replaced: What it took the place of, if the scores are that one's.
    """

    laid_down: str
    scored: str
    replaced: str = ""


@dataclass(frozen=True)
class FirstScores:
    """When the first scores of a claim were begun, at any budget.

    Arguments:
        runs: By the place of a run in the claim, as far as it has been scored. Rows of reference, which learn
            nothing and have no say in who wins, are left out.
        experiment: That of its experiment.
    """

    runs: Mapping[int, str | None]
    experiment: str | None

    @property
    def first(self) -> str | None:
        """The earliest of all."""
        return earliest([*self.runs.values(), self.experiment])


@dataclass(frozen=True)
class ScoredFile:
    """A file with scores of a claim.

    Arguments:
        run: The place of its run in the claim; None for the experiment's.
        path: Where it lies.
        started: When it was begun, as it says itself.
    """

    run: int | None
    path: Path
    started: str


def list_scored(claim: Claim, store: Store) -> list[ScoredFile]:
    """Returns the files of all that a claim reads, at any budget."""
    files: list[ScoredFile] = []
    for name in SCALES:
        scale = Scale(name)
        evidence = ClaimEvidence(claim, store, scale)
        for k, run in enumerate(claim.runs):
            if MODELS.get(run.model).taxonomy != "reference":
                files += [
                    ScoredFile(k, store.path(r.spec), r.begun) for r in evidence.records(run)
                ]
        if claim.experiment is not None and (trial := evidence.trial()).started:
            path = Trials(store.root).path(claim, scale.options(claim))
            files.append(ScoredFile(None, path, trial.started))
    return files


def find_first_scores(files: Sequence[ScoredFile], clock: Clock) -> FirstScores:
    """Returns when what a claim reads was first scored, by a clock."""
    times: dict[int | None, list[str]] = defaultdict(list)
    for file in files:
        times[file.run].append(clock(file.path, file.started))
    first = {place: earliest(some) for place, some in times.items()}
    experiment = first.pop(None, None)
    return FirstScores({k: at for k, at in first.items() if k is not None}, experiment)


class Commits:
    """When the files of a results folder were scored at the latest: git has them since then.

    Arguments:
        store: The folder.
    """

    def __init__(self, store: Store) -> None:
        self.dates = date_files(store.root)
        self._resolve = cache(Path.resolve)

    def written(self, path: Path, started: str) -> str:
        """Returns what a file says, or when git first had it where that was before."""
        return earliest([started, self.committed(path, started)]) or ""

    def committed(self, path: Path, started: str) -> str:
        """Returns when git first had a file; "" where it has not."""
        return self.dates.get(self._resolve(path.parent) / path.name, "")


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
        since = _since(history, lambda old, k=k: _has_run(old.terms["runs"], descriptions[k]))
        if scored is not None and moment(since) > moment(scored):
            yield Late(since, scored)
    if scores.experiment is not None:
        own = terms.get("experiment")
        since = _since(history, lambda old: old.terms.get("experiment") == own)
        if moment(since) > moment(scores.experiment):
            yield Late(since, scores.experiment)
    if scores.first is not None:
        yield from _find_late_parts(claim, terms["parts"], scores, history)


def _find_late_parts(
    claim: Claim,
    parts: Sequence[Mapping[str, Any]],
    scores: FirstScores,
    history: Sequence[Registration],
) -> Iterator[Late]:
    """Yields the parts that were laid down, or left out, when scores were at hand."""
    scored, rule = scores.first or "", history[-1].rule
    for k in range(len(parts)):
        since = _since(
            history,
            lambda old, k=k: (
                _has_part(old, rule, k, parts) and _has_as_then(old, parts[k], history)
            ),
        )
        if moment(since) <= moment(scored):
            continue
        if not _reads_only_what_came_later(claim, k, since, scores):
            yield Late(since, scored)
    for since in _find_left_out(parts, history):
        if moment(since) > moment(scored):
            yield Late(since, scored)


def _find_left_out(
    parts: Sequence[Mapping[str, Any]], history: Sequence[Registration]
) -> Iterator[str]:
    """Yields when parts were left out that an earlier registration has and the last has not.

    Only where there are fewer parts than there were: one that was changed stands among today's.
    """
    for k, registration in enumerate(history[:-1]):
        own = registration.terms["parts"]
        if not registration.intact or len(own) <= len(parts):
            continue
        for part in own:
            stays = [
                any(
                    is_part(part, other, list_ignored(registration.rule, later.rule))
                    for other in later.terms["parts"]
                )
                for later in history[k + 1 :]
            ]
            if has_content(part) and not stays[-1]:
                last = max((i for i, there in enumerate(stays) if there), default=-1)
                yield history[k + 1 + last + 1].date


def _since(history: Sequence[Registration], stands_in: Callable[[Registration], bool]) -> str:
    """When something was registered from which on every registration has it, the last one at worst.

    Registrations that are not as they were hashed, or were made with scores at hand, count for nothing.
    """
    last = history[-1]
    since = last.date
    for registration in reversed(history[:-1]):
        sound = registration.intact and registration.seen is None
        if not sound or not stands_in(registration):
            break
        since = registration.date
    return since


def _has_part(old: Registration, rule: str, k: int, parts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a registration has the k-th of a claim's parts by a rule; wording is of no account.

    It has it at the same place, or at any where all its parts are there still, so that it was added to.
    """
    own, ignored = old.terms["parts"], list_ignored(old.rule, rule)
    if k < len(own) and is_part(own[k], parts[k], ignored):
        return True
    there = [
        has_content(one) and any(is_part(one, part, ignored) for part in parts) for one in own
    ]
    had = sum(is_part(one, parts[k], ignored) for one in own)
    return all(there) and had >= sum(is_part(parts[k], one, ignored) for one in parts[: k + 1])


def _has_as_then(
    old: Registration, part: Mapping[str, Any], history: Sequence[Registration]
) -> bool:
    """Whether a registration has a part as the last one had it before a rule made something of it anew.

    What such a rule lets differ must not hide what was changed between two registrations before it.
    """
    anew, rule = {*MADE_ANEW.values()}, history[-1].rule
    last = next(one for one in reversed(history) if not anew & list_ignored(old.rule, one.rule))
    if last is history[-1]:
        return True
    then, ignored = last.terms["parts"], list_ignored(last.rule, rule)
    places = [j for j, one in enumerate(then) if is_part(one, part, ignored)]
    return any(_has_part(old, last.rule, j, then) for j in places)


def _has_run(runs: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any]) -> bool:
    return any(not differing(old, run) for old in runs.values())


def _reads_only_what_came_later(claim: Claim, k: int, since: str, scores: FirstScores) -> bool:
    """Whether the k-th judged part has a value where nothing that was scored before a date has one."""

    def later(scored: str | None) -> bool:
        return scored is None or moment(scored) > moment(since)

    runs = [run for i, run in enumerate(claim.runs) if later(scores.runs.get(i))]
    tried = claim.experiment is not None and later(scores.experiment)
    for span in RANGES:
        evidence = PlantedEvidence(claim.runs, span, runs, tried)
        parts = read_planted(claim, evidence)
        if parts is not None:
            return k < len(parts) and bool(parts[k].values)
    return False
