"""Points from anywhere: arrays, folders of images, splits, recorded cells, and anybody's generator."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from genbench.core.dataset import DATASETS, SPLITS, Dataset, open_named
from genbench.core.errors import DataError, nearest
from genbench.core.registry import named_callable
from genbench.points import images, memmap
from genbench.points.arrays import ArrayPoints, open_array, wrap_array
from genbench.store import Record, Store

#: rows of an array that are hashed at once
ROWS = 4096


@dataclass(frozen=True)
class Points:
    """Points in data space, read a batch at a time.

    Arguments:
        label: What the user called them.
        batches: Maps a batch size to an iterator of tensors (at most that many, *event).
        count: How many there are, or None until they have been read.
        digest: Returns a hash of their content, or None where none can be known beforehand.
        dataset: The data set they belong to, or None.
        note: What a reader should know (files that were left out), or empty.
        whole: All of them, where they lie in one array as they are, otherwise None.
    """

    label: str
    batches: Callable[[int], Iterator[Tensor]]
    count: int | None = None
    digest: Callable[[], str | None] = lambda: None
    dataset: Dataset | None = None
    note: str = ""
    whole: Tensor | None = None


@dataclass(frozen=True)
class ReadOptions:
    """How sources are opened and read.

    Arguments:
        results: The folder in which cells are looked up.
        size: Resize images of folders to (height, width), or None.
        channels: 1 or 3 for images of folders, or None for what the first one has.
        data_dir: A folder with data sets' files.
        offline: Whether downloads are forbidden.
        batch: How many points are read and extracted at once.
        limit: Stop after so many.
        memory: The most bytes that points may take.
        progress: Called with a source's label, how many points are read, and of how many (or None).
    """

    results: Path = Path("results")
    size: tuple[int, int] | None = None
    channels: int | None = None
    data_dir: Path | None = None
    offline: bool = False
    batch: int = 64
    limit: int | None = None
    memory: int = 4 << 30
    progress: Callable[[str, int, int | None], None] = lambda label, count, total: None


def open_points(source: Any, options: ReadOptions, *, label: str = "samples") -> Points:
    """Returns the points that somebody means.

    Arguments:
        source: A path, `dataset:split`, a cell's id, `module:callable`, an array, a tensor (on any
            device), or something that yields batches: an iterable or a function that returns one.
        options: How it is opened.
        label: What an array or an iterable is called, which has no name of its own.

    Raises:
        DataError: If nothing of that name is found or it cannot be used.
    """
    if isinstance(source, str | Path):
        return _open_named(str(source), options)
    if isinstance(source, Tensor) or hasattr(source, "__array__"):
        return _open_array(wrap_array(_to_array(source, label), label))
    if callable(source):
        function: Any = source
        return _open_generator(getattr(source, "__qualname__", label), function)
    return _open_generator(label, lambda: source)


def open_split(dataset: Dataset, split: str) -> Points:
    """Returns the points of a data set's split.

    Raises:
        DataError: If it has no such split.
    """
    name = dataset.name
    if split not in SPLITS:
        raise DataError(f"{name} has no split {split!r}{nearest(split, SPLITS)}")
    points = dataset.points(split)
    if len(points) < 2:
        raise DataError(f"{name} has no {split} split; take another of {', '.join(SPLITS)}")
    known_by = f"{name}@{dataset.version}:{dataset.hashes[split]}"

    def digest() -> str:
        return hashlib.sha256(known_by.encode()).hexdigest()

    def batches(size: int) -> Iterator[Tensor]:
        yield from points.split(size)

    return Points(f"{name}:{split}", batches, len(points), digest, dataset)


def _open_named(source: str, options: ReadOptions) -> Points:
    path = Path(source)
    if path.is_dir():
        return _open_folder(path, options)
    if path.exists() or path.suffix in (".npy", ".npz"):
        return _open_file(path)
    name, _, rest = source.partition(":")
    if rest in SPLITS or (rest and name in DATASETS):
        dataset = open_named(name, data_dir=options.data_dir, offline=options.offline)
        return open_split(dataset, rest)
    if rest:
        return _open_generator(source, named_callable(source))
    record = Store(options.results).find(source)
    if record is not None:
        return _open_cell(record, options)
    raise DataError(
        f"{source} is not a file, folder, split (digits:test), cell of {options.results}/ or "
        f"module:callable; give one of these"
    )


def _open_file(path: Path, dataset: Dataset | None = None) -> Points:
    points = _open_array(open_array(path), dataset)
    return replace(points, digest=lambda: _file_digest(path))


def _open_array(points: ArrayPoints, dataset: Dataset | None = None) -> Points:
    def batches(size: int) -> Iterator[Tensor]:
        for at in range(0, len(points), size):
            yield torch.from_numpy(points.read(at, at + size))

    def digest() -> str:
        whole = hashlib.sha256(repr((points.array.dtype.str, points.array.shape)).encode())
        for at in range(0, len(points), ROWS):
            whole.update(numpy.ascontiguousarray(points.array[at : at + ROWS]).data)
        return whole.hexdigest()

    whole: Any = points.plain()
    if isinstance(whole, numpy.memmap):
        whole = memmap.to_memmap(whole)
    elif whole is not None:
        whole = torch.from_numpy(whole)
    return Points(points.label, batches, len(points), digest, dataset, whole=whole)


def _open_folder(path: Path, options: ReadOptions) -> Points:
    folder = images.open_folder(path, size=options.size, channels=options.channels)

    def batches(size: int) -> Iterator[Tensor]:
        for batch in folder.batches(size):
            yield torch.from_numpy(batch)

    def digest() -> str:
        whole = hashlib.sha256(repr((folder.event, folder.resize)).encode())
        for file in folder.files:
            whole.update(bytes.fromhex(_file_digest(file)))
        return whole.hexdigest()

    note = f"{folder.others} files that are not images were left out" if folder.others else ""
    return Points(str(path), batches, len(folder), digest, note=note)


def _open_cell(record: Record, options: ReadOptions) -> Points:
    spec, reference = record.spec, record.artifacts.get("samples")
    path = Store(options.results).artifact(reference) if reference else None
    if path is None:
        raise DataError(
            f"cell {record.cell} has no samples beside its record; run it here: "
            f"genbench run -m {spec.model} -d {spec.dataset}"
        )
    where = {"data_dir": options.data_dir, "offline": options.offline}
    dataset = open_named(spec.dataset, **where, **spec.dataset_options)
    label = f"{record.cell} ({spec.model} on {spec.dataset}, seed {spec.seed})"
    return replace(_open_file(path, dataset), label=label)


def _open_generator(label: str, function: Callable[[], Iterable[Any]]) -> Points:
    """Points that a user's function yields: arrays or tensors (B, *event), until it ends."""

    def batches(size: int) -> Iterator[Tensor]:
        try:
            iterator = iter(function())
        except (Exception, SystemExit) as error:
            raise DataError(_blame(label, error)) from error
        for number in range(sys.maxsize):
            try:
                batch = next(iterator)
            except StopIteration:
                return
            except (Exception, SystemExit) as error:
                raise DataError(_blame(label, error)) from error
            name = f"batch {number} of {label}"
            points = wrap_array(_to_array(batch, name), name, least=1)
            yield from torch.from_numpy(points.read(0, len(points))).split(size)

    return Points(label, batches)


def _blame(label: str, error: BaseException) -> str:
    """One sentence with the user's line in which the error arose."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    text = " ".join(str(error).split())[:200]
    return f"{label} failed: {type(error).__name__}: {text}{where}; repair it"


def _to_array(x: Any, label: str) -> numpy.ndarray:
    """A user's array, tensor or nested list as a plain array; one that cannot be, in one sentence."""
    try:
        if isinstance(x, Tensor):
            x = x.detach().cpu()
            x = (x.float() if x.dtype == torch.bfloat16 else x).numpy()
        return numpy.asarray(x)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{label} needs to be an array of numbers: {error}") from None


def _file_digest(path: Path) -> str:
    if path.exists() and not path.is_file():  # a pipe would never end
        raise DataError(f"{path} is not a regular file; remove it")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
