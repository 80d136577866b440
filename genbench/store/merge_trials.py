"""Trials of claims and of tuning from several results folders into one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from genbench.store import trial as claims
from genbench.store import tunings
from genbench.store.folder import Store
from genbench.store.moments import earliest, is_later
from genbench.store.trial import Trial, Trials
from genbench.store.tuning import DRAWN, Rung, TuningFile, TuningTrial
from genbench.store.tunings import Tunings

File = TypeVar("File", Trial, TuningFile)
#: what was done with one file: where it lies, how many copies held nothing new, and conflicts as
#: (what they are about, one place, the other, what differs)
Outcome = tuple[Path, int, list[tuple[str, str, str, list[str]]]]
Keep = Literal["none", "first", "last", "newest"]
#: what makes a trial of tuning the one it is
IDENTITY = ("hash", "seeds", "options", "training")


def merge_trials(
    sources: Sequence[Store], target: Store, keep: Keep, *, write: bool
) -> tuple[list[Outcome], list[str]]:
    """Unites the trials of folders, by file and seed, and writes them to another if asked.

    Arguments:
        sources: The folders; `first` and `last` mean their order.
        target: Where the union goes.
        keep: Which of two in conflict is kept; the first for `none`.
        write: Whether to write; without it the answer is what would be done.

    Returns:
        What was done file by file, and a sentence for every file that could not be used.
    """
    outcomes: list[Outcome] = []
    problems: list[str] = []
    for paths in _copies(sources, claims.FOLDER, problems):
        trial, same, conflicts = _fold(
            paths, claims.examine, differ_in_claims, join_claims, keep, problems
        )
        if trial is not None:
            place = target.root / claims.FOLDER / paths[0].name
            outcomes.append((place, same, conflicts))
            if write and paths != [place]:
                Trials(target.root).save(trial)
    for paths in _copies(sources, tunings.FOLDER, problems):
        file, same, conflicts = _fold(
            paths, tunings.examine, differ_in_tuning, join_tuning, keep, problems
        )
        if file is not None:
            place = target.root / tunings.FOLDER / paths[0].name
            outcomes.append((place, same, conflicts))
            if write and paths != [place]:
                Tunings(target.root).save(file)
    return outcomes, problems


def list_files(store: Store) -> list[Path]:
    """Returns the files of trials of a folder, of claims and of tuning."""
    folders = (store.root / folder for folder in (claims.FOLDER, tunings.FOLDER))
    return [path for folder in folders for path in claims.list_trials(folder)[0]]


def _copies(sources: Sequence[Store], folder: str, problems: list[str]) -> list[list[Path]]:
    """By name the files of a folder of trials, in the order of sources."""
    every: list[Path] = []
    for store in sources:
        paths, problem = claims.list_trials(store.root / folder)
        every += paths
        problems += [problem] if problem else []
    return [[p for p in every if p.name == name] for name in sorted({p.name for p in every})]


def _fold(
    paths: Sequence[Path],
    examine: Callable[[Path], tuple[File | None, str | None]],
    differ: Callable[[File, File], list[str]],
    join: Callable[[File, File], File],
    keep: Keep,
    problems: list[str],
) -> tuple[File | None, int, list[tuple[str, str, str, list[str]]]]:
    """All copies of a file as one, how many held nothing new, and what they disagree in."""
    whole: File | None = None
    same, conflicts = 0, []
    for path in paths:
        other, problem = examine(path)
        if other is None:
            problems.append(problem or "")
        elif whole is None:
            whole, where = other, str(path)
        else:
            lines = differ(whole, other)
            if lines:
                conflicts.append((path.stem, where, str(path), lines))
            later = keep == "last" or (keep == "newest" and is_later(_time(other), _time(whole)))
            united = join(whole, other) if lines and later else join(other, whole)
            same += united == whole
            whole = united
    return whole, same, conflicts


def _time(file: Trial | TuningFile) -> str:
    return file.finished if isinstance(file, Trial) else file.started


def differ_in_claims(one: Trial, other: Trial) -> list[str]:
    """Returns what two trials of a claim disagree in, a line per column and seed."""
    both = sorted(one.seeds & other.seeds)
    return [
        f"{name}, seed {seed}: {a} | {b}"
        for name in sorted({*one.columns, *other.columns})
        for seed in both
        if (a := one.values(name).get(seed)) != (b := other.values(name).get(seed))
    ]


def join_claims(one: Trial, other: Trial) -> Trial:
    """Returns both trials as one; where both have a seed, the other's counts."""
    whole = other if one.seeds <= other.seeds else one.joined(other)
    return whole.model_copy(update={"started": earliest([one.started, other.started]) or ""})


def differ_in_tuning(one: TuningFile, other: TuningFile) -> list[str]:
    """Returns what two files of trials disagree in, a line per trial and what it is or scored."""
    return [line for lines in _find_clashes(one, other).values() for line in lines]


def _find_clashes(one: TuningFile, other: TuningFile) -> dict[int, list[str]]:
    """By the numbers of the trials in which two files disagree, a line for each difference."""
    both = sorted(one.by_number.keys() & other.by_number.keys())
    lines = {k: [*_differ_in_trials(one.by_number[k], other.by_number[k])] for k in both}
    return {k: some for k, some in lines.items() if some}


def _differ_in_trials(one: TuningTrial, other: TuningTrial) -> Iterator[str]:
    """What two trials of a number are, where that differs; else what the same trial scored."""
    pairs = ((name, getattr(one, name), getattr(other, name)) for name in IDENTITY)
    different = [f"trial {one.k}, {name}: {a} | {b}" for name, a, b in pairs if a != b]
    yield from different
    rungs = [] if different else zip(one.rungs, other.rungs, strict=False)
    for at, (a, b) in enumerate(rungs):
        yield from (f"trial {one.k}, rung {at}, {line}" for line in _differ_in_scores(a, b))


def _differ_in_scores(one: Rung, other: Rung) -> list[str]:
    return [
        f"{name}, seed {seed}: {value} | {other.scores[name][seed]}"
        for name, values in one.scores.items()
        for seed, value in values.items()
        if seed in other.scores.get(name, {}) and other.scores[name][seed] != value
    ]


def join_tuning(one: TuningFile, other: TuningFile) -> TuningFile:
    """Returns the trials of both; where both have one, the other's rungs count, and further ones follow.

    A trial in which they disagree is the other's whole: rungs of different options, or of different scores
    of the same, are never united. Where trials were proposed from those before, all are the other's then.
    """
    clashes = _find_clashes(one, other)
    if clashes and other.rule.sampler != DRAWN:
        return other
    ours = {k: trial for k, trial in one.by_number.items() if k not in clashes}
    both = ours.keys() & other.by_number.keys()
    joined = {k: _join_trials(ours[k], other.by_number[k]) for k in both}
    trials = dict(sorted((ours | other.by_number | joined).items()))
    machines = [*other.environments]
    machines += [machine for machine in one.environments if machine not in machines]
    about = {
        "trials": [*trials.values()],
        "floors": one.floors | other.floors,
        "protocols": one.protocols | other.protocols,
        "environments": machines,
        "started": earliest([one.started, other.started]) or "",
    }
    return other.model_copy(update=about)


def _join_trials(one: TuningTrial, other: TuningTrial) -> TuningTrial:
    count = max(len(one.rungs), len(other.rungs))
    rungs = [
        one.rungs[k].joined(other.rungs[k])
        if k < len(one.rungs) and k < len(other.rungs)
        else (one.rungs[k] if k < len(one.rungs) else other.rungs[k])
        for k in range(count)
    ]
    reached = {s for rung in rungs for by in rung.scores.values() for s in by}
    failures = {s: why for s, why in (one.failures | other.failures).items() if s not in reached}
    return other.model_copy(update={"rungs": rungs, "failures": failures})
