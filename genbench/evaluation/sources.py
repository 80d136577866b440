"""Points from anywhere, all by one way: opened, then normalised, then read in batches."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from genbench.core.dataset import DATASETS, SPLITS, Dataset, open_named
from genbench.core.errors import DataError, nearest
from genbench.core.registry import named_callable
from genbench.core.rng import Rng
from genbench.evaluation.files import KEYED, open_file, open_member, open_place
from genbench.evaluation.streams import name_object, open_object
from genbench.points import memmap
from genbench.points.moments import Moments
from genbench.points.normalisation import Normaliser, Rules, check
from genbench.points.ranges import Range
from genbench.points.readers import ArrayReader, Chunk, Reader, read_all
from genbench.store import Record, Store

#: what a drive's letter looks like
DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class Points:
    """Points in data space, read a batch at a time.

    Arguments:
        label: What the user called them.
        batches: Maps a batch size to an iterator of tensors (at most that many, *event).
        count: How many there are, or None until they have been read.
        digest: Returns a hash of their content, or None where none can be known beforehand.
        dataset: The data set they belong to, or None.
        notes: Returns what a reader should know (files that were left out); complete after reading.
        whole: All of them, where they lie in one array as they are, otherwise None.
        moments: Mean and covariance of their features, where a file gives those, otherwise None.
        lost: Whether those moments are all there is.
    """

    label: str
    batches: Callable[[int], Iterator[Tensor]]
    count: int | None = None
    digest: Callable[[], str | None] = lambda: None
    dataset: Dataset | None = None
    notes: Callable[[], list[str]] = list
    whole: Tensor | None = None
    moments: Moments | None = None
    lost: bool = False


@dataclass(frozen=True)
class ReadOptions:
    """How sources are opened and read.

    Arguments:
        results: The folder in which cells are looked up.
        size: Resize pictures to (height, width), or None.
        channels: 1 or 3 for pictures, or None for what they have.
        data_dir: A folder with data sets' files.
        offline: Whether downloads are forbidden.
        batch: How many points are read and extracted at once.
        limit: Take so many: drawn at random where all are at hand, otherwise the first.
        memory: The most bytes that points may take.
        progress: Called with a source's label, how many points are read, and of how many (or None).
        ranges: The range of pixel values declared for each side.
        seed: Which points are drawn.
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
    ranges: dict[str, Range] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True)
class Source:
    """What somebody means, opened but not yet understood.

    Arguments:
        label: What it is called.
        content: A reader of points of known number, a function that streams them, or moments.
        dataset: The data set that the points belong to, or None.
        split: Whether they are a data set's own.
    """

    label: str
    content: Reader | Callable[[], Iterator[Chunk]] | Moments
    dataset: Dataset | None = None
    split: bool = False


def open_points(
    source: Any, options: ReadOptions, *, label: str = "samples", side: str = "samples"
) -> Points:
    """Returns the points that somebody means, in data space.

    Arguments:
        source: As for `open_source`.
        options: How it is opened.
        label: What an array or an iterable is called, which has no name of its own.
        side: Whose declared range counts: samples, reference or train.

    Raises:
        DataError: If nothing of that name is found or it cannot be used.
    """
    opened = open_source(source, options, label=label)
    return normalise(opened, options, opened.dataset, side)


def open_source(source: Any, options: ReadOptions, *, label: str = "samples") -> Source:
    """Opens what somebody means.

    Arguments:
        source: A path, `file.npz:array`, `dataset:split`, a cell's id, `module:callable`, an array, a
            tensor (on any device), a pair of points and labels, or something that yields batches: an
            iterable, a data loader, or a function that returns one.
        options: How it is opened.
        label: What an array or an iterable is called, which has no name of its own.

    Raises:
        DataError: If nothing of that name is found or it cannot be used.
    """
    if isinstance(source, str | Path):
        return _open_named(str(source), options, label)
    name = name_object(source, label)
    return Source(name, open_object(source, name))


def open_split(dataset: Dataset, split: str) -> Source:
    """Opens a data set's split.

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

    labels = dataset.labels(split)
    reader = ArrayReader(
        f"{name}:{split}",
        points.numpy(),
        None if labels is None else labels.numpy(),
        source=digest,
    )
    return Source(f"{name}:{split}", reader, dataset, split=True)


def normalise(
    source: Source,
    options: ReadOptions,
    dataset: Dataset | None,
    side: str = "samples",
    like: tuple[int, ...] | None = None,
) -> Points:
    """Returns a source's points in data space: layout, scale, channels and size as `Normaliser` does.

    Arguments:
        source: What was opened.
        options: What the user says.
        dataset: What the points are compared with, or None.
        side: Whose declared range counts: samples, reference or train.
        like: The shape of a point that the points are compared with, where it is known, or None.
    """
    content, label = source.content, source.label
    if isinstance(content, Moments):
        nothing = Points(label, lambda size: iter(()), content.count)
        return replace(nothing, moments=content, lost=True)
    spec = None if dataset is None else dataset.spec
    declared = None if source.split else options.ranges.get(side)
    rules = Rules(declared, options.size, options.channels, spec, source.split, like)
    if not hasattr(content, "take"):
        return _normalise_stream(label, content, rules, options)  # type: ignore[arg-type]
    return _normalise_reader(source, content, rules, options)  # type: ignore[arg-type]


def _normalise_stream(
    label: str, stream: Callable[[], Iterator[Chunk]], rules: Rules, options: ReadOptions
) -> Points:
    def batches(size: int) -> Iterator[Tensor]:
        for array, _ in Normaliser(label, rules).convert(stream()):
            yield from torch.from_numpy(array).split(size)

    return Points(label, batches, notes=lambda: _note_limit(options, None))


def _normalise_reader(
    source: Source, reader: Reader, rules: Rules, options: ReadOptions
) -> Points:
    label = source.label
    if isinstance(reader, ArrayReader):
        check(Chunk(reader.array, reader.label))
    if len(reader) < 2:
        raise DataError(f"{label} needs at least two points, got {len(reader)}")
    rows = _choose_rows(len(reader), options, source.dataset if source.split else None)

    def batches(size: int) -> Iterator[Tensor]:
        normaliser = Normaliser(label, rules)
        if not rules.ready:
            normaliser.look(read_all(reader, size, rows))
        yield from _regroup(normaliser.convert(read_all(reader, size, rows)), size)

    def digest() -> str | None:
        content = reader.digest()
        how = f"{content} {rules} {options.limit} {options.seed}"
        return None if content is None else hashlib.sha256(how.encode()).hexdigest()

    def notes() -> list[str]:
        return [*reader.notes(), *([] if rows is None else _note_limit(options, len(reader)))]

    whole = None if rows is not None or rules.changes else _find_whole(reader, rules.spec)
    count = len(reader) if rows is None else len(rows)
    moments = getattr(reader, "moments", None)
    return Points(label, batches, count, digest, source.dataset, notes, whole, moments)


def peek(points: Points, size: int) -> tuple[Tensor | None, Points]:
    """Returns the first batch, and the points with that batch before the others, to be read once."""
    iterator = points.batches(size)
    first = next(iterator, None)
    if first is None:
        return None, points
    return first, replace(points, batches=lambda _: itertools.chain([first], iterator))


def _choose_rows(
    count: int, options: ReadOptions, dataset: Dataset | None
) -> numpy.ndarray | None:
    """The numbers of the points that a limit leaves, drawn at random and ascending; None for all."""
    if options.limit is None or options.limit >= count:
        return None
    if dataset is not None and dataset.stream:
        return numpy.arange(options.limit)  # exact draws, of which the first are as good as any
    order = Rng([options.seed]).fork("limit").permutation(count)[0]
    return order[: options.limit].sort().values.numpy()


def _note_limit(options: ReadOptions, count: int | None) -> list[str]:
    if options.limit is None:
        return []
    if count is None:
        return [f"the first {options.limit} were taken, as nobody knows how many there are"]
    return [f"{options.limit} of {count} were drawn at random (seed {options.seed})"]


def _regroup(parts: Iterator[tuple[numpy.ndarray, Chunk]], size: int) -> Iterator[Tensor]:
    """Tensors of at most so many points, of chunks that may hold one each."""
    held: list[numpy.ndarray] = []
    for array, _ in parts:
        if held and (
            sum(map(len, held)) + len(array) > size
            or array.shape[1:] != held[0].shape[1:]
            or array.dtype != held[0].dtype
        ):
            yield _join(held)
            held = []
        held.append(array)
    if held:
        yield _join(held)


def _join(arrays: list[numpy.ndarray]) -> Tensor:
    return torch.from_numpy(arrays[0] if len(arrays) == 1 else numpy.concatenate(arrays))


def _find_whole(reader: Any, spec: Any) -> Tensor | None:
    array = reader.plain() if isinstance(reader, ArrayReader) else None
    if array is None:
        return None
    whole = memmap.to_memmap(array) if isinstance(array, numpy.memmap) else torch.from_numpy(array)
    if spec is None or not spec.is_image or spec.event[0] != 1 or whole.shape[1] != spec.size:
        return whole
    return whole.view(-1, *spec.event)


def _open_named(source: str, options: ReadOptions, label: str) -> Source:
    if not source.strip() or "\0" in source:
        raise DataError(
            f"{label} needs a name, got {source!r}; give a file, a folder or digits:test"
        )
    path = Path(source).expanduser()
    if path.is_dir():
        return Source(str(path), open_place(path))
    if path.exists() or path.suffix in (".npy", ".npz"):
        return Source(str(path), open_file(path))
    stem, _, key = source.rpartition(":")
    if key and Path(stem).suffix in KEYED and Path(stem).is_file():
        return Source(source, open_member(Path(stem), key))
    if DRIVE.match(source) or source.startswith((".", "/", "~")) or source.endswith(("/", "\\")):
        raise DataError(f"{source} does not exist; give a file, a folder or digits:test")
    return _open_by_name(source, options)


def _open_by_name(source: str, options: ReadOptions) -> Source:
    """A split, a callable or a cell."""
    name, _, rest = source.partition(":")
    if rest in SPLITS or (rest and name in DATASETS):
        dataset = open_named(name, data_dir=options.data_dir, offline=options.offline)
        return open_split(dataset, rest)
    if rest:
        return Source(source, open_object(named_callable(source), source, named=True))
    record = Store(options.results).find(source)
    if record is not None:
        return _open_cell(record, options)
    hint = f"; did you mean {source}:test?" if source in DATASETS else "; give one of these"
    raise DataError(
        f"{source} is not a file, folder, split (digits:test), cell of {options.results}/ or "
        f"module:callable{hint}"
    )


def _open_cell(record: Record, options: ReadOptions) -> Source:
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
    return Source(label, open_file(path), dataset)
