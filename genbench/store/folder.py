"""A results folder: records written whole or not at all; samples and weights live beside them."""

from __future__ import annotations

import gc
import hashlib
import os
import re
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from genbench.core.declarations import NAME
from genbench.core.errors import StoreError, WriteError
from genbench.core.files import list_folder, make_folder, read_file, write_bytes
from genbench.core.spec import CellSpec
from genbench.store.form import NewerRecordError, from_bytes, to_bytes
from genbench.store.locks import Locks
from genbench.store.record import Record


class Store:
    """A results folder: `<dataset>/<model>/<cell>.json` and `.artifacts/<sha256>`.

    Arguments:
        root: The folder; it is made on the first write.
        groups: Let `records` yield those of these groups alone (cells that differ in the seed only).
    """

    def __init__(self, root: Path | str, groups: Set[str] | None = None) -> None:
        self.root, self.groups = Path(root), groups
        #: by path, what is wrong with the files that `read` was asked for and could not use
        self.damaged: dict[Path, str] = {}
        #: files that are not damaged: a later genbench wrote them
        self.newer: set[Path] = set()

    def path(self, spec: CellSpec) -> Path:
        """Returns where a cell's record lies; names that could leave the folder are refused."""
        return self._place(spec, spec.cell)

    def _place(self, spec: CellSpec, cell: str) -> Path:
        for name in (spec.dataset, spec.model):
            if not NAME.fullmatch(name):
                raise StoreError(
                    f"{name!r} cannot name a folder of results; use letters, digits, _ . -"
                )
        return Path(self.root, spec.dataset, spec.model, f"{cell}.json")

    def has(self, dataset: str, model: str) -> bool:
        """Returns whether there may be a record of a model on a data set, whatever its settings."""
        return (self.root / dataset / model).is_dir()

    def read(self, spec: CellSpec) -> Record | None:
        """Returns a cell's record, or None if there is none that can be read."""
        path = self.path(spec)
        if not os.path.lexists(path):
            return None
        record, problem = self.parse(path)
        if problem:
            self.damaged[path] = problem
        return record

    def write(self, record: Record) -> Path:
        """Writes a record: temporary file, fsync, rename; a file that is not a record is set aside first."""
        path = self.path(record.spec)
        if os.path.lexists(path) and self.parse(path)[0] is None:
            self.set_aside(path)
        write_bytes(path, to_bytes(record))
        return path

    def set_aside(self, path: Path) -> Path:
        """Moves a file that cannot be used to `.set-aside/`, where nothing is lost; returns where."""
        place = self.root / ".set-aside" / path.relative_to(self.root)
        place = next(
            p for n in range(10**6) if not (p := place.with_name(f"{place.name}.{n}")).exists()
        )
        try:
            make_folder(place.parent)
            path.rename(place)
        except OSError as error:
            raise WriteError(f"cannot move {path} aside: {error.strerror or error}") from error
        return place

    def scan(self) -> Iterator[tuple[Path, Record | None, str | None]]:
        """Yields (path, record, None) or (path, None, what is wrong) for every file of a record."""
        paths, unread = self._walk()
        for folder, problem in unread:
            yield folder, None, problem
        for path in paths:
            yield (path, *self.parse(path))

    def records(self) -> Iterator[Record]:
        """Yields every sound record, in the order of paths; see `problems` for the others."""
        for _, record, _ in self.scan():
            if record is not None and (self.groups is None or record.group in self.groups):
                yield record

    def models(self, dataset: str) -> list[str]:
        """Returns the models that have a folder on a data set, sorted."""
        return sorted(path.name for path in _list(self.root / dataset) if path.is_dir())

    def of(self, dataset: str, model: str) -> list[Record]:
        """Returns the sound records of a model on a data set, whatever its settings."""
        paths = [p for p in _list(self.root / dataset / model) if p.suffix == ".json"]
        return [record for path in paths if (record := self._at(path)) is not None]

    def _at(self, path: Path) -> Record | None:
        return self.parse(path)[0]

    def problems(self) -> list[str]:
        """Returns one sentence for every file that is not a valid record or lies in the wrong place."""
        return [problem for _, _, problem in self.scan() if problem]

    def load(self, *, curves: bool = True) -> tuple[list[Record], list[str]]:
        """Returns what `records` and `problems` give, of one reading of the folder.

        Arguments:
            curves: Whether records keep their learning curves, a third of their memory.
        """
        records: list[Record] = []
        problems: list[str] = []
        last: Record | None = None
        with _without_collection():
            for _, record, problem in self.scan():
                if problem:
                    problems.append(problem)
                elif record is not None and (self.groups is None or record.group in self.groups):
                    if not curves:
                        record.curve = []
                    _share(record, last)
                    last = record
                    records.append(record)
        return records, problems

    def find(self, cell: str) -> Record | None:
        """Returns the record whose cell id starts with the given digits, if there is just one."""
        if not re.fullmatch(r"[0-9a-f]{4,16}", cell):
            return None
        paths = [path for path in self.files() if path.stem.startswith(cell)]
        return self.parse(paths[0])[0] if len(paths) == 1 else None

    def put(self, content: bytes, suffix: str) -> str:
        """Stores an artifact by content; returns "sha256:<hex><suffix>"."""
        reference = f"sha256:{hashlib.sha256(content).hexdigest()}{suffix}"
        if self.content(reference) is None:  # one that was damaged on disk is written again
            write_bytes(self.root / ".artifacts" / reference.removeprefix("sha256:"), content)
        return reference

    def artifact(self, reference: str) -> Path | None:
        """Returns the file of an artifact, or None if it is not here (records travel without)."""
        name = reference.removeprefix("sha256:")
        if not re.fullmatch(r"[0-9a-f]{64}\.[a-z]+", name):
            return None
        path = self.root / ".artifacts" / name
        return path if path.is_file() else None

    def content(self, reference: str) -> bytes | None:
        """Returns the bytes of an artifact, or None if it is not here or damaged."""
        path = self.artifact(reference)
        try:
            content = read_file(path, None) if path else None
        except OSError:
            return None
        return content if path and content is not None and is_intact(path, content) else None

    def migrate(self) -> int:
        """Writes records of older forms (unsealed, or indented throughout) as today's; returns how many.

        What a run or a merge has in hand is left to it.
        """
        old = [path for path in self.files() if self._renewed(path) is not None]
        if not old:
            return 0
        count = 0
        with Locks(self.root) as locks:
            for path in old:
                if locks.take(path.stem) and (content := self._renewed(path)) is not None:
                    write_bytes(path, content)
                    count += 1
        return count

    def _renewed(self, path: Path) -> bytes | None:
        """A record's file in today's form, or None where it has that, or holds no record."""
        record = self.parse(path, trusted=True)[0]
        content = None if record is None else to_bytes(record)
        return None if content is None or read_file(path) == content else content

    def parse(self, path: Path, *, trusted: bool = False) -> tuple[Record | None, str | None]:
        """Returns the record in a file, or what is wrong with it.

        Arguments:
            path: The file.
            trusted: Whether it may be of the time before seals.
        """
        try:
            record = from_bytes(read_file(path), trusted=trusted)
            spec = record.spec
            if (record.cell, record.group) != (spec.cell, spec.group):
                return None, f"{path} holds cell {record.cell}, whose spec hashes to {spec.cell}"
            own = self._place(spec, record.cell)  # the hash is known: it was just compared
        except NewerRecordError as error:
            self.newer.add(path)
            return None, f"{path} is of a later genbench: {error}"
        except (StoreError, ValueError) as error:
            return None, f"{path} is not a record: {error}"
        except OSError as error:
            return None, f"{path} cannot be read: {error.strerror or error}"
        except MemoryError:
            return None, f"{path} does not fit into memory; end other programs and try again"
        except (TypeError, LookupError, ArithmeticError, RecursionError) as error:
            return None, f"{path} is not a record: {type(error).__name__}: {error}"
        if own != path:
            return None, f"{path} holds a record that belongs in {own}; move it there"
        return record, None

    def files(self) -> list[Path]:
        """Returns the paths where records are looked for, sorted."""
        return self._walk()[0]

    def unread(self) -> list[str]:
        """Returns a sentence for every folder of records that cannot be read."""
        return [problem for _, problem in self._walk()[1]]

    def _walk(self) -> tuple[list[Path], list[tuple[Path, str]]]:
        """The files of records, sorted, and the folders that cannot be read, with why."""
        unread: list[tuple[Path, str]] = []

        def children(folder: Path) -> list[Path]:
            try:
                return list_folder(folder)
            except OSError as error:
                why = f"{folder} cannot be read: {error.strerror}; its records are not known"
                unread.append((folder, why))
                return []

        datasets = [path for path in children(self.root) if not path.name.startswith(".")]
        models = [path for dataset in datasets for path in children(dataset)]
        files = [path for model in models for path in children(model) if path.suffix == ".json"]
        return sorted(files), unread


def _share(record: Record, last: Record | None) -> None:
    """Lets a record use what the one before it holds too: many records need less memory."""
    if last is None:
        return
    if record.environment == last.environment:
        record.environment = last.environment
    if record.data_hashes == last.data_hashes:
        record.data_hashes = last.data_hashes


@contextmanager
def _without_collection() -> Iterator[None]:
    """Stops the search for cycles: there are none in records, and it goes through all of them each time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _list(folder: Path) -> list[Path]:
    """What is in a folder that other ways than this tell of where it cannot be read."""
    try:
        return list_folder(folder)
    except OSError:
        return []


def is_intact(path: Path, content: bytes) -> bool:
    """Returns whether an artifact's content hashes to its name."""
    return hashlib.sha256(content).hexdigest() == path.stem
