"""Rows of tensors that may be larger than memory, because their numbers stay in a file."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator

import numpy
import torch
from torch import Tensor

from genbench.points.readers import release_pages

#: bytes of points that are held in float64 at once
HELD = 2**24
#: rows here and there that are read from a file at once: each may bring 64 KiB of its pages with it
SCATTERED = 256
#: the arrays of files under tensors, by the address where they begin
_MAPS: dict[int, weakref.ref[numpy.memmap]] = {}


def to_memmap(array: numpy.memmap) -> Tensor:
    """Returns a tensor over an array that is mapped from a file; `rows` and `take` read it by parts."""
    x = torch.from_numpy(array)
    key = x.untyped_storage().data_ptr()
    _MAPS[key] = weakref.ref(array)
    weakref.finalize(array, _MAPS.pop, key, None)
    return x


def release(x: Tensor) -> None:
    """Lets the system take back the pages of a mapped file, which else count as the process's own."""
    array = _MAPS.get(x.untyped_storage().data_ptr()) if x.device.type == "cpu" else None
    mapped = None if array is None else array()
    if mapped is not None:
        release_pages(mapped)


def rows(x: Tensor, start: int, stop: int) -> Tensor:
    """Returns the rows from start to stop of points (N, ...), float64."""
    part = x[start:stop].to(torch.float64)
    release(x)
    return part


def copy(x: Tensor, start: int, into: Tensor) -> None:
    """Copies the rows of points (N, ...) from start on into a tensor, of which all rows are filled."""
    into.copy_(x[start : start + len(into)])
    release(x)


def take(x: Tensor, index: Tensor) -> Tensor:
    """Returns the rows of points (N, ...) that an index (K,) names, float64."""
    index = index.to(x.device)
    if x.untyped_storage().data_ptr() not in _MAPS:
        return x[index].to(torch.float64)
    out = torch.empty(len(index), *x.shape[1:], dtype=torch.float64)
    for at in range(0, len(index), SCATTERED):
        out[at : at + SCATTERED] = x[index[at : at + SCATTERED]]
        release(x)
    return out


def blocks(x: Tensor) -> Iterator[Tensor]:
    """Yields all rows of points (N, ...) in float64, a few MiB at a time."""
    step = height(x)
    for start in range(0, len(x), step):
        yield rows(x, start, start + step)


def height(x: Tensor) -> int:
    """Returns how many points (N, ...) are held in float64 at once."""
    return max(1, HELD // (8 * max(1, x[:1].numel())))


def joined(parts: Iterable[Tensor], n: int, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Returns a function's values for all rows of n points that come by parts, shape (n, ...).

    They go into one tensor made first: small ones that stay, between blocks that come and go, would
    keep the heap from ever giving back the blocks' room.
    """
    out: Tensor | None = None
    at = 0
    for part in parts:
        value = function(part)
        if out is None:
            out = value.new_empty(n, *value.shape[1:])
        out[at : at + len(value)] = value
        at += len(value)
    if out is None:
        raise ValueError("no parts to join")
    return out


def mean(x: Tensor) -> Tensor:
    """Returns the mean of points (N, ...), float64."""
    total = torch.zeros(x.shape[1:], dtype=torch.float64, device=x.device)
    for part in blocks(x):
        total += part.sum(dim=0)
    return total / len(x)


def constant(x: Tensor) -> Tensor:
    """Returns which coordinates of points (N, D) are one number in all of them, bool, (D,).

    A variance does not tell: the mean of equal numbers need not be that number, by rounding.
    """
    first, same = x[0], torch.ones(x.shape[1], dtype=torch.bool, device=x.device)
    step = height(x)
    for start in range(0, len(x), step):
        same &= (x[start : start + step] == first).all(dim=0)
        release(x)
    return same


def ends(x: Tensor) -> tuple[float, float]:
    """Returns the smallest and the largest number of points (N, ...)."""
    step, pairs = height(x), []
    for start in range(0, len(x), step):
        pairs.append([float(end) for end in x[start : start + step].aminmax()])
        release(x)
    return min(low for low, _ in pairs), max(high for _, high in pairs)


def not_finite(x: Tensor) -> int:
    """Returns how many points (N, D) have a number that is NaN or infinite."""
    if not x.is_floating_point():
        return 0
    step, bad = height(x), 0
    for start in range(0, len(x), step):
        finite = torch.isfinite(x[start : start + step])
        if not finite.all():
            bad += int((~finite.all(dim=1)).sum())
        release(x)
    return bad
