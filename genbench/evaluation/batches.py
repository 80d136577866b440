"""Points in data space, read in batches: a source's content with what the user and the data set say of it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.files import RUNS
from genbench.core.rng import Rng
from genbench.points import memmap
from genbench.points.labels import as_classes, join_classes
from genbench.points.moments import Moments
from genbench.points.normalisation import Normaliser, Rules, check
from genbench.points.ranges import Range
from genbench.points.readers import ArrayReader, Chunk, Reader, read_all


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
        labels: Returns the classes of the points, int64 or texts, or None where they are not known;
            complete after reading.
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
    labels: Callable[[], numpy.ndarray | None] = lambda: None


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
        paired: Whether rows of the sides belong together, so that a limit takes the first of each.
    """

    results: Path = Path(RUNS)
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
    paired: bool = False


@dataclass(frozen=True)
class Source:
    """What somebody means, opened but not yet understood.

    Arguments:
        label: What it is called.
        content: A reader of points of known number, a function that streams them, or moments.
        dataset: The data set that the points belong to, or None.
        split: Whether they are a data set's own.
        options: Those of the data set, all that decide its points, checked and filled in.
        loss_networks: Returns the extractors, by name, in the loss of the model that made the points, where
            that is known; they do not judge them.
        whole: The data set whose points are made of these, where they are the sources of one.
        translated: Whether a model made them of the data set's first test sources, in order.
    """

    label: str
    content: Reader | Callable[[], Iterator[Chunk]] | Moments
    dataset: Dataset | None = None
    split: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    loss_networks: Callable[[], tuple[str, ...]] = tuple
    whole: Dataset | None = None
    translated: bool = False


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
        side: Whose declared range counts: samples, reference, train or source.
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
    classes: list[numpy.ndarray | None] = []

    def batches(size: int) -> Iterator[Tensor]:
        classes.clear()
        for array, chunk in Normaliser(label, rules).convert(stream()):
            classes.append(as_classes(chunk.labels))
            yield from torch.from_numpy(array).split(size)

    notes = lambda: _note_limit(options, None)  # noqa: E731
    return Points(label, batches, notes=notes, labels=lambda: join_classes(classes))


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
        stream = source.split and source.dataset is not None and source.dataset.stream
        remarks = [] if rows is None else _note_limit(options, len(reader), exact=stream)
        return [*reader.notes(), *remarks]

    def labels() -> numpy.ndarray | None:
        classes = as_classes(reader.labels)
        return classes if classes is None or rows is None else classes[rows]

    whole = None if rows is not None or rules.changes else _find_whole(reader, rules.spec)
    count = len(reader) if rows is None else len(rows)
    moments = getattr(reader, "moments", None)
    more = {"whole": whole, "moments": moments, "labels": labels}
    return Points(label, batches, count, digest, source.dataset, notes, **more)


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
    if options.paired or (dataset is not None and dataset.stream):
        return numpy.arange(options.limit)  # exact draws, of which the first are as good as any
    order = Rng([options.seed]).fork("limit").permutation(count)[0]
    return order[: options.limit].sort().values.numpy()


def _note_limit(options: ReadOptions, count: int | None, *, exact: bool = False) -> list[str]:
    if options.limit is None:
        return []
    if exact:
        return [f"the first {options.limit} of {count} exact draws were taken"]
    if options.paired:
        return [f"the first {options.limit} pairs were taken"]
    if count is None:
        return [f"the first {options.limit} were taken, as nobody knows how many there are"]
    return [f"{options.limit} of {count} were drawn at random (seed {options.seed})"]


def _regroup(parts: Iterator[tuple[numpy.ndarray, Chunk]], size: int) -> Iterator[Tensor]:
    """Tensors of at most so many points, of chunks that may hold one each."""
    buffer: list[numpy.ndarray] = []
    for array, _ in parts:
        if buffer and (
            sum(map(len, buffer)) + len(array) > size
            or array.shape[1:] != buffer[0].shape[1:]
            or array.dtype != buffer[0].dtype
        ):
            yield _join(buffer)
            buffer = []
        buffer.append(array)
    if buffer:
        yield _join(buffer)


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
