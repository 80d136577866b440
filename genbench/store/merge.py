"""Several results folders into one: the union by cell, with conflicts shown and not guessed at."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genbench.core.errors import StoreError
from genbench.core.files import remove_stale
from genbench.store.folder import Store
from genbench.store.locks import Locks
from genbench.store.merge_trials import Keep, list_files, merge_trials
from genbench.store.moments import is_later
from genbench.store.record import FAILURES, Measurement, Record, contents, take_times

#: names of files that may be records
CELL = re.compile(r"[0-9a-f]{16}\.json\Z")


@dataclass(frozen=True)
class Conflict:
    """A cell whose records differ between two folders: where the two stand, and what differs."""

    cell: str
    first: str
    second: str
    differences: list[str]


@dataclass
class Merged:
    """What a merge did, or, where nothing was written because of conflicts, would have done.

    `trials` counts files of trials, of claims and of tuning.
    """

    written: int = 0
    trials: int = 0
    same: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)


def merge(sources: Sequence[Store], target: Store, *, keep: Keep = "none") -> Merged:
    """Writes the union of folders into another, which may be one of them.

    Records of a cell that are equal but for times and machines are one; measurements that only one
    of them has are united, times with the machine that they are of; a failure gives way to a cell that
    ran to its end. Whatever else differs is a conflict. Trials of claims and of tuning are united seed by
    seed; a trial of tuning in which folders disagree is one folder's whole, and so is a search whose
    trials were proposed from those before.

    Arguments:
        sources: The folders, in the order that `first` and `last` mean.
        target: Where the union goes; its own records come first.
        keep: Which of two in conflict is kept; with `none` a conflict means that nothing is written.

    Raises:
        StoreError: If a run or another merge has a cell in hand that would be written; nothing is then.
    """
    for path in target.root.rglob(".*.tmp"):  # of processes that were killed amid a write
        remove_stale(path)
    folders: dict[Path, Store] = {}
    for store in (target, *sources):
        folders.setdefault(store.root.resolve(), store)
    sources = [*folders.values()]
    result, seen = _check(sources, target, keep)
    if result is None:
        with Locks(target.root) as locks:
            _take(locks, sources, target)
            if _stamps(sources) != seen:  # somebody else has written meanwhile
                result, _ = _check(sources, target, keep)
            result = result or _pass(_find_holders(sources), sources, target, keep, write=True)
    result.set_aside += [problem for store in sources for problem in store.unread()]
    return result


def _check(
    sources: Sequence[Store], target: Store, keep: Keep
) -> tuple[Merged | None, dict[Path, int]]:
    """Returns what stops a merge by conflicts, or None; and the stamps of all files before."""
    seen, holders = _stamps(sources), _find_holders(sources)
    doubtful = {name: stores for name, stores in holders.items() if len(stores) > 1}
    clash = keep == "none" and _pass(doubtful, sources, target, keep, write=False).conflicts
    return _pass(holders, sources, target, keep, write=False) if clash else None, seen


def _find_holders(sources: Sequence[Store]) -> dict[Path, list[Store]]:
    """The folders that hold each record, by its name in them."""
    holders: dict[Path, list[Store]] = {}
    for store in sources:
        for path in store.files():
            holders.setdefault(path.relative_to(store.root), []).append(store)
    return {name: holders[name] for name in sorted(holders)}


def _stamps(sources: Sequence[Store]) -> dict[Path, int]:
    """When each file of the folders was written, in nanoseconds."""
    paths = [path for store in sources for path in (*store.files(), *list_files(store))]
    return {path: path.lstat().st_mtime_ns for path in paths if os.path.lexists(path)}


def _take(locks: Locks, sources: Sequence[Store], target: Store) -> None:
    """Locks what will be written: the cells and files of trials that any folder but the target holds."""
    others = [store for store in sources if store is not target]
    names = {path.name for store in others for path in list_files(store)}
    paths = [path for store in others for path in store.files() if CELL.match(path.name)]
    # from the last byte on: the system looks through all locks before a new one
    paths.sort(key=lambda path: path.name, reverse=True)
    busy = [path for path in paths if not locks.take(path.stem)]
    busy += [Path(name) for name in sorted(names) if not locks.take_name(name)]
    if busy:
        raise StoreError(
            f"{len(busy)} of the files that {target.root} would get, such as {busy[0]}, are in the hands of "
            "another run or merge; nothing was written, merge again when that has ended"
        )


def _pass(
    holders: Mapping[Path, Sequence[Store]],
    sources: Sequence[Store],
    target: Store,
    keep: Keep,
    *,
    write: bool,
) -> Merged:
    """Unites the records of some names, each with the folders that hold it, and all trials."""
    result = Merged()
    for name, stores in holders.items():
        record = _unite_copies(name, stores, target, keep, result)
        if record is not None and write:
            if stores != [target]:
                _write(record, stores, target)
            result.written += 1
    outcomes, problems = merge_trials(sources, target, keep, write=write)
    for _, same, conflicts in outcomes:
        result.same += same
        result.conflicts += [Conflict(*about) for about in conflicts]
    result.trials += len(outcomes) * write
    result.set_aside += problems
    return result


def _unite_copies(
    name: Path, stores: Sequence[Store], target: Store, keep: Keep, result: Merged
) -> Record | None:
    """The records of a name as one; a result is told what they disagree in and what cannot be read."""
    chosen: Record | None = None
    where = ""
    for store in stores:
        path = store.root / name
        record, problem = store.parse(path)
        if record is None:
            result.set_aside.append(problem or "")
            if store is target and path in store.newer:
                return None  # a later genbench's record stays where it is
        elif chosen is None:
            chosen, where = record, str(path)
        else:
            lines = find_differences(chosen, record)
            united = _united(chosen, record, bool(lines), keep)
            if lines:
                result.conflicts.append(Conflict(record.cell, where, str(path), lines))
            else:
                result.same += 1
            chosen = united
    return chosen


def find_differences(one: Record, other: Record) -> list[str]:
    """Returns how two records of a cell differ, one line each; none where one of them is a failure."""
    if (one.status in FAILURES) != (other.status in FAILURES):
        return []
    a, b = contents(one), contents(other)
    numbers = [
        f"{m[1]} ({m[2]}): {a['metrics'][m]['value']} | {b['metrics'][m]['value']}"
        for m in a["metrics"]
        if m in b["metrics"] and a["metrics"][m] != b["metrics"][m]
    ]
    plain = [key for key in a if key != "metrics" and a[key] != b[key]]
    return [f"{key}: {_short(a[key])} | {_short(b[key])}" for key in plain] + numbers


def _united(one: Record, other: Record, conflict: bool, keep: Keep) -> Record:
    return _choose(one, other, conflict, keep).after(one, other)


def _choose(one: Record, other: Record, conflict: bool, keep: Keep) -> Record:
    if one.scale != other.scale and None in (one.scale, other.scale):
        one, other = (record.model_copy(update={"scale": None}) for record in (one, other))
    if one.named != other.named:
        named = sorted({*one.named, *other.named})
        one, other = (record.model_copy(update={"named": named}) for record in (one, other))
    if one.status in FAILURES and other.status not in FAILURES:
        return other
    if other.status in FAILURES and one.status not in FAILURES:
        return one
    if conflict:
        newer = other if is_later(other.finished, one.finished) else one
        return {"none": one, "first": one, "last": other, "newest": newer}[keep]
    extra = take_times(_find_extra(one, other), other, one.environment)
    return one.model_copy(
        update={
            "metrics": [*one.metrics, *extra],
            "artifacts": {**other.artifacts, **one.artifacts},
        }
    )


def _find_extra(one: Record, other: Record) -> list[Measurement]:
    """What only the other of two records has measured."""
    keys = {(m.key, m.id, m.split) for m in one.metrics}
    return [m for m in other.metrics if (m.key, m.id, m.split) not in keys]


def _write(record: Record, holders: Sequence[Store], target: Store) -> None:
    for reference in record.artifacts.values():
        if target.content(reference) is None:
            copies = (store.content(reference) for store in holders)
            content = next((c for c in copies if c is not None), None)
            if content is not None:
                target.put(content, Path(reference).suffix)
    if target.read(record.spec) != record:
        target.write(record)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
