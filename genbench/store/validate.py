"""What is wrong with a results folder, and what merely deserves to be known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from genbench.core.dataset import DATASETS, version_of
from genbench.core.errors import GenbenchError
from genbench.core.files import RUNS, list_folder, read_file
from genbench.core.metric import METRICS
from genbench.core.model import MODELS
from genbench.core.registry import Registry
from genbench.store.absent import has_content, list_absent_claims, no_records
from genbench.store.contradictions import find_contradictions
from genbench.store.folder import Store, is_intact
from genbench.store.record import Record
from genbench.store.trial import Trials
from genbench.store.tunings import Tunings

#: kinds of problems; those of BAD make a folder invalid
BAD = ("record", "place", "duplicate", "artifact", "tuned", "registration")
NOTES = ("stale", "unknown", "absent", "dates", "foreign", "leftover", "set aside")
#: the name of a picture that `genbench pictures` keeps: a group and a seed
PICTURE = re.compile(r"[0-9a-f]{16}-[0-9]+\.(webp|png|txt)")


@dataclass(frozen=True)
class Problem:
    """One thing to be said about one file: what kind, where, and a sentence."""

    kind: str
    path: str
    problem: str

    @property
    def bad(self) -> bool:
        """Whether it makes the folder invalid."""
        return self.kind in BAD


def validate_results(folder: Path | str = RUNS) -> tuple[int, list[Problem]]:
    """Returns what `validate` says of a results folder.

    Raises:
        StoreError: If there is no such folder, or nothing in it.
    """
    found = validate(Store(folder)) if Path(folder).is_dir() else (0, [])
    if not found[0] and not has_content(folder):
        raise no_records(folder, instead="genbench validate results")
    return found


def validate(store: Store) -> tuple[int, list[Problem]]:
    """Returns the number of sound records and all problems, the bad first.

    Checked are every record's seal, schema, cell id, name, place and numbers; duplicates; artifacts against
    their hashes; the seals and names of the trials of claims and of tuning. Reported, but no reason to
    reject the folder, are versions older than the installed ones, plugins that are not installed,
    artifacts that stayed elsewhere, and foreign files.
    """
    problems: list[Problem] = []
    places: dict[str, Path] = {}
    trials = [*Trials(store.root).scan(), *Tunings(store.root).scan()]
    absent = 0
    for path, record, problem in store.scan():
        if record is None:
            problems.append(_of_file(path, problem or ""))
            continue
        places[record.cell] = path
        problems += [Problem(kind, str(path), text) for kind, text in check_versions(record)]
        problems += [
            Problem("record", str(path), f"{path} was changed by hand: {text}")
            for text in find_contradictions(record)
        ]
        absent += any(store.artifact(ref) is None for ref in record.artifacts.values())
    if absent:
        text = f"the samples or weights of {absent} records are not here"
        problems.append(Problem("absent", str(store.root / ".artifacts"), text))
    problems = [_as_duplicate(problem, places) for problem in problems]
    problems += [
        *find_damaged_artifacts(store),
        *(_of_file(path, problem) for path, _, problem in trials if problem),
        *find_strangers(store, {path for path, _, _ in trials}),
        *(Problem("unknown", str(store.root), text) for text in list_absent_claims(store)),
    ]
    return len(places), sort_problems(problems)


def sort_problems(problems: Iterable[Problem]) -> list[Problem]:
    """Returns problems, the bad first, by kind and place."""
    return sorted(problems, key=lambda p: (not p.bad, p.kind, p.path))


def check_versions(record: Record) -> Iterator[tuple[str, str]]:
    """Yields what a record was made with that is older than the installed, or not installed."""
    spec = record.spec
    plugins: list[tuple[Registry, str, int]] = []
    if not spec.external:
        plugins = [
            (MODELS, spec.model, spec.model_version),
            (DATASETS, spec.dataset, spec.dataset_version),
        ]
    plugins += [
        (METRICS, *pair) for pair in sorted({(m.metric, m.version) for m in record.metrics})
    ]
    for registry, name, version in plugins:
        if name not in registry:
            yield (
                "unknown",
                f"{registry.kind} {name!r} is not installed; name its file by --plugin",
            )
            continue
        try:
            installed = registry.get(name).version
            if registry is DATASETS:
                installed = version_of(name, spec.dataset_options)
        except GenbenchError as error:
            yield "unknown", f"{registry.kind} {name!r} cannot be loaded: {error}"
            continue
        if version < installed:
            yield (
                "stale",
                f"{registry.kind} {name} is at version {installed}, this is of {version}",
            )


def find_damaged_artifacts(store: Store) -> Iterator[Problem]:
    """Yields artifacts whose content is not what their name says."""
    folder = store.root / ".artifacts"
    try:
        paths = list_folder(folder)
    except OSError as error:
        yield Problem("artifact", str(folder), f"{folder} cannot be read: {error.strerror}")
        return
    for path in paths:
        if not re.fullmatch(r"[0-9a-f]{64}\.[a-z]+", path.name):
            continue
        try:
            if not is_intact(path, read_file(path, None)):
                text = f"{path} is damaged: its content does not hash to its name; delete it"
                yield Problem("artifact", str(path), text)
        except OSError as error:
            yield Problem("artifact", str(path), f"{path} cannot be read: {error.strerror}")
        except MemoryError:
            text = f"{path} does not fit into memory, so that nobody knows whether it is sound"
            yield Problem("artifact", str(path), text)


def find_damaged_trials(root: Path) -> list[str]:
    """Returns a sentence for every file of trials, of claims or of tuning, that cannot be used."""
    every = (*Trials(root).scan(), *Tunings(root).scan())
    return [problem for _, _, problem in every if problem]


def find_strangers(store: Store, trials: Set[Path]) -> Iterator[Problem]:
    """Yields files that genbench did not put there, or left when it was killed."""
    own = {*store.files(), *trials, store.root / ".lock"}
    for path in sorted(store.root.rglob("*")):
        if path.is_dir() or path in own:
            continue
        top = path.relative_to(store.root).parts[0]
        if top == ".set-aside":
            text = f"{path} could not be used, or its cell came to other bits, and was replaced"
            yield Problem("set aside", str(path), text)
        elif path.name.startswith(".") and path.suffix == ".tmp":
            text = f"{path} was left by a run that was killed; it may be deleted"
            yield Problem("leftover", str(path), text)
        elif top not in (".artifacts", ".checkpoints") and not PICTURE.fullmatch(path.name):
            yield Problem("foreign", str(path), f"{path} is not a record")


def _of_file(path: Path, problem: str) -> Problem:
    """What is wrong with a file of records or trials: with its place, or with the file."""
    return Problem("place" if "belongs in" in problem else "record", str(path), problem)


def _as_duplicate(problem: Problem, places: dict[str, Path]) -> Problem:
    """A misplaced record is a duplicate where its cell's own place is taken."""
    own = places.get(Path(problem.path).stem)
    if problem.kind != "place" or own is None:
        return problem
    text = f"{problem.path} repeats the cell of {own}; delete one of them"
    return Problem("duplicate", problem.path, text)
