"""Whether a file of registrations is as it was written, and as git has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from genbench.core.errors import StoreError
from genbench.store.git import date_commits, read_versions
from genbench.store.moments import moment, to_minute
from genbench.store.registration_history import GitHistory, read_history
from genbench.store.registrations import (
    FILE,
    Registration,
    Registrations,
    read_registrations,
)
from genbench.store.validate import Problem

#: claims that are named one by one
MOST = 3
#: a claim and one of its registrations
Named = tuple[str, Registration]


def find_registrations_file(root: Path) -> Path | None:
    """Returns the file of registrations beside a results folder, if it is there or git ever had it there."""
    path = root.resolve().parent / FILE
    return path if path.is_file() or read_versions(path) else None


def check_registrations(path: Path) -> list[Problem]:
    """Returns what is wrong with a file of registrations, by their seals and by git.

    Every registration must be as it was sealed, be in git since the day of its date, and name no commit
    that is younger; none may have been taken out of the file, nor the file away. What is in no commit yet
    is mentioned, and so is where git has no history: dates are as they were written then.

    Arguments:
        path: The file.
    """
    try:
        registrations = read_registrations(path)
    except StoreError as error:
        return [Problem("registration", str(path), str(error))]
    rows = [(claim, one) for claim, history in registrations.claims.items() for one in history]
    problems = [
        Problem("registration", str(path), f"{_name(claim, one)} {one.fault}")
        for claim, one in rows
        if one.fault is not None
    ]
    history = read_history(path)
    if history is None:
        text = "git has no history of it here, so that the dates of registrations are as written"
        return [*problems, Problem("dates", str(path), text)]
    texts = [*_find_backdated(rows, history), *_find_backdated_changes(registrations, history)]
    find_gone = _find_removed if path.is_file() else _find_deleted
    texts += [*find_gone(rows, history, path), *_find_younger_commits(rows, path)]
    problems += [Problem("registration", str(path), text) for text in texts]
    new = sum(one.digest not in history.entries and history.believes(one) for _, one in rows)
    if new:
        text = f"{new} registrations are in no commit yet; commit them before what they are for is scored"
        problems.append(Problem("dates", str(path), text))
    return problems


def _find_backdated(rows: list[Named], history: GitHistory) -> Iterator[str]:
    for claim, one in rows:
        if not history.believes(one):
            entry = history.entries.get(one.digest)
            since = "not at all" if entry is None else f"since {to_minute(entry.date)} only"
            yield f"{_name(claim, one)} is in git {since}"


def _find_backdated_changes(registrations: Registrations, history: GitHistory) -> Iterator[str]:
    changes = history.declared(registrations).declared
    for change, other in zip(registrations.declared, changes, strict=True):
        if change.date != other.date:
            yield (
                f"the change of {change.field} declared {to_minute(change.date)} is in git since "
                f"{to_minute(other.date)} only"
            )


def _find_deleted(rows: list[Named], history: GitHistory, path: Path) -> Iterator[str]:
    """One sentence on a file that is not there, whatever it held."""
    removed = history.removed([one for _, one in rows])
    last = next((version for version in reversed(read_versions(path)) if version.content), None)
    if removed and last is not None:
        names = sorted({entry.claim for entry in removed})
        more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
        yield (
            f"the file was deleted, with registrations that git has and that still count, of "
            f"{', '.join(names[:MOST])}{more}; put it back by: "
            f"git checkout {last.commit[:12]} -- {quote(str(path))}"
        )


def _find_removed(rows: list[Named], history: GitHistory, path: Path) -> Iterator[str]:
    for entry in history.removed([one for _, one in rows]):
        where = f"by commit {entry.removed[:12]}" if entry.removed else "here"
        yield (
            f"{entry.claim}: its registration of {str(entry.content.get('date'))[:16]}, which commit "
            f"{entry.commit[:12]} has, was changed or taken out {where}; put it back: they are only added to"
        )


def _find_younger_commits(rows: list[Named], path: Path) -> Iterator[str]:
    commits = {one.digest: (one.commit or "").rstrip("+") for _, one in rows}
    dates = date_commits(path.resolve().parent, commits.values())
    for claim, one in rows:
        date = dates.get(commits[one.digest])
        if date is not None and moment(date) > moment(one.date):
            yield f"{_name(claim, one)} names the commit {one.commit}, which is of {to_minute(date)}"


def _name(claim: str, one: Registration) -> str:
    return f"{claim}: the registration of {to_minute(one.date)}"
