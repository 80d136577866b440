"""What git knows of a file: the commits that changed it, and since when files are there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

#: the author's or the committer's line of a commit: seconds since 1970
_TIME = re.compile(rb"^(?:author|committer) .* (\d+) [+-]\d{4}$", re.MULTILINE)


@dataclass(frozen=True)
class Version:
    """A file at a commit that changed it.

    Arguments:
        commit: The commit.
        date: When it was made, the earlier of its author's and its committer's date: a commit that is
            moved keeps the first.
        begins: Whether the history that is here begins with it, so that the file may be older.
        content: The file; empty where the commit took it out.
    """

    commit: str
    date: str
    begins: bool
    content: bytes


def read_versions(path: Path) -> tuple[Version, ...]:
    """Returns the versions of a file, parents first, be it there now or not.

    There are none where git has no history of it.
    """
    folder, name = _split(path)
    head = ask_git(folder, "rev-parse", "HEAD")
    return _read_versions(folder, name, head) if head is not None else ()


def is_committed(path: Path) -> bool:
    """Returns whether the commit that is checked out has a file, be it there now or not."""
    folder, name = _split(path)
    return ask_git(folder, "rev-parse", "--verify", "--quiet", f"HEAD:./{name}") is not None


def _split(path: Path) -> tuple[Path, str]:
    """The nearest folder of a path that is there, and the rest, as git names it."""
    path = path.resolve()
    folder = _find_nearest(path.parent)
    return folder, path.relative_to(folder).as_posix()


def _find_nearest(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.is_dir())


@lru_cache(maxsize=8)
def _read_versions(folder: Path, name: str, head: str) -> tuple[Version, ...]:
    how = ("--full-history", "--topo-order", "--reverse", "--format=%H %P")
    log = ask_git(folder, "log", *how, head, "--", name)
    commits = [line.split() for line in (log or "").splitlines()]
    names = [object for commit, *_ in commits for object in (commit, f"{commit}:./{name}")]
    objects = read_objects(folder, names)
    return tuple(
        Version(commit, date, not parents, content or b"")
        for (commit, *parents), about, content in zip(
            commits, objects[::2], objects[1::2], strict=True
        )
        if (date := _date(about)) is not None
    )


def date_commits(folder: Path, commits: Iterable[str]) -> dict[str, str]:
    """Returns the dates of those commits that the repository of a folder has."""
    names = [name for name in dict.fromkeys(commits) if re.fullmatch(r"[0-9a-f]{7,64}", name)]
    objects = read_objects(_find_nearest(folder), names)
    dates = {name: _date(content) for name, content in zip(names, objects, strict=True)}
    return {name: date for name, date in dates.items() if date is not None}


def date_files(folder: Path) -> dict[Path, str]:
    """Returns the files below a folder that git has ever had, with the date of the first commit of each."""
    folder = folder.resolve()
    head = ask_git(folder, "rev-parse", "HEAD") if folder.is_dir() else None
    return _date_files(folder, head) if head is not None else {}


@lru_cache(maxsize=8)
def _date_files(folder: Path, head: str) -> dict[Path, str]:
    how = ("--full-history", "--no-renames", "--diff-filter=A", "--name-only", "--relative", "-z")
    log = ask_git(folder, "log", *how, "--format=@%at %ct", head, "--", ".")
    dates: dict[Path, int] = {}
    at = 0
    for name in re.split(r"[\0\n]+", log or ""):
        if name.startswith("@"):
            at = min(map(int, name[1:].split()))
        elif name:
            path = folder / name
            dates[path] = min(at, dates.get(path, at))
    return {path: _text(date) for path, date in dates.items()}


def read_objects(folder: Path, names: Sequence[str]) -> list[bytes | None]:
    """Returns the contents of objects of the repository of a folder; None of those that it lacks."""
    request = "".join(f"{name}\n" for name in names).encode()
    answer = _run(folder, "cat-file", "--batch", stdin=request) if names else b""
    contents: list[bytes | None] = []
    at = 0
    for _ in names:
        end = answer.find(b"\n", at) if answer is not None else -1
        if answer is None or end < 0:
            return [None] * len(names)
        size = re.search(rb" (?:commit|blob|tree|tag) (\d+)$", answer[at:end])
        at = end + 1
        contents.append(answer[at : at + int(size[1])] if size else None)
        at += int(size[1]) + 1 if size else 0
    return contents


def ask_git(folder: Path, *words: str) -> str | None:
    """Returns what git answers in a folder; None where there is no answer."""
    answer = _run(folder, *words)
    return answer.decode(errors="replace").strip() or None if answer is not None else None


def _run(folder: Path, *words: str, stdin: bytes = b"") -> bytes | None:
    try:
        process = subprocess.run(
            ["git", *words],
            cwd=folder,
            input=stdin,
            capture_output=True,
            timeout=30,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return process.stdout if process.returncode == 0 else None


def _date(commit: bytes | None) -> str | None:
    times = _TIME.findall(commit.partition(b"\n\n")[0]) if commit is not None else []
    return _text(min(map(int, times))) if times else None


def _text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
