"""Points that Python objects yield: functions, generators, lists, data loaders, data sets of torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy
import torch
from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.guard import describe
from genbench.core.modes import in_callers_modes
from genbench.points.images import OPAQUE, to_pixels
from genbench.points.ranges import to_float
from genbench.points.readers import ArrayReader, Chunk
from genbench.points.tables import read_frame
from genbench.points.tensors import to_array

if TYPE_CHECKING:
    import pandas


def is_array(x: Any) -> bool:
    """Tells whether an object holds all its points at once."""
    return isinstance(x, Tensor) or hasattr(x, "__array__") or _is_picture(x)


def open_object(
    source: Any, label: str, *, named: bool = False
) -> ArrayReader | Callable[[], Iterator[Chunk]]:
    """Returns the points of an array or of a pair of array and labels, or a function that streams them.

    Arguments:
        source: The object.
        label: What it is called.
        named: Whether the user named it as a callable, which is called whatever else it could be.

    Raises:
        DataError: If an array is none of numbers.
    """
    function: Any = source
    if named:
        return lambda: _stream(label, function)
    if isinstance(source, tuple) and len(source) == 2 and is_array(source[0]):
        shape = getattr(source[1], "shape", None)
        if shape is not None and len(shape) == 1:
            points, labels = _set_aside(source, label)
            return _make_reader(points, label, labels)
    if is_array(source) and not _is_picture(source):
        return _make_reader(source, label)
    if callable(source) and not hasattr(source, "__iter__"):
        return lambda: _stream(label, function)
    _refuse_no_points(source, label)
    if _is_indexed(source):
        return lambda: _stream(label, lambda: (function[k] for k in range(len(function))))
    return lambda: _stream(label, lambda: function)  # the object itself is what yields


def _refuse_no_points(source: Any, label: str) -> None:
    """Refuses an object that yields no batches, or its keys in their place."""
    if isinstance(source, Mapping):
        keys = ", ".join(sorted(map(str, source))[:6])
        raise DataError(
            f"{label} is a dictionary with {keys or 'nothing'}; give one of its arrays"
        )
    if hasattr(source, "toarray"):
        raise DataError(f"{label} needs to be a dense array of numbers; call .toarray() first")
    if not hasattr(source, "__iter__") and not hasattr(source, "__getitem__"):
        raise DataError(
            f"{label} needs an array, a path, a split such as digits:test or what yields batches, got "
            f"{source!r}"[:300]
        )


def name_object(source: Any, label: str) -> str:
    """Returns what a source is called: a function by its name, all else as it is told."""
    return getattr(source, "__qualname__", label) if callable(source) else label


def _make_reader(source: Any, label: str, labels: numpy.ndarray | None = None) -> ArrayReader:
    frame = _as_frame(source)
    if frame is not None:
        reader = read_frame(frame, label)
        return reader if labels is None else replace(reader, labels=labels)
    return ArrayReader(label, as_array(source, label), labels)


def _stream(label: str, function: Callable[[], Iterable[Any]]) -> Iterator[Chunk]:
    """Chunks of what a user's function returns: an array of all points, or something that yields them."""
    columns: tuple[str, ...] = ()
    for number, item in enumerate(_call(label, function)):
        chunk, own = _to_chunk(item, f"batch {number} of {label}")
        columns = columns or own
        if own != columns:
            raise DataError(
                f"{chunk.name} needs the columns of the batches before it, {', '.join(columns)}, got "
                f"{', '.join(own)}; yield them in one order"
            )
        yield chunk


def _call(label: str, function: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """Yields what a user's function does, or all that it returns at once; it runs in its author's modes."""
    try:
        with in_callers_modes():
            result = function()
            if not hasattr(result, "__iter__") and not is_array(result):
                raise DataError(
                    f"{label} needs to return an array or what yields batches, got {result!r}"[
                        :300
                    ]
                )
            iterator = iter((result,) if is_array(result) or _is_batch(result) else result)
    except DataError:
        raise
    except (Exception, SystemExit) as error:
        raise DataError(_blame(label, error, function)) from error
    while True:
        try:
            with in_callers_modes():
                item = next(iterator)
        except StopIteration:
            return
        except (Exception, SystemExit) as error:
            raise DataError(_blame(label, error, function)) from error
        yield item


def _to_chunk(item: Any, name: str) -> tuple[Chunk, tuple[str, ...]]:
    """A batch, or a point with its label, as data loaders and data sets of torch yield them.

    With it come the names of the columns, of tables.
    """
    labels: numpy.ndarray | None = None
    if isinstance(item, (tuple, list)) and item and is_array(item[0]):
        item, labels = _set_aside(item, name)
    elif isinstance(item, dict):
        keys = ", ".join(sorted(map(str, item))[:6])
        raise DataError(
            f"{name} needs numbers, got a dictionary with {keys or 'nothing'}; yield one of its arrays"
        )
    if _is_picture(item):
        one = None if labels is None else numpy.array(labels)[None]
        return Chunk(_read_picture(item, name)[None], name, one, picture=True), ()
    reader = _make_reader(item, name, labels)
    single = labels is not None and labels.ndim == 0
    # copies, since what yields them may fill the same buffers again
    array = numpy.array(reader.array)
    labels = None if reader.labels is None else numpy.array(reader.labels)
    if single:
        array = array[None]
        labels = None if labels is None else labels[None]
    return Chunk(array, name, labels, loose=labels is None and not single), reader.columns


def _read_picture(picture: Any, name: str) -> numpy.ndarray:
    """A picture of Pillow's as its file would be read."""
    pixels, odd = to_pixels(picture)
    if odd == OPAQUE:
        raise DataError(f"{name} has transparency, which is no colour; call .convert('RGB') first")
    return pixels


def _set_aside(item: Any, name: str) -> tuple[Any, numpy.ndarray | None]:
    """The points of a tuple, and the labels beside them (one number a point, or one)."""
    points, *others = item
    if not others:
        return points, None
    count = None if _is_picture(points) else len(points)
    labels: list[numpy.ndarray] = []
    for other in others:
        array = numpy.asarray(as_array(other, name) if is_array(other) else other)
        one_each = array.ndim == 1 and len(array) == count
        if array.ndim and not one_each:
            raise DataError(
                f"{name} is a tuple of {len(item)}, of which the others are no labels, shape "
                f"{array.shape} beside {getattr(points, 'shape', '')}; yield the points alone, "
                f"or batches as a list"
            )
        labels.append(array)
    same = {array.ndim for array in labels}
    if len(same) > 1:
        raise DataError(f"{name} has labels of several shapes; yield the points alone")
    # an index or a score may lie beside the classes, and nobody can say which is which
    return points, labels[0] if len(labels) == 1 else numpy.full(labels[0].shape, numpy.nan)


def as_array(x: Any, label: str) -> numpy.ndarray:
    """Returns a user's array, tensor, picture or nested list as a plain array.

    Raises:
        DataError: If it cannot be one, or hides some of its numbers.
    """
    if isinstance(x, numpy.ma.MaskedArray) and numpy.ma.is_masked(x):
        raise DataError(
            f"{label} hides numbers under a mask; call .filled(value), or leave them out"
        )
    try:
        return to_array(x, label) if isinstance(x, Tensor) else numpy.asarray(x)
    except DataError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        text = " ".join(str(error).split())
        raise DataError(f"{label} needs to be an array of numbers: {text}") from None


def read_tensor(x: Any, name: str) -> Tensor:
    """Returns a user's array, tensor, table or nested list of numbers as a tensor.

    Raises:
        DataError: If it is none of numbers, or holds some that are not finite.
    """
    array = _make_reader(x, f"what {name} is given").array
    array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name} needs an array of numbers, got {array.dtype}; give floats")
    if array.dtype.kind == "f":
        array = to_float(array, name)
        if not numpy.isfinite(array).all():
            raise DataError(
                f"{name} needs finite numbers, got NaN or infinite ones; leave them out"
            )
    return torch.from_numpy(array)


def _as_frame(x: Any) -> pandas.DataFrame | None:
    """A table of pandas, or of what exchanges tables with it, as pandas has it; None for all else."""
    module = sys.modules.get("pandas")
    if module is not None and isinstance(x, module.DataFrame):
        return x
    return x.to_pandas() if hasattr(x, "__dataframe__") and hasattr(x, "to_pandas") else None


def _is_indexed(x: Any) -> bool:
    """Whether an object has items by number, up to a length, which looking for one beyond need not end."""
    indexed = hasattr(x, "__getitem__") and hasattr(x, "__len__")
    return indexed and not hasattr(x, "__iter__")


def _is_batch(x: Any) -> bool:
    """Whether a tuple is one of arrays that belong together, points and what lies beside them."""
    if not isinstance(x, tuple) or len(x) not in (2, 3) or not all(map(is_array, x)):
        return False
    lengths = {tuple(getattr(one, "shape", ()))[:1] for one in x}
    return len(lengths) == 1 and lengths != {()}


def _is_picture(x: Any) -> bool:
    """Whether an object is Pillow's."""
    return hasattr(x, "getbands") and hasattr(x, "__array_interface__")


def _blame(label: str, error: BaseException, function: object) -> str:
    """One sentence with the user's line in which the error arose."""
    return f"{label} failed: {describe(error, function)}; repair it"
