"""Since when git has the registrations of claims: dates in a file are what somebody wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from genbench.core.files import read_file
from genbench.store.documents import list_places
from genbench.store.environment import now
from genbench.store.git import Version, date_commits, read_versions
from genbench.store.moments import moment
from genbench.store.registrations import (
    FILE,
    Declared,
    Registration,
    Registrations,
    digest_entry,
)

#: how much later than it says a registration may be committed
TOLERANCE = timedelta(days=1)
#: a registration that was committed and taken out within so long was a slip
SLIP = timedelta(hours=1)


@dataclass(frozen=True)
class Committed:
    """A registration as git has it.

    Arguments:
        claim: The claim, by the name that it had then; "" of a declared change.
        content: Its fields.
        commit: The first commit that has it.
        date: When that was made.
        begins: Whether the history that is here begins with it, so that it may be older.
        removed: The commit that took it out, or None where the last one has it.
        until: When that was made, or None.
    """

    claim: str
    content: Mapping[str, Any]
    commit: str
    date: str
    begins: bool = False
    removed: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class GitHistory:
    """What git knows of registrations.

    Arguments:
        entries: By their digests, all that were ever committed.
        loose: The digests of those in files of which git has no history; their dates are as written.
        now: The date of what is in no commit yet.
    """

    entries: Mapping[str, Committed]
    loose: frozenset[str]
    now: str

    def since(self, one: Registration) -> str:
        """Returns since when git has a registration, its own date where that cannot be told."""
        return self._since(one.digest, one.date)

    def knows(self, one: Registration) -> bool:
        """Returns whether git tells since when there is a registration."""
        return self._knows(one.digest)

    def believes(self, one: Registration) -> bool:
        """Returns whether a registration was committed at the time that it says, within a day."""
        return moment(self.since(one)) - moment(one.date) <= TOLERANCE

    def removed(self, present: Iterable[Registration]) -> list[Committed]:
        """Returns the registrations that were taken out of the file, but for slips.

        Arguments:
            present: Those that are there.
        """
        digests = {one.digest for one in present}
        rows = [entry for digest, entry in self.entries.items() if digest not in digests]
        return [
            entry
            for entry in rows
            if entry.claim and moment(entry.until or self.now) - moment(entry.date) > SLIP
        ]

    def complete(self, claim: str, history: Sequence[Registration]) -> list[Registration]:
        """Returns a claim's registrations with those that were taken out, at dates that git believes."""
        rows = [one if self.believes(one) else _redate(one, self.since(one)) for one in history]
        removed = [_read(entry.content) for entry in self.removed(history) if entry.claim == claim]
        whole = [*rows, *(one for one in removed if one is not None)]
        return sorted(whole, key=lambda one: moment(one.date))

    def at_commits(self, history: Sequence[Registration]) -> list[Registration]:
        """Returns registrations with the dates of the commits that first have them."""
        return [_redate(one, self.since(one)) for one in history]

    def since_change(self, change: Declared) -> str:
        """Returns since when git has a declared change, its own date where that cannot be told."""
        return self._since(_digest_change(change.model_dump(mode="json")), change.date)

    def declared(self, registrations: Registrations) -> Registrations:
        """Returns registrations whose declared changes have dates that git believes."""
        changes = []
        for change in registrations.declared:
            since = self.since_change(change)
            late = moment(since) - moment(change.date) > TOLERANCE
            changes.append(change.model_copy(update={"date": since}) if late else change)
        return registrations.model_copy(update={"declared": changes})

    def _since(self, digest: str, date: str) -> str:
        if not self._knows(digest):
            return date
        entry = self.entries.get(digest)
        return max(date, self.now if entry is None else entry.date, key=moment)

    def _knows(self, digest: str) -> bool:
        entry = self.entries.get(digest)
        return digest not in self.loose and (entry is None or not entry.begins)


def read_history(path: Path | None = None) -> GitHistory | None:
    """Returns what git knows of the registrations of the file named, or of all that count here.

    A file that was deleted counts as one of which all was taken out. Without any history of theirs there
    is none: then dates are as they were written.
    """
    entries: dict[str, Committed] = {}
    loose: set[str] = set()
    for file in list_places(FILE, path):
        versions = read_versions(file)
        for digest, entry in _follow(file.resolve().parent, versions).items():
            if digest not in entries or moment(entry.date) < moment(entries[digest].date):
                entries[digest] = entry
        if not versions and file.is_file():
            loose |= {digest for digest, _, _ in _list_entries(read_file(file))}
    return GitHistory(entries, frozenset(loose), now()) if entries else None


@lru_cache(maxsize=8)
def _follow(folder: Path, versions: tuple[Version, ...]) -> dict[str, Committed]:
    """All that the versions of a file hold, each with its first commit and the one that took it out."""
    first: dict[str, tuple[Version, str, Mapping[str, Any]]] = {}
    last: dict[str, int] = {}
    for k, version in enumerate(versions):
        for digest, claim, content in _list_entries(version.content):
            if digest not in first or moment(version.date) < moment(first[digest][0].date):
                first[digest] = version, claim, content
            last[digest] = k
    own_commits = _date_by_own_commits(folder, [row for _, _, row in first.values()])
    entries = {}
    for digest, (version, claim, content) in first.items():
        date = version.date
        if version is versions[0]:  # which was made of commits of the code
            date = own_commits.get(str(content.get("commit")), date)
        end = versions[last[digest] + 1] if last[digest] + 1 < len(versions) else None
        removed, until = (end.commit, end.date) if end is not None else (None, None)
        about = (version.commit, date, version.begins, removed, until)
        entries[digest] = Committed(claim, content, *about)
    return entries


def _date_by_own_commits(folder: Path, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The dates of commits that registrations were taken from, by tests/proof/registrations.py."""
    return date_commits(folder, [str(row.get("commit")) for row in rows if row.get("note")])


def _list_entries(content: bytes) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yields the digest, the claim and the fields of all registrations and declared changes of a file."""
    try:
        raw = from_json(content)
        for name, history in raw["claims"].items():
            for row in history:
                yield digest_entry(row), name, row
        for row in raw.get("declared", []):
            yield _digest_change(row), "", row
    except (ValueError, TypeError, LookupError, AttributeError):
        return  # a version that is no such file tells nothing


def _digest_change(change: Mapping[str, Any]) -> str:
    """The digest of a declared change, whatever its grounds are worded like, ended or not."""
    return digest_entry({key: v for key, v in change.items() if key not in ("why", "until")})


def _read(content: Mapping[str, Any]) -> Registration | None:
    try:
        return Registration.model_validate({**content, "seal": None}).sealed()
    except ValidationError:
        return None


def _redate(one: Registration, date: str) -> Registration:
    """A registration of another date, intact if it was."""
    copy = one.model_copy(update={"date": date})
    return copy.sealed() if one.intact else copy
