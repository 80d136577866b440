"""Registrations of claims: what was to be run and how it was to be judged, written down before."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from genbench.core.files import write_bytes
from genbench.core.spec import canonical
from genbench.core.version import PACKAGE
from genbench.store.documents import read_json, reviewable
from genbench.store.record import Moment, Row

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
    """

    date: Annotated[Moment, Field(min_length=1)]
    commit: str | None = None
    rule: str
    terms: dict[str, Any]
    hash: str
    note: str | None = None
    seen: str | None = None

    @property
    def intact(self) -> bool:
        """Whether the hash is that of the terms and the rule."""
        return self.hash == hash_terms(self.terms, self.rule)


class Replacement(Row):
    """A rule that took another's place for all claims alike, on grounds other than their scores."""

    rule: str
    replaces: str
    date: str
    why: str


class Declared(Row):
    """A change of all claims' runs alike, on grounds other than their scores, from a date on.

    Arguments:
        field: The field of runs.
        value: What it became; None for anything.
        date: When it was declared.
        why: The grounds.
    """

    field: str
    value: Any = None
    date: Annotated[Moment, Field(min_length=1)]
    why: str


class Registrations(Row):
    """The whole of baselines/registrations.json: by claim the registrations, oldest first."""

    version: Literal[1] = Field(default=1, alias="schema")
    rules: list[Replacement] = []
    declared: list[Declared] = []
    claims: dict[str, list[Registration]] = {}

    def accepts(self, old: str, new: str) -> bool:
        """Returns whether a rule may stand for another: the same, or declared to replace it."""
        while old != new:
            step = next((r.rule for r in self.rules if r.replaces == old), None)
            if step is None:
                return False
            old = step
        return True

    def allows(self, field: str, value: Any, date: str) -> bool:
        """Returns whether a field of runs that has this value since a date has it by a declared change."""
        return any(
            one.field == field and one.value in (None, value) and one.date <= date
            for one in self.declared
        )


def hash_terms(terms: dict[str, Any], rule: str) -> str:
    """Returns 16 digits of the sha256 of terms and rule."""
    return hashlib.sha256(canonical({"rule": rule, "terms": terms}).encode()).hexdigest()[:16]


def find_file() -> Path | None:
    """Returns the file of the working folder, else the one of genbench, or None."""
    candidates = [FILE, PACKAGE / FILE, PACKAGE.parent / FILE]
    return next((path for path in candidates if path.is_file()), None)


def read_registrations(path: Path | None = None) -> Registrations:
    """Reads the file of registrations; without one nothing is registered.

    Raises:
        StoreError: If it is not one.
    """
    path = path or find_file()
    if path is None or not path.is_file():
        return Registrations()
    make = "write it by: genbench claims CLAIM --register"
    return read_json(path, Registrations, what="file of registrations", make=make)


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
