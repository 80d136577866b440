"""Points read once, in the spaces that metrics want, in no more memory than is allowed."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from genbench.core.errors import DataError, StoreError
from genbench.core.feature import Extractor
from genbench.core.files import cache_folder, read_file, write_bytes
from genbench.evaluation.batches import Points, ReadOptions
from genbench.evaluation.provenance import hash_extractor
from genbench.evaluation.requests import EXTRACTED, to_space
from genbench.evaluation.side import Side
from genbench.points.moments import Moments
from genbench.points.spill import SpillingRows
from genbench.training.checkpoint import digest

#: features of a reference are kept in the cache folder up to this size
CACHED_BYTES = 1 << 29
#: the share of the memory that one space of one set may take before it goes to a temporary file
SHARE = 16
#: the extractor of which statistics are that say of none
INCEPTION = "inception-v3-compat"
#: how many points a side shows
HEAD = 64
#: raised whenever points are read in another way, so that what was cached before is not used
KIND = "read@4"


def read_points(
    points: Points,
    spaces: Collection[str],
    extractor: Extractor,
    options: ReadOptions,
    *,
    cache: bool = False,
    hashed: bool = False,
) -> Side:
    """Reads points once; images are dropped batch by batch where features are enough.

    What takes more than a sixteenth of the memory goes to a temporary file, from which metrics read
    it by blocks; points that lie in a .npy file as metrics want them stay there.

    Arguments:
        points: Where they come from.
        spaces: Of `requests.SPACES`; none of points of which there are moments alone.
        extractor: Makes features and logits.
        options: How much is read at once, altogether, and into how much memory. Of points whose
            number nobody knows, so that they might never end, no more than this are taken from files
            either.
        cache: Whether features are looked up and kept in the cache folder, by the points' content
            and how they were read, and by what the extractor depends on.
        hashed: Whether the side says a hash of its points, of the numbers that are compared, whatever
            they came in.

    Raises:
        DataError: If there are fewer than two points, of changing shapes, or too many to hold.
    """
    if points.lost:
        return _describe_moments(points, extractor)
    slow = set(spaces) & set(EXTRACTED) if extractor.protocol != "identity" else set()
    path = _cache_path(points, extractor, slow, options) if cache and slow else None
    cached = _load(path)
    if cached and set(spaces) <= set(cached):
        count, head = len(next(iter(cached.values()))), next(points.batches(HEAD))
        beside = _find_moments(points, extractor)
        own = hash_points(points.batches(options.batch)) if hashed else ""
        return Side(cached, count, lambda: extractor, points.label, head, beside, digest=own)
    side = _stream(points, set(spaces) - set(cached), extractor, options, hashed=hashed)
    if path is not None and not cached:
        features = {space: side.views[space].contiguous() for space in slow}
        room = min(CACHED_BYTES, options.memory // SHARE)
        if sum(part.nbytes for part in features.values()) <= room:
            with contextlib.suppress(StoreError):  # a cache that cannot be written is no failure
                write_bytes(path, save(features, {"sha256": digest(features, "")}))
    side.views.update(cached)
    return side


def hash_points(batches: Iterable[Tensor]) -> str:
    """Returns the sha256 of points by their type, shape and numbers, however they are cut into batches."""
    whole = _PointsHash()
    for x in batches:
        whole.add(x)
    return whole.hexdigest()


class _PointsHash:
    """A hash that points are added to, batch by batch."""

    def __init__(self) -> None:
        self.whole, self.empty = hashlib.sha256(), True

    def add(self, x: Tensor) -> None:
        if self.empty:
            self.whole.update(f"{x.dtype} {tuple(x.shape[1:])}".encode())
        self.empty = False
        self.whole.update(x.contiguous().numpy().data)

    def hexdigest(self) -> str:
        return self.whole.hexdigest()


def _describe_moments(points: Points, extractor: Extractor) -> Side:
    """A side of which there are moments alone."""
    moments = points.moments
    assert moments is not None
    own = hash_points([moments.mean[None], moments.covariance])
    label, count = points.label, points.count or 0
    return Side({}, count, lambda: extractor, label, moments=moments, digest=own)


def _find_moments(points: Points, extractor: Extractor) -> Moments | None:
    """The statistics beside points, where they are of this extractor: those of nobody are Inception's."""
    moments = points.moments
    if moments is None:
        return None
    name = extractor.protocol
    own = moments.features == name or (moments.features is None and name == INCEPTION)
    return moments if own else None


def _cache_path(
    points: Points, extractor: Extractor, slow: Collection[str], options: ReadOptions
) -> Path | None:
    made_by = hash_extractor(extractor)
    content = None if made_by is None else points.digest()
    if content is None:
        return None
    key = f"{KIND} {content} {made_by} {sorted(slow)}"
    return (
        cache_folder() / "references" / f"{hashlib.sha256(key.encode()).hexdigest()}.safetensors"
    )


def _load(path: Path | None) -> dict[str, Tensor]:
    if path is None:
        return {}
    try:
        content = read_file(path, None)
        with safe_open(path, "pt") as file:
            checksum = (file.metadata() or {}).get("sha256")
        features = load(content)
    except (OSError, ValueError, SafetensorError):
        return {}
    return features if checksum == digest(features, "") else {}


def _stream(
    points: Points,
    spaces: Collection[str],
    extractor: Extractor,
    options: ReadOptions,
    *,
    hashed: bool,
) -> Side:
    limit, whole = options.limit, _PointsHash()
    with contextlib.ExitStack() as files:
        rows: dict[str, SpillingRows] = {}
        head, count = torch.empty(0), 0
        for x in _cut(points.batches(options.batch), limit):
            head = head if count else x[:HEAD]
            _refuse_change(points, head, x)
            whole.add(x if hashed else x[:0])
            for space in {_stored_space(space, x, extractor) for space in spaces}:
                if space != "events" or points.whole is None:
                    stored = rows.setdefault(space, SpillingRows(options.memory // SHARE, files))
                    stored.add(to_space(space, x, extractor))
            count += len(x)
            if limit is None and points.count is None:
                _refuse_endless(points, rows, options.memory, count, len(x))
            total = min(filter(None, (limit, points.count)), default=None)
            options.progress(points.label, count, total)
        if count < 2:
            raise DataError(f"{points.label} needs at least two points, got {count}")
        views = {space: stored.whole() for space, stored in rows.items()}
    if points.whole is not None:
        views["events"] = points.whole[:count]
    views = {space: _view(space, views, head, extractor) for space in spaces}
    beside = _find_moments(points, extractor)
    own = whole.hexdigest() if hashed else ""
    return Side(views, count, lambda: extractor, points.label, head, beside, digest=own)


def _cut(batches: Iterable[Tensor], limit: int | None) -> Iterator[Tensor]:
    """Batches up to so many points."""
    count = 0
    for x in batches:
        part = x if limit is None else x[: limit - count]
        count += len(part)
        yield part
        if count == limit:
            return


def _refuse_change(points: Points, head: Tensor, x: Tensor) -> None:
    if x.shape[1:] != head.shape[1:]:
        raise DataError(
            f"{points.label} needs points of one shape, got {tuple(head.shape[1:])} and then "
            f"{tuple(x.shape[1:])}; make them alike"
        )


def _refuse_endless(
    points: Points, rows: dict[str, SpillingRows], memory: int, count: int, last: int
) -> None:
    if sum(stored.size for stored in rows.values()) > memory:
        raise DataError(
            f"{points.label} needs more than --memory {memory / 2**30:.3g} GiB after {count} "
            f"points; raise it, or compare fewer by --limit {max(2, count - last)}"
        )


def _stored_space(space: str, x: Tensor, extractor: Extractor) -> str:
    """The space of which rows are kept for another: flattened points need no copy of their own."""
    flat = space == "features" and extractor.protocol == "identity" and x.is_floating_point()
    return "events" if space == "points" or flat else space


def _view(space: str, views: dict[str, Tensor], x: Tensor, extractor: Extractor) -> Tensor:
    rows = views[_stored_space(space, x, extractor)]
    return rows if space in ("events", "logits") else rows.flatten(1)
