"""Whether a file of tuned options is what its trials give, and gave all models of a data set the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from genbench.core.errors import SpecError
from genbench.running.tuning_choice import make_entry
from genbench.running.tuning_rule import find_changed, find_failed
from genbench.store.absent import COMMITTED
from genbench.store.equal_tuning import Inequality, find_inequalities
from genbench.store.git import is_committed
from genbench.store.trial import list_trials
from genbench.store.tuned import (
    FILE,
    OTHER_PLAN,
    TunedEntry,
    find_outdated,
    is_taken,
    read_tuned,
)
from genbench.store.tuning import TuningFile
from genbench.store.tunings import FOLDER, Tunings
from genbench.store.validate import Problem


def find_tuned_file(root: Path) -> Path | None:
    """Returns the file of tuned options that belongs to a results folder, or None.

    To committed results it is the one beside them, were it deleted here (a deletion that was committed is
    decided). To another folder it is the one beside it, or else the working folder's, that names trials of
    it, where no committed results with trials lie beside the file.
    """
    beside = root.resolve().parent / FILE
    if root.resolve().name == COMMITTED.name:
        return beside if beside.is_file() or is_committed(beside) else None
    places = dict.fromkeys((beside, FILE.resolve()))
    return next((path for path in places if _names_trials(path, root)), None)


def _names_trials(path: Path, root: Path) -> bool:
    """Whether a file of tuned options is of a folder's trials, or cannot be read, so that it may be."""
    trials = {file.name for file in list_trials(root / FOLDER)[0]}
    committed = list_trials(path.parents[1] / COMMITTED.name / FOLDER)[0]
    if not trials or committed or not path.is_file():
        return False
    try:
        return any(entry.trials_file in trials for entry in read_tuned(path).entries)
    except SpecError:
        return True


def check_tuned(root: Path, path: Path) -> list[Problem]:
    """Returns what is wrong with a file of tuned options, by the trials of a results folder.

    An entry must be what its trials give, by the file and the seal that it names, and have as many trials,
    by the same sampler and rule, as its rivals on the same data. In a folder with trials those of every entry
    must be; of a folder without any it is only said that nothing can be checked. Entries of other versions of
    a model or a data set are only mentioned.

    Arguments:
        root: The results folder.
        path: The file of tuned options.
    """
    if not path.is_file() and is_committed(path):
        text = f"it was deleted, and git has it; put it back by: git checkout HEAD -- {quote(str(path))}"
        return [Problem("tuned", str(path), text)]
    try:
        entries = read_tuned(path).entries
    except SpecError as error:
        return [Problem("tuned", str(path), str(error))]
    files = {file.rule.file: file for file in Tunings(root).files()}
    problems = [
        Problem(kind, str(path), f"{_name(entry)}: {text}")
        for entry in entries
        if (file := files.get(entry.trials_file)) is not None
        for kind, text in _compare(entry, file, path)
    ]
    ruled = [_with_rule(entry, files.get(entry.trials_file)) for entry in entries]
    problems += [
        Problem("tuned", str(path), _describe(unequal)) for unequal in find_inequalities(ruled)
    ]
    return [*problems, *_find_absent(root, path, entries, files)]


def _find_absent(
    root: Path, path: Path, entries: Sequence[TunedEntry], files: Mapping[str, TuningFile]
) -> Iterator[Problem]:
    """The entries whose trials are not in the folder: each a problem where others are."""
    absent = [entry for entry in entries if entry.trials_file not in files]
    if absent and not files:
        text = f"{root}/tuning has no trials, so that the options of {len(absent)} entries cannot be checked"
        yield Problem("absent", str(path), text)
    for entry in absent if files else ():
        text = (
            f"{_name(entry)}: its trials, {entry.trials_file}, are not in {root}/tuning, beside those of "
            f"others; bring them there, or tune it again: genbench tune -m {entry.model} -d {entry.dataset} "
            f"{OTHER_PLAN}"
        )
        yield Problem("tuned", str(path), text)


def _with_rule(entry: TunedEntry, file: TuningFile | None) -> TunedEntry:
    """An entry with the rule that its trials have, where it was written without."""
    if entry.rule is not None or file is None:
        return entry
    return entry.model_copy(update={"rule": file.rule.shared})


def _describe(unequal: Inequality) -> str:
    """A sentence that names how the models of a data set were tuned, the rarest way first."""
    by_terms: dict[str, list[str]] = {}
    for entry in unequal.entries:
        by_terms.setdefault(unequal.describe(entry), []).append(entry.model)
    fewest_first = sorted(by_terms.items(), key=lambda pair: len(pair[1]))
    words = (
        f"{', '.join(models[:3])}{' …' * (len(models) > 3)} had {terms}"
        for terms, models in fewest_first
    )
    dataset = unequal.entries[0].dataset
    return (
        f"{dataset}: models were not tuned alike: {'; '.join(words)}; tune them alike and type: "
        f"genbench tune --accept -d {dataset} {OTHER_PLAN}"
    )


def _compare(entry: TunedEntry, file: TuningFile, path: Path) -> Iterator[tuple[str, str]]:
    """What an entry says that its trials do not, with the kind of problem that it is."""
    rule = file.rule
    to = "" if is_taken(path) else f" --tuned {quote(str(path))}"
    again = f"accept them again: genbench tune --accept{to} -m {rule.model} -d {rule.dataset} {OTHER_PLAN}"
    if outdated := find_outdated(rule):
        yield "stale", f"tuned at {outdated}"
    elif entry.trials_hash != file.seal:
        yield (
            "tuned",
            f"it names trials of seal {entry.trials_hash}, {rule.file} has {file.seal}; {again}",
        )
    elif changed := find_changed(file):
        yield "tuned", f"of {changed}"
    elif failed := find_failed(file):
        retry = f"-m {rule.model} -d {rule.dataset} --sampler {rule.sampler} --retry-failed"
        yield "tuned", f"of {failed}; type: genbench tune {retry}, then {again}"
    elif (made := make_entry(file)) is None:
        yield "tuned", f"no trial of {rule.file} was scored to the end; delete the entry"
    elif fields := [*_differences(_with_rule(entry, file).model_dump(), made.model_dump())]:
        yield "tuned", f"{', '.join(fields)} is not what its trials give; {again}"


def _differences(ours: Any, theirs: Any, place: str = "") -> Iterator[str]:
    """The dotted names of the values that differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from _differences(
                ours.get(key), theirs.get(key), f"{place}.{key}" if place else str(key)
            )
    elif ours != theirs:
        yield f"{place} {ours!r} for {theirs!r}"


def _name(entry: TunedEntry) -> str:
    return f"{entry.model} on {entry.dataset}"
