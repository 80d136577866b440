"""What is wrong with a results folder, and what merely deserves to be known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genbench.core.dataset import DATASETS
from genbench.core.errors import GenbenchError
from genbench.core.metric import METRICS
from genbench.core.model import MODELS
from genbench.core.registry import Registry
from genbench.store.folder import Store, is_intact
from genbench.store.record import Record
from genbench.store.trial import Trials

#: kinds of findings; those of BAD make a folder invalid
BAD = ("record", "place", "duplicate", "artifact")
NOTES = ("stale", "unknown", "absent", "foreign", "leftover", "set aside")


@dataclass(frozen=True)
class Finding:
    """One thing to be said about one file: what kind, where, and a sentence."""

    kind: str
    path: str
    problem: str

    @property
    def bad(self) -> bool:
        """Whether it makes the folder invalid."""
        return self.kind in BAD


def validate(store: Store) -> tuple[int, list[Finding]]:
    """Returns the number of sound records and everything found, the bad first.

    Checked are every record's seal, schema, cell id, name and place; duplicates; artifacts against
    their hashes; the seals of claims' trials. Reported, but not held against the folder, are versions
    older than the installed ones, plugins that are not installed, artifacts that stayed elsewhere, and
    foreign files.
    """
    found: list[Finding] = []
    places: dict[str, Path] = {}
    absent = 0
    for path, record, problem in store.scan():
        if record is None:
            kind = "place" if "belongs in" in (problem or "") else "record"
            found.append(Finding(kind, str(path), problem or ""))
            continue
        places[record.cell] = path
        found += [Finding(kind, str(path), text) for kind, text in versions(record)]
        absent += any(store.artifact(ref) is None for ref in record.artifacts.values())
    if absent:
        text = f"the samples or weights of {absent} records are not here"
        found.append(Finding("absent", str(store.root / ".artifacts"), text))
    found = [_as_duplicate(finding, places) for finding in found]
    found += [*artifacts(store), *trials(store), *strangers(store)]
    return len(places), sorted(found, key=lambda f: (not f.bad, f.kind, f.path))


def versions(record: Record) -> Iterator[tuple[str, str]]:
    """Yields what a record was made with that is older than the installed, or not installed."""
    spec = record.spec
    made: list[tuple[Registry, str, int]] = [
        (MODELS, spec.model, spec.model_version),
        (DATASETS, spec.dataset, spec.dataset_version),
    ]
    made += [(METRICS, *pair) for pair in sorted({(m.metric, m.version) for m in record.metrics})]
    for registry, name, version in made:
        if name not in registry:
            yield (
                "unknown",
                f"{registry.kind} {name!r} is not installed; name its file by --plugin",
            )
            continue
        try:
            installed = registry.get(name).version
        except GenbenchError as error:
            yield "unknown", f"{registry.kind} {name!r} cannot be loaded: {error}"
            continue
        if version < installed:
            yield (
                "stale",
                f"{registry.kind} {name} is at version {installed}, this is of {version}",
            )


def artifacts(store: Store) -> Iterator[Finding]:
    """Yields artifacts whose content is not what their name says."""
    for path in sorted((store.root / ".artifacts").glob("*")):
        if re.fullmatch(r"[0-9a-f]{64}\.[a-z]+", path.name) and not is_intact(
            path, path.read_bytes()
        ):
            text = f"{path} is damaged: its content does not hash to its name; delete it"
            yield Finding("artifact", str(path), text)


def trials(store: Store) -> Iterator[Finding]:
    """Yields trials of claims that were damaged or changed by hand."""
    for path, trial in Trials(store.root).scan():
        if trial is None:
            yield Finding("record", str(path), f"{path} is not a trial, or its seal is broken")


def strangers(store: Store) -> Iterator[Finding]:
    """Yields files that genbench did not put there, or left when it was killed."""
    own = {*store.files(), store.root / ".lock"}
    own |= {path for path, _ in Trials(store.root).scan()}
    for path in sorted(store.root.rglob("*")):
        if path.is_dir() or path in own:
            continue
        top = path.relative_to(store.root).parts[0]
        if top == ".set-aside":
            yield Finding("set aside", str(path), f"{path} could not be used and was replaced")
        elif path.name.startswith(".") and path.suffix == ".tmp":
            text = f"{path} was left by a run that was killed; it may be deleted"
            yield Finding("leftover", str(path), text)
        elif top not in (".artifacts", ".checkpoints"):
            yield Finding("foreign", str(path), f"{path} is no record")


def _as_duplicate(finding: Finding, places: dict[str, Path]) -> Finding:
    """A misplaced record is a duplicate where its cell's own place is taken."""
    known = places.get(Path(finding.path).stem)
    if finding.kind != "place" or known is None:
        return finding
    text = f"{finding.path} repeats the cell of {known}; delete one of them"
    return Finding("duplicate", finding.path, text)
