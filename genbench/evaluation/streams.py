"""Points that Python objects yield: functions, generators, lists, data loaders, data sets of torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy
from torch import Tensor

from genbench.core.errors import DataError
from genbench.points.readers import ArrayReader, Chunk
from genbench.points.tables import read_frame
from genbench.points.tensors import to_array


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
    return lambda: _stream(label, lambda: function)  # the object itself is what yields


def _refuse_no_points(source: Any, label: str) -> None:
    """Refuses an object that yields no batches, or its keys in their place."""
    if isinstance(source, Mapping):
        keys = ", ".join(sorted(map(str, source))[:6])
        raise DataError(
            f"{label} is a dictionary with {keys or 'nothing'}; give one of its arrays"
        )
    if not hasattr(source, "__iter__") and not hasattr(source, "__getitem__"):
        raise DataError(
            f"{label} needs an array, a path, a split such as digits:test or what yields batches, got "
            f"{source!r}"[:300]
        )


def name_object(source: Any, label: str) -> str:
    """Returns what a source is called: a function by its name, all else as it is told."""
    return getattr(source, "__qualname__", label) if callable(source) else label


def _make_reader(source: Any, label: str, labels: numpy.ndarray | None = None) -> ArrayReader:
    if _is_frame(source):
        reader = read_frame(source, label)
        return reader if labels is None else replace(reader, labels=labels)
    return ArrayReader(label, as_array(source, label), labels)


def _stream(label: str, function: Callable[[], Iterable[Any]]) -> Iterator[Chunk]:
    """Chunks of what a user's function returns: an array of all points, or something that yields them."""
    try:
        result = function()
        iterator = iter((result,)) if is_array(result) else iter(result)
    except (Exception, SystemExit) as error:
        raise DataError(_blame(label, error)) from error
    for number in range(sys.maxsize):
        try:
            item = next(iterator)
        except StopIteration:
            return
        except (Exception, SystemExit) as error:
            raise DataError(_blame(label, error)) from error
        yield _to_chunk(item, f"batch {number} of {label}")


def _to_chunk(item: Any, name: str) -> Chunk:
    """A batch, or a point with its label, as data loaders and data sets of torch yield them."""
    labels: numpy.ndarray | None = None
    if isinstance(item, (tuple, list)) and item and is_array(item[0]):
        item, labels = _set_aside(item, name)
    elif isinstance(item, dict):
        keys = ", ".join(sorted(map(str, item))[:6])
        raise DataError(
            f"{name} needs numbers, got a dictionary with {keys or 'nothing'}; yield one of its arrays"
        )
    single = _is_picture(item) or (labels is not None and labels.ndim == 0)
    # copies, since what yields them may fill the same buffers again
    array = numpy.array(as_array(item, name))
    labels = None if labels is None else numpy.array(labels)
    if single:
        array = array[None]
        labels = None if labels is None else labels[None]
    return Chunk(array, name, labels, loose=labels is None and not single)


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
                f"{array.shape} beside {getattr(points, 'shape', '')}; yield the points alone"
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


def _is_frame(x: Any) -> bool:
    """Whether an object is a table of pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(x, pandas.DataFrame)


def _is_picture(x: Any) -> bool:
    """Whether an object is Pillow's."""
    return hasattr(x, "getbands") and hasattr(x, "__array_interface__")


def _blame(label: str, error: BaseException) -> str:
    """One sentence with the user's line in which the error arose."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    text = " ".join(str(error).split())[:200]
    return f"{label} failed: {type(error).__name__}: {text}{where}; repair it"
