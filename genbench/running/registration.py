"""Whether a claim was registered before it was scored, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from genbench.core.claim import Claim, Run
from genbench.core.errors import SpecError
from genbench.running.evidence import Scale, find_choice
from genbench.running.laid_down import BY_RULE, RECENT, find_late, read_first_scores
from genbench.running.planted import UNREADABLE, hash_parts
from genbench.running.replaced import find_replaced
from genbench.statistics.verdicts import RULE
from genbench.store import Store
from genbench.store.environment import running_commit
from genbench.store.registrations import (
    FILE,
    Registration,
    Registrations,
    hash_terms,
    moment,
    read_registrations,
    write_registrations,
)

ABSENT = "absent"


class NoEvidence:
    """Evidence of nothing, with which a claim's effects show their bars."""

    def scores(self, run: Run, column: str) -> Mapping[int, float]:
        """Returns nothing."""
        return {}

    def finished(self, run: Run) -> list[int]:
        """Returns nothing."""
        return []

    def measured(self, column: str) -> Mapping[int, float]:
        """Returns nothing."""
        return {}


@dataclass(frozen=True)
class Standing:
    """How a claim stands to its registration.

    Arguments:
        registration: The first from which on all have the terms of today, the last one at worst, or None.
        first_score: When the first of its scores was begun, or None without any.
        extended: Whether that one only added to what had been scored by then.
        reasons: Why its verdict is exploratory; none where it is confirmatory.
    """

    registration: Registration | None
    first_score: str | None
    reasons: tuple[str, ...] = ()
    extended: bool = False

    @property
    def exploratory(self) -> bool:
        """Whether the verdict cannot count as a test of what was laid down before."""
        return bool(self.reasons)


def list_terms(claim: Claim) -> dict[str, Any]:
    """Returns what a claim lays down: judged parts with their bars, runs and the experiment, as JSON."""
    judged = [effect for effect in claim.function(NoEvidence()) if effect.judged]
    hashes = hash_parts(claim)
    made_of = hashes if len(hashes) == len(judged) else [UNREADABLE] * len(judged)
    parts = [
        {
            "effect": effect.name,
            "bar": float(effect.bar),
            "wanted": effect.wanted,
            **{name: value for name in BY_RULE if (value := getattr(effect, name))},
            "made_of": own,
        }
        for effect, own in zip(judged, made_of, strict=True)
    ]
    terms: dict[str, Any] = {"parts": parts, "runs": {}}
    for run in claim.runs:
        name, k = str(run), 2
        while name in terms["runs"]:
            name, k = f"{run} #{k}", k + 1
        terms["runs"][name] = describe_run(run) | _seeds_of(claim)
    if claim.experiment is not None:
        terms["experiment"] = {
            "options": _as_json(Scale().options(claim)),
            "seeds": claim.seeds,
            "version": claim.version,
            **_seeds_of(claim),
        }
    return terms


def _seeds_of(claim: Claim) -> dict[str, int]:
    return {"first_seed": claim.first_seed} if claim.first_seed else {}


def describe_run(run: Run) -> dict[str, Any]:
    """Returns what a registration says of a run."""
    names = ("model", "dataset", "seeds", "steps", "batch", "labelled", "samples")
    about = {name: getattr(run, name) for name in names}
    about |= {"metrics": sorted(run.metrics), "options": _as_json(dict(run.options))}
    if run.dataset_options:
        about["dataset_options"] = _as_json(dict(run.dataset_options))
    if run.metric_options:
        about["metric_options"] = _as_json(dict(run.metric_options))
    return about | (
        {"tuned": run.tuned, "tuned_options": _tuned_options(run)} if run.tuned else {}
    )


def _tuned_options(run: Run) -> Any:
    """The options and the training that tuning chose for a run, or in words that there are none."""
    choice = find_choice(run)
    if choice is None:
        return "not tuned yet"
    options, training = choice
    chosen = training.model_dump(exclude_defaults=True) if training is not None else {}
    return _as_json(options | chosen)


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _as_json(inner) for key, inner in sorted(value.items())}
    return [_as_json(v) for v in value] if isinstance(value, (list, tuple)) else value


def compare_terms(before: Mapping[str, Any], now: Mapping[str, Any], rules: bool) -> list[str]:
    """Returns what differs, field by field, e.g. "experiment.options.rounds: 800, now 1600".

    A part, a run or an experiment that one side alone has is one line.

    Arguments:
        before: The terms that were registered.
        now: Those of today; the wording of effects is of no account.
        rules: Whether what rules add to parts counts, as it does where the rule is the same.
    """
    sides = [_split(before), _split(now)]
    changes = []
    for name in {**sides[0], **sides[1]}:
        if name not in sides[0] or name not in sides[1]:
            changes.append(f"{name}: {'added' if name in sides[1] else 'left out'}")
            continue
        old, new = (side[name] for side in sides)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            new = {key: value for key, value in new.items() if key in old or key not in RECENT}
        was, is_now = (dict(_fields(side, rules, name)) for side in (old, new))
        changes += [
            _say(field, was.get(field, ABSENT), is_now.get(field, ABSENT))
            for field in {**was, **is_now}
            if was.get(field, ABSENT) != is_now.get(field, ABSENT)
        ]
    return changes


def _say(field: str, old: Any, new: Any) -> str:
    part, _, name = field.rpartition(".")
    if name == "made_of":
        return f"{part}: made of other numbers (columns, sides, direction or scale)"
    return f"{field}: {old}, now {new}"


def _split(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Terms by what they are of: a part, a run, the experiment."""
    parts = {f"part {k}": part for k, part in enumerate(terms.get("parts", ()), 1)}
    runs = {f"runs.{name}": run for name, run in terms.get("runs", {}).items()}
    others = {name: value for name, value in terms.items() if name not in ("parts", "runs")}
    return {**parts, **runs, **others}


def _fields(value: Any, rules: bool, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key != "effect" and (rules or key not in BY_RULE):
                yield from _fields(inner, rules, f"{name}.{key}")
    else:
        yield name, value


def find_standing(claim: Claim, store: Store, registrations: Registrations) -> Standing:
    """Returns whether a claim's verdict is exploratory, and why.

    It is unless the last registration has the claim's terms of today, and all that they hold was laid down
    before what it reads was scored: a registration that only adds parts, and runs for them, leaves the
    others as old as they were. A rule of verdicts that is declared to have replaced another for all
    claims alike changes nothing.
    """
    history = registrations.claims.get(claim.id, [])
    scores = read_first_scores(claim, store)
    first = scores.first
    if not history:
        return Standing(None, first, ("it was never registered",))
    last, terms = history[-1], list_terms(claim)
    reasons = (
        [] if last.intact else [f"the registration of {last.date[:10]} is not as it was hashed"]
    )
    if not registrations.accepts(last.rule, RULE):
        reasons.append(f"rule: {last.rule}, now {RULE}")
    changes = compare_terms(last.terms, terms, last.rule == RULE)
    reasons += [f"changed since it was registered: {change}" for change in changes]
    usable = [r for r in history[:-1] if registrations.accepts(r.rule, RULE)]
    runs = [describe_run(run) | _seeds_of(claim) for run in claim.runs]
    late = list(find_late(claim, terms, runs, scores, [*usable, last]))
    seen = [one.seen for one in history if one.seen is not None]
    if seen and (late or last.seen is not None):
        reasons.append(f"registered with scores at hand: {seen[-1]}")
    elif late:
        worst = min(late, key=lambda one: moment(one.scored))
        reasons.append(
            f"registered {_minute(worst.laid_down)}, after its first score of {_minute(worst.scored)}"
        )
        reasons += _changes_by(worst.laid_down, history)
    replaced = list(find_replaced(claim, [*usable, last], store, registrations.allows))
    reasons += [
        f"registered {_minute(one.laid_down)} in the place of {one.replaced}, which had been scored since "
        f"{_minute(one.scored)}"
        for one in replaced
    ]
    since = _find_first_alike([*usable, last])
    extended = first is not None and not reasons and moment(since.date) > moment(first)
    return Standing(since, first, tuple(reasons), extended)


def _find_first_alike(history: list[Registration]) -> Registration:
    """The first registration after which no other changed the terms, but for what older ones do not hold."""
    since = history[-1]
    for before in reversed(history[:-1]):
        if compare_terms(before.terms, since.terms, before.rule == since.rule):
            break
        since = before
    return since


def _changes_by(date: str, history: list[Registration]) -> list[str]:
    """What the registration of a date changed in the one before."""
    changes: list[str] = []
    for before, after in pairwise(history):
        if after.date == date:
            changes = compare_terms(before.terms, after.terms, before.rule == after.rule)
    return [f"changed by that registration: {change}" for change in changes]


def register(
    claims: Mapping[str, Claim], path: Path | None = None, *, date: str | None = None
) -> list[tuple[str, bool]]:
    """Writes down the terms of claims as they are; returns by id whether there was anything new.

    Without a path they go to the working folder's file; what genbench's own holds is known there.

    Raises:
        SpecError: If no claim is named.
        WriteError: If the file cannot be written.
    """
    if not claims:
        raise SpecError(
            "--register needs the claims to be named: genbench claims CLAIM --register"
        )
    whole, path = read_registrations(path), path or FILE
    registrations, written = read_registrations(path), []
    now, commit = date or datetime.now(UTC).isoformat(timespec="seconds"), running_commit()
    everything = dict(registrations.claims)
    for name, claim in claims.items():
        terms = list_terms(claim)
        history = whole.claims.get(name, [])
        new = not history or (history[-1].terms, history[-1].rule) != (terms, RULE)
        if new:
            about = {"date": now, "commit": commit, "rule": RULE, "terms": terms}
            entry = Registration(hash=hash_terms(terms, RULE), **about)
            everything[name] = [*everything.get(name, []), entry]
        written.append((name, new))
    write_registrations(path, registrations.model_copy(update={"claims": everything}))
    return written


def _minute(text: str) -> str:
    return moment(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M")
