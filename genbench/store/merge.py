"""Several results folders into one: the union by cell, with conflicts shown and not guessed at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genbench.core.files import remove_stale
from genbench.store.folder import Store
from genbench.store.merge_trials import Keep, merge_trials
from genbench.store.record import FAILURES, Record, contents


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
    of them has are united; a failure gives way to a cell that ran to its end. Whatever else differs is
    a conflict. Trials of claims and of tuning are united seed by seed; a trial of tuning in which folders
    disagree is one folder's whole, and so is a search whose trials were proposed from those before.

    Arguments:
        sources: The folders, in the order that `first` and `last` mean.
        target: Where the union goes; its own records come first.
        keep: Which of two in conflict is kept; with `none` a conflict means that nothing is written.
    """
    for path in target.root.rglob(".*.tmp"):  # of processes that were killed amid a write
        remove_stale(path)
    sources = list({store.root.resolve(): store for store in (target, *sources)}.values())
    holders: dict[Path, list[Store]] = {}
    for store in sources:
        for path in store.files():
            holders.setdefault(path.relative_to(store.root), []).append(store)
    holders = {name: holders[name] for name in sorted(holders)}
    unread = [problem for store in sources for problem in store.unread()]
    doubtful = {name: stores for name, stores in holders.items() if len(stores) > 1}
    write = keep != "none" or not _pass(doubtful, sources, target, keep, write=False).conflicts
    result = _pass(holders, sources, target, keep, write=write)
    result.set_aside += unread
    return result


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
        chosen: Record | None = None
        for store in stores:
            record, problem = store.parse(store.root / name)
            if record is None:
                result.set_aside.append(problem or "")
            elif chosen is None:
                chosen, where = record, str(store.root / name)
            else:
                lines = find_differences(chosen, record)
                result.same += not lines
                if lines:
                    about = Conflict(record.cell, where, str(store.root / name), lines)
                    result.conflicts.append(about)
                chosen = _united(chosen, record, bool(lines), keep)
        if chosen is not None and write:
            _write(chosen, stores, target)
            result.written += 1
    outcomes, problems = merge_trials(sources, target, keep, write=write)
    for _, same, conflicts in outcomes:
        result.same += same
        result.conflicts += [Conflict(*about) for about in conflicts]
    result.trials += len(outcomes) * write
    result.set_aside += problems
    return result


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
        newer = other if other.finished > one.finished else one
        return {"none": one, "first": one, "last": other, "newest": newer}[keep]
    keys = {(m.key, m.id, m.split) for m in one.metrics}
    extra = [m for m in other.metrics if (m.key, m.id, m.split) not in keys]
    return one.model_copy(
        update={
            "metrics": [*one.metrics, *extra],
            "artifacts": {**other.artifacts, **one.artifacts},
        }
    )


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
