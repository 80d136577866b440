"""Registrations of claims: what was to be run and how it was to be judged, written down before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from genbench.core.files import write_bytes
from genbench.core.spec import canonical
from genbench.store.documents import list_shipped, read_json, reviewable
from genbench.store.locks import changing
from genbench.store.moments import Moment, moment
from genbench.store.record import Row

#: where the file lies, from the working folder or from that of genbench
FILE = Path("baselines/registrations.json")


class Registration(Row):
    """A claim's terms at a date.

    Arguments:
        date: When they were laid down, ISO 8601 with its zone.
        commit: The commit that has them, or None where there was no git; then the date alone counts.
        rule: The version of the rule of verdicts.
        terms: Bars, entrants, budgets, metrics and options.
        hash: 16 digits of the sha256 of terms and rule.
        note: Where it was taken from, if not by `genbench claims --register`.
        seen: Which scores had been seen that the results folder no longer has, so that dates cannot tell.
        seal: 16 digits of the sha256 of all the rest; what was written before there were seals has none.
    """

    date: Annotated[Moment, Field(min_length=1)]
    commit: str | None = None
    rule: str
    terms: dict[str, Any]
    hash: str
    note: str | None = None
    seen: str | None = None
    seal: str | None = None

    @property
    def intact(self) -> bool:
        """Whether the hash is that of the terms and the rule, and the seal that of the whole."""
        return self.fault is None

    @property
    def fault(self) -> str | None:
        """What is wrong with it, or None."""
        if self.hash != hash_terms(self.terms, self.rule):
            return "is not as it was hashed"
        if self.seal is None:
            return (
                "has no seal; where you know that nobody changed it, seal it by: "
                "genbench validate --migrate"
            )
        return None if self.seal == self.digest else "is not as it was sealed"

    @property
    def digest(self) -> str:
        """What its seal must be."""
        return digest_entry(self.model_dump(mode="json"))

    def sealed(self) -> Registration:
        """Returns it with its seal."""
        return self.model_copy(update={"seal": self.digest})


class Replacement(Row):
    """A rule that took another's place for all claims alike, on grounds other than their scores."""

    rule: str
    replaces: str
    date: Annotated[Moment, Field(min_length=1)]
    why: str


class Declared(Row):
    """A change of all claims' runs alike, on grounds other than their scores, from a date on.

    Arguments:
        field: The field of runs.
        value: What it became; None for anything.
        date: When it was declared.
        until: When it ended: what was laid down later is no part of it; None goes on.
        why: The grounds.
    """

    field: str
    value: Any = None
    date: Annotated[Moment, Field(min_length=1)]
    until: Moment | None = None
    why: str

    def covers(self, date: str) -> bool:
        """Returns whether a date lies between the declaration and its end."""
        ends = self.until is None or moment(date) <= moment(self.until)
        return moment(self.date) <= moment(date) and ends


class Registrations(Row):
    """The whole of baselines/registrations.json: by claim the registrations, oldest first."""

    version: Literal[1] = Field(default=1, alias="schema")
    rules: list[Replacement] = []
    declared: list[Declared] = []
    claims: dict[str, list[Registration]] = {}

    def accepts(self, old: str, new: str) -> bool:
        """Returns whether a rule may stand for another: the same, or declared to replace it."""
        heirs, seen = {r.replaces: r.rule for r in reversed(self.rules)}, {old}
        while old != new:
            old = heirs.get(old, "")
            if not old or old in seen:  # of nobody, or in a circle
                return False
            seen.add(old)
        return True

    def allows(self, field: str, value: Any, date: str) -> bool:
        """Returns whether a field of runs that has this value since a date has it by a declared change."""
        return any(
            one.field == field and one.value in (None, value) and one.covers(date)
            for one in self.declared
        )


def hash_terms(terms: dict[str, Any], rule: str) -> str:
    """Returns 16 digits of the sha256 of terms and rule."""
    return hashlib.sha256(canonical({"rule": rule, "terms": terms}).encode()).hexdigest()[:16]


def digest_entry(entry: Mapping[str, Any]) -> str:
    """Returns 16 digits of the sha256 of all fields of a registration but its seal."""
    content = {key: v for key, v in entry.items() if v is not None and key != "seal"}
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:16]


def read_registrations(path: Path | None = None) -> Registrations:
    """Reads the file named, or that of the working folder with that of genbench beside.

    Without any nothing is registered.

    Raises:
        StoreError: If one is none.
    """
    files = list_shipped(FILE, path)
    make = "write it by: genbench claims CLAIM --register"
    read = [
        read_json(file, Registrations, what="file of registrations", make=make) for file in files
    ]
    return _join(read)


def _join(several: Sequence[Registrations]) -> Registrations:
    """What all files hold, a claim's registrations in the order of their dates."""
    whole = Registrations()
    for file in several:
        whole.rules.extend(rule for rule in file.rules if rule not in whole.rules)
        whole.declared.extend(one for one in file.declared if one not in whole.declared)
        for name, history in file.claims.items():
            rows = whole.claims.setdefault(name, [])
            rows.extend(one for one in history if one not in rows)
            rows.sort(key=lambda one: moment(one.date))
    return whole


def write_registrations(path: Path, registrations: Registrations) -> None:
    """Writes the file, claims in the order of their names, so that a diff shows what was registered.

    Raises:
        WriteError: If it cannot be written.
    """
    ordered = registrations.model_copy(
        update={"claims": dict(sorted(registrations.claims.items()))}
    )
    content = ordered.model_dump(mode="json", by_alias=True, exclude_none=True)
    write_bytes(path, (reviewable(json.loads(json.dumps(content))) + "\n").encode())


def seal_registrations(path: Path) -> int:
    """Seals the registrations of a file that were written before there were seals; returns how many.

    Raises:
        StoreError: If it is no file of registrations.
        WriteError: If it cannot be written.
    """
    with changing(path):
        return _seal(path)


def _seal(path: Path) -> int:
    """Seals what a file holds that only this process is changing; returns how many."""
    registrations = read_registrations(path)
    count = sum(one.seal is None for history in registrations.claims.values() for one in history)
    claims = {
        name: [one if one.seal is not None else one.sealed() for one in history]
        for name, history in registrations.claims.items()
    }
    if count:
        write_registrations(path, registrations.model_copy(update={"claims": claims}))
    return count
