"""Points read once, in the spaces that metrics want, in no more memory than is allowed."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from genbench.core.errors import DataError, StoreError
from genbench.core.feature import Extractor
from genbench.core.files import cache_folder, write_bytes
from genbench.evaluation.requests import EXTRACTED, enter
from genbench.evaluation.sources import Points
from genbench.points import memmap

#: features of a reference are kept in the cache folder up to this size
CACHED_BYTES = 1 << 29
#: the share of --memory that one space of one set may take before it goes to a temporary file
SHARE = 16


@dataclass(frozen=True)
class Gathered:
    """Points as metrics see them.

    Arguments:
        views: By space of `harness.asks.SPACES`, one row a point.
        head: The first points, (at most 64, *event), to look at.
        count: How many there are.
    """

    views: dict[str, Tensor]
    head: Tensor
    count: int


def gather(
    points: Points,
    views: Collection[str],
    extractor: Extractor,
    *,
    batch: int = 64,
    limit: int | None = None,
    memory: int = 4 << 30,
    cache: bool = False,
    watch: Callable[[int], None] = lambda done: None,
) -> Gathered:
    """Reads points once; images are dropped batch by batch where features are enough.

    What takes more than a sixteenth of the memory goes to a temporary file, from which metrics read
    it by blocks; points that lie in a .npy file as metrics want them stay there.

    Arguments:
        points: Where they come from.
        views: Spaces of `harness.asks.SPACES`.
        extractor: Makes features and logits.
        batch: How many points are read and extracted at once.
        limit: Stop after so many.
        memory: The most bytes that points may take. Of points whose number nobody knows, so that
            they might never end, no more than this are taken from files either.
        cache: Whether features are looked up and kept in the cache folder, by the points' content,
            the extractor's protocol and the limit.
        watch: Told how many points are done.

    Raises:
        DataError: If there are fewer than two points, of changing shapes, or too many to hold.
    """
    slow = set(views) & set(EXTRACTED) if extractor.protocol != "identity" else set()
    key = f"{points.digest} {extractor.protocol} {sorted(slow)} {limit}"
    path = (
        cache_folder() / "references" / f"{hashlib.sha256(key.encode()).hexdigest()}.safetensors"
    )
    cache = cache and bool(slow) and points.digest is not None
    kept = _kept(path) if cache else {}
    missing = set(views) - set(kept)
    if kept and not missing:
        return Gathered(kept, next(points.batches(64)), len(next(iter(kept.values()))))
    found = _read(points, missing, extractor, batch, limit, memory, watch)
    if cache and not kept:
        made = {view: found.views[view].contiguous() for view in slow}
        if sum(part.nbytes for part in made.values()) <= min(CACHED_BYTES, memory // SHARE):
            with contextlib.suppress(StoreError):  # a cache that cannot be written is no failure
                write_bytes(path, save(made))
    return Gathered({**found.views, **kept}, found.head, found.count)


def _kept(path: Path) -> dict[str, Tensor]:
    try:
        return load(path.read_bytes())
    except (OSError, ValueError, SafetensorError):
        return {}


def _read(
    points: Points,
    views: Collection[str],
    extractor: Extractor,
    batch: int,
    limit: int | None,
    memory: int,
    watch: Callable[[int], None],
) -> Gathered:
    with contextlib.ExitStack() as files:
        shelves: dict[str, Shelf] = {}
        head, done = torch.empty(0), 0
        for x in points.batches(batch):
            x = x[: None if limit is None else limit - done]
            head = head if done else x[:64]
            _refuse_change(points, head, x)
            for space in {_stored(view, x, extractor) for view in views}:
                if space != "events" or points.held is None:
                    shelf = shelves.setdefault(space, Shelf(memory // SHARE, files))
                    shelf.add(enter(space, x, extractor))
            done += len(x)
            if limit is None and points.count is None:
                _refuse_endless(points, shelves, memory, done, len(x))
            watch(done)
            if done == limit:
                break
        if done < 2:
            raise DataError(f"{points.label} needs at least two points, got {done}")
        whole = {space: shelf.whole() for space, shelf in shelves.items()}
    if points.held is not None:
        whole["events"] = points.held[:done]
    return Gathered({view: _shown(view, whole, head, extractor) for view in views}, head, done)


def _refuse_change(points: Points, head: Tensor, x: Tensor) -> None:
    if x.shape[1:] != head.shape[1:]:
        raise DataError(
            f"{points.label} needs points of one shape, got {tuple(head.shape[1:])} and then "
            f"{tuple(x.shape[1:])}; make them alike"
        )


def _refuse_endless(
    points: Points, shelves: dict[str, Shelf], memory: int, done: int, last: int
) -> None:
    if sum(shelf.size for shelf in shelves.values()) > memory:
        raise DataError(
            f"{points.label} needs more than --memory {memory / 2**30:.3g} GiB after {done} "
            f"points; raise it, or compare fewer by --limit {max(2, done - last)}"
        )


def _stored(view: str, x: Tensor, extractor: Extractor) -> str:
    """The space that is kept for a view: flattened points need no copy of their own."""
    flat = view == "features" and extractor.protocol == "identity" and x.is_floating_point()
    return "events" if view == "points" or flat else view


def _shown(view: str, whole: dict[str, Tensor], x: Tensor, extractor: Extractor) -> Tensor:
    stored = whole[_stored(view, x, extractor)]
    return stored if view in ("events", "logits") else stored.flatten(1)


class Shelf:
    """Keeps rows, in memory as long as they take no more than some room, then in a temporary file.

    Arguments:
        room: The bytes that may be held in memory.
        files: Closes the file; what is mapped of it stays.
    """

    def __init__(self, room: int, files: contextlib.ExitStack) -> None:
        self.room, self.size, self.files = room, 0, files
        self.parts: list[Tensor] = []
        self.file: Any = None

    def add(self, x: Tensor) -> None:
        """Keeps rows (B, ...).

        Raises:
            DataError: If the disk is full.
        """
        self.size += x.nbytes
        self.parts.append(x)
        if self.file is None and self.size > self.room:
            made = tempfile.TemporaryFile(prefix="genbench-")  # noqa: SIM115
            self.file = self.files.enter_context(made)
            self.kind, self.event = x.dtype, x.shape[1:]
        if self.file is None:
            return
        try:
            for part in self.parts:
                self.file.write(part.to(self.kind).contiguous().numpy().data)
            self.file.flush()
        except OSError as error:
            raise DataError(
                f"{tempfile.gettempdir()} has no room for points: {error.strerror}; let TMPDIR name "
                f"a larger disk, or compare fewer by --limit"
            ) from None
        self.parts.clear()

    def whole(self) -> Tensor:
        """Returns all rows."""
        if self.file is None:
            return torch.cat(self.parts)
        kind = torch.empty(0, dtype=self.kind).numpy().dtype
        array = numpy.memmap(self.file, kind, "c")
        return memmap.mapped(array).view(-1, *self.event)
