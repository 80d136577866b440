"""Whether a claim was registered before it was scored, and what has changed since."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from genbench.core.claim import Claim
from genbench.core.errors import SpecError
from genbench.core.registry import list_plugin_words
from genbench.running.claim_cells import specs_of
from genbench.running.claim_terms import compare_terms, describe_run, list_terms, seeds_of
from genbench.running.dependencies import list_judged_columns
from genbench.running.laid_down import Commits, Late, find_first_scores, find_late, list_scored
from genbench.running.other_defaults import find_other_defaults
from genbench.running.places import arrange_runs
from genbench.running.replaced import find_replaced
from genbench.running.same_terms import list_ignored
from genbench.statistics.verdicts import RULE
from genbench.store import Store
from genbench.store.environment import now, running_commit
from genbench.store.locks import changing
from genbench.store.moments import moment, to_minute
from genbench.store.registration_history import GitHistory
from genbench.store.registrations import (
    FILE,
    Registration,
    Registrations,
    hash_terms,
    read_registrations,
    write_registrations,
)

#: how the reasons begin that are changes of a claim's terms
CHANGED = "changed since it was registered: "


@dataclass(frozen=True)
class Standing:
    """How a claim stands to its registration.

    Arguments:
        registration: The first from which on all have the terms of today, the last one at worst, or None.
        first_score: When the first of its scores was begun, or None without any.
        extended: Whether that one only added to what had been scored by then.
        reasons: Why its verdict is exploratory; none where it is confirmatory.
        in_git: Whether git tells since when it is registered; else the date is as it was written.
        changes: Those of the reasons that registering it anew does away with while it has no score.
        first_seeds: With which seeds its tests began, in the order in which they were registered.
    """

    registration: Registration | None
    first_score: str | None
    reasons: tuple[str, ...] = ()
    extended: bool = False
    in_git: bool = False
    changes: tuple[str, ...] = ()
    first_seeds: tuple[int, ...] = ()

    @property
    def repeated(self) -> str:
        """That it is tested anew by other seeds, and which earlier tests had, or "" of a first test."""
        *before, last = self.first_seeds or (0,)
        if not before:
            return ""
        earlier = ", ".join(map(str, before))
        return f"test {len(self.first_seeds)}, by seeds from {last} on; earlier ones began with {earlier}"

    @property
    def exploratory(self) -> bool:
        """Whether the verdict cannot count as a test of what was laid down before."""
        return bool(self.reasons)

    def foretell(self, claim: str) -> str | None:
        """Returns why the first score of a claim will be exploratory, and what mends that; None if it won't.

        Arguments:
            claim: Its id.
        """
        if not self.reasons:
            return None
        what = "its verdict will be exploratory"
        own = list_plugin_words([("claim", claim.replace("-", "_"))])
        cure = f"before it is run: {shlex.join(['genbench', 'claims', claim, '--register', *own])}"
        if self.registration is None and self.first_score is None:
            return f"never; {what}; register it {cure}"
        date = self.registration.date[:10] if self.registration is not None else "never"
        if self.reasons != self.changes or self.first_score is not None:
            return f"{date}; {what}: {'; '.join(self.reasons)}"
        changes = "; ".join(change.removeprefix(CHANGED) for change in self.changes)
        return f"{date}, and changed since: {changes}; {what}; register it anew {cure}"


def find_standing(
    claim: Claim, store: Store, registrations: Registrations, history: GitHistory | None = None
) -> Standing:
    """Returns whether a claim's verdict is exploratory, and why.

    It is unless the last registration has the claim's terms of today, and all that they hold was laid down
    before what it reads was scored: a registration that only adds parts, and runs for them, leaves the
    others as old as they were. A rule of verdicts that is declared to have replaced another for all
    claims alike changes nothing.

    Arguments:
        claim: The claim.
        store: The results folder.
        registrations: Those that are known.
        history: What git knows of them, without which their dates are as written.
    """
    own = registrations.claims.get(claim.id, [])
    if history is not None:
        own, registrations = history.complete(claim.id, own), history.declared(registrations)
    claim = arrange_runs(claim, own[-1].terms) if own else claim
    commits, files = Commits(store), list_scored(claim, store)
    scores = find_first_scores(files, commits.written)
    first = scores.first
    if not own:
        return Standing(None, first, ("it was never registered",))
    last, terms = own[-1], list_terms(claim)
    rules = [] if registrations.accepts(last.rule, RULE) else [f"rule: {last.rule}, now {RULE}"]
    compared = compare_terms(last.terms, terms, list_ignored(last.rule, RULE))
    changes = (*rules, *(f"{CHANGED}{change}" for change in compared))
    reasons = [f"the registration of {last.date[:10]} {last.fault}"] if last.fault else []
    reasons += changes
    reasons += [
        f"a part of the verdict reads {run}, which is shown beside and not registered"
        for run in dict.fromkeys(
            str(r) for r, _ in list_judged_columns(claim) if r in claim.beside
        )
    ]
    usable = [r for r in own[:-1] if registrations.accepts(r.rule, RULE)] + [last]
    runs = [describe_run(run) | seeds_of(claim) for run in claim.runs]
    late = list(find_late(claim, terms, runs, scores, usable))
    reasons += _say_late(late, own)
    if history is not None and not late:
        by_git = find_first_scores(files, commits.committed)
        late = find_late(claim, terms, runs, by_git, history.at_commits(usable))
        reasons += _say_late_in_git(list(late))
    reasons += [
        f"registered {to_minute(one.laid_down)} in the place of {one.replaced}, which had been scored since "
        f"{to_minute(one.scored)}"
        for one in find_replaced(claim, usable, store, registrations.allows, commits.written)
    ]
    reasons += [
        f"{one.run} was scored {to_minute(one.scored)} with {one.words}, which its registration leaves open"
        for one in find_other_defaults(claim, usable, store, registrations)
    ]
    since = _find_first_alike(usable)
    extended = first is not None and not reasons and moment(since.date) > moment(first)
    in_git = history is not None and history.knows(since)
    seeds = _list_first_seeds(own)
    return Standing(since, first, tuple(reasons), extended, in_git, changes, seeds)


def _list_first_seeds(history: Sequence[Registration]) -> tuple[int, ...]:
    """With which seeds the tests of a claim began, each once, in the order of their registrations."""
    firsts: dict[int, None] = {}
    for one in history:
        runs = [*one.terms.get("runs", {}).values(), *filter(None, [one.terms.get("experiment")])]
        own = {run.get("first_seed", 0) for run in runs}
        if len(own) == 1:  # else parts of it alone are tested anew
            first = own.pop()
            firsts.pop(first, None)
            firsts[first] = None
    return tuple(firsts)


def _say_late(late: Sequence[Late], history: Sequence[Registration]) -> Iterator[str]:
    """Sentences on what was laid down when scores were at hand."""
    seen = [one.seen for one in history if one.seen is not None]
    if seen and (late or history[-1].seen is not None):
        yield f"registered with scores at hand: {seen[-1]}"
    elif late:
        worst = min(late, key=lambda one: moment(one.scored))
        yield f"registered {to_minute(worst.laid_down)}, after its first score of {to_minute(worst.scored)}"
        yield from _changes_by(worst.laid_down, history)


def _say_late_in_git(late: Sequence[Late]) -> Iterator[str]:
    """A sentence on a registration that git has had for less long than its scores."""
    if late:
        worst = min(late, key=lambda one: moment(one.scored))
        yield (
            f"in git its registration is of {to_minute(worst.laid_down)}, after its first score there of "
            f"{to_minute(worst.scored)}"
        )


def _find_first_alike(history: Sequence[Registration]) -> Registration:
    """The first registration after which no other changed the terms, but for what older ones do not hold."""
    since = history[-1]
    for before in reversed(history[:-1]):
        if compare_terms(before.terms, since.terms, list_ignored(before.rule, since.rule)):
            break
        since = before
    return since


def _changes_by(date: str, history: Sequence[Registration]) -> list[str]:
    """What the registration of a date changed in the one before."""
    changes: list[str] = []
    for before, after in pairwise(history):
        if after.date == date:
            changes = compare_terms(
                before.terms, after.terms, list_ignored(before.rule, after.rule)
            )
    return [f"changed by that registration: {change}" for change in changes]


def register(
    claims: Mapping[str, Claim], path: Path | None = None, *, date: str | None = None
) -> list[tuple[str, bool]]:
    """Writes down the terms of claims as they are; returns by id whether there was anything new.

    Without a path they go to the working folder's file; what genbench's own holds is known there.

    Raises:
        SpecError: If no claim is named, or one has a run that cannot be made, so that its terms are not
            known: of options that are not there, or of tuned ones where nothing was tuned.
        WriteError: If the file cannot be written.
    """
    if not claims:
        raise SpecError(
            "--register needs the claims to be named: genbench claims CLAIM --register"
        )
    with changing(path or FILE):
        return _write_down(claims, path, date or now())


def _write_down(
    claims: Mapping[str, Claim], path: Path | None, date: str
) -> list[tuple[str, bool]]:
    """Writes down the terms of claims in a file that only this process is changing."""
    whole, path = read_registrations(path), path or FILE
    registrations, written = read_registrations(path), []
    about = {"date": date, "commit": running_commit(), "rule": RULE}
    everything = dict(registrations.claims)
    for name, claim in claims.items():
        for run in claim.runs:
            specs_of(replace(run, seeds=1))
        history = whole.claims.get(name, [])
        terms = list_terms(arrange_runs(claim, history[-1].terms) if history else claim)
        new = not history or (history[-1].terms, history[-1].rule) != (terms, RULE)
        if new:
            entry = Registration(terms=terms, hash=hash_terms(terms, RULE), **about)
            everything[name] = [*everything.get(name, []), entry.sealed()]
        written.append((name, new))
    write_registrations(path, registrations.model_copy(update={"claims": everything}))
    return written
