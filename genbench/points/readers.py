"""Points as they are stored, in chunks, before anybody knows what their numbers mean."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy

from genbench.core.errors import DataError
from genbench.points.labels import as_classes, join_classes

#: rows of an array that are hashed at once
ROWS = 4096


@dataclass(frozen=True)
class Chunk:
    """Some points as they are stored.

    Arguments:
        array: Shape (B, ...), of any type.
        name: What they are called in messages.
        labels: Their classes, shape (B,), or None.
        picture: Whether they come from picture files, (B, C, H, W), so that their layout is known.
        loose: Whether an object yielded them, which may yield pictures one by one.
    """

    array: numpy.ndarray
    name: str
    labels: numpy.ndarray | None = None
    picture: bool = False
    loose: bool = False


class Reader(Protocol):
    """Points of known number that can be read again and again.

    Arguments:
        label: What they are called.
    """

    label: str

    @property
    def labels(self) -> numpy.ndarray | None:
        """The class of every point, of any type, (N,), or None where they are not known."""
        ...

    def __len__(self) -> int: ...

    def take(self, rows: numpy.ndarray) -> list[Chunk]:
        """Returns the points of ascending numbers, in their order, in one chunk or more."""
        ...

    def digest(self) -> str | None:
        """Returns a hash of what is read, or None where none is to be had."""
        ...

    def notes(self) -> list[str]:
        """Returns what a reader of the result should know; complete once all has been read."""
        ...


@dataclass
class ArrayReader:
    """Points in an array, perhaps mapped from a file.

    Arguments:
        label: A path, where it is a file.
        array: Shape (N, ...), or what can be sliced like one.
        labels: Their classes, shape (N,), or None.
        source: Returns the hash of the file that it comes from; None hashes the numbers.
        remarks: Notes.
        moments: Statistics that lie beside the points, or None.
        columns: What the D coordinates of points (N, D) are called; empty where they have no names.
    """

    label: str
    array: numpy.ndarray
    labels: numpy.ndarray | None = None
    source: Callable[[], str] | None = None
    remarks: tuple[str, ...] = ()
    moments: Any = None
    columns: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.array)

    def take(self, rows: numpy.ndarray) -> list[Chunk]:
        """Returns a copy of the rows, in one chunk."""
        part = numpy.array(self.array[as_slice(rows)], order="C")
        release_pages(self.array)
        labels = None if self.labels is None else self.labels[rows]
        return [Chunk(part, self.label, labels)]

    def digest(self) -> str:
        """Returns the file's hash, else one of type, shape and bytes."""
        if self.source is not None:
            return self.source()
        whole = hashlib.sha256(repr((self.array.dtype.str, self.array.shape)).encode())
        for at in range(0, len(self), ROWS):
            whole.update(numpy.ascontiguousarray(self.array[at : at + ROWS]).data)
        return whole.hexdigest()

    def notes(self) -> list[str]:
        """Returns the remarks."""
        return list(self.remarks)

    def plain(self) -> numpy.ndarray | None:
        """Returns the array where rows of floats lie in it one after the other, else None."""
        array = self.array
        if not isinstance(array, numpy.ndarray) or array.ndim != 2:
            return None
        if not array.flags.c_contiguous or not array.flags.writeable:
            return None
        right = array.dtype in (numpy.float32, numpy.float64) and array.dtype.isnative
        return array if right else None


class JoinedReader:
    """Points of several files one after the other, of which one is open at a time.

    Arguments:
        label: What they are called together.
        parts: Opens each.
        source: Returns a hash of the files, where the parts cannot give theirs.
    """

    def __init__(
        self,
        label: str,
        parts: Sequence[Callable[[], Reader]],
        source: Callable[[], str] | None = None,
    ) -> None:
        self.label, self.parts, self.source = label, list(parts), source
        self._notes: list[str] = []
        self.columns: tuple[str, ...] = ()
        lengths = [0]
        for part in self.parts:
            reader = part()
            lengths.append(len(reader))
            self.columns = self.columns or columns_of(reader)
            self._refuse_other_columns(reader)
            own = "" if reader.label == label else f"{reader.label}: "
            self._notes += [f"{own}{note}" for note in reader.notes()]
        self.ends = numpy.cumsum(lengths)
        self._open: tuple[int, Reader] | None = None

    def _refuse_other_columns(self, reader: Reader) -> None:
        """Refuses a file whose columns are not those of the files before, in their order."""
        columns = columns_of(reader)
        if columns and columns != self.columns:
            orders = " and ".join(map(_list_columns, (self.columns, columns)))
            raise DataError(
                f"{self.label} needs files of the same columns in one order, got {orders} in {reader.label}"
            )

    def __len__(self) -> int:
        return int(self.ends[-1])

    def take(self, rows: numpy.ndarray) -> list[Chunk]:
        """Returns the rows, each file's in chunks of its own."""
        chunks: list[Chunk] = []
        places = numpy.searchsorted(self.ends, rows, side="right") - 1
        for place in numpy.unique(places):
            inside = rows[places == place] - self.ends[place]
            chunks += self._part(int(place)).take(inside)
        return chunks

    @property
    def labels(self) -> numpy.ndarray | None:
        """The classes, where every file has them."""
        return join_classes([as_classes(part().labels) for part in self.parts])

    def digest(self) -> str | None:
        """Returns a hash of the files' hashes."""
        if self.source is not None:
            return self.source()
        whole = hashlib.sha256()
        for part in self.parts:
            digest = part().digest()
            if digest is None:
                return None
            whole.update(digest.encode())
        return whole.hexdigest()

    def notes(self) -> list[str]:
        """Returns what there is to say of each file, once."""
        self._notes[:] = dict.fromkeys(self._notes)
        return self._notes

    def _part(self, place: int) -> Reader:
        if self._open is None or self._open[0] != place:
            self._open = None  # the old one goes before the new one comes
            self._open = place, self.parts[place]()
        return self._open[1]


def columns_of(reader: object) -> tuple[str, ...]:
    """Returns what the coordinates of a reader's points are called; empty where they have no names."""
    return tuple(getattr(reader, "columns", ()))


def refuse_other_order(one: Any, other: Any) -> None:
    """Refuses tables of the same columns in two orders, whose numbers would be compared by their places.

    Raises:
        DataError: With both orders.
    """
    first, second = columns_of(one), columns_of(other)
    if first != second and sorted(first) == sorted(second):
        orders = " and ".join(map(_list_columns, (first, second)))
        raise DataError(
            f"{one.label} and {other.label} need their columns in one order, got {orders}; save both "
            f"alike"
        )


def note_other_names(one: Any, other: Any) -> str:
    """Returns a sentence where as many columns have other names, which count by their places; else ""."""
    first, second = columns_of(one), columns_of(other)
    if first == second or len(first) != len(second):
        return ""
    return (
        f"columns {_list_columns(first)} of {one.label} stand for {_list_columns(second)} of "
        f"{other.label}, in this order"
    )


def _list_columns(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def read_all(reader: Reader, size: int, rows: numpy.ndarray | None = None) -> Iterator[Chunk]:
    """Yields chunks of at most so many points.

    Arguments:
        reader: Where they come from.
        size: How many points are read at once.
        rows: Their numbers, ascending; None reads all.
    """
    count = len(reader) if rows is None else len(rows)
    for at in range(0, count, size):
        stop = min(at + size, count)
        yield from reader.take(numpy.arange(at, stop) if rows is None else rows[at:stop])


def as_slice(rows: numpy.ndarray) -> slice | numpy.ndarray:
    """Returns ascending numbers without gaps as a slice, which maps no pages beside them."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows


def release_pages(array: object) -> None:
    """Lets the system take back the pages of a mapped file, which else count as the process's own."""
    pages = getattr(array, "_mmap", None)
    if isinstance(pages, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)


def hash_file(path: Path) -> str:
    """Returns the sha256 of a file.

    Raises:
        DataError: If it cannot be read.
    """
    if path.exists() and not path.is_file():  # a pipe would never end
        raise DataError(f"{path} is not a regular file; remove it")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
