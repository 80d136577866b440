"""Reads arrays of points from files that nobody has to trust."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy

from genbench.core.errors import DataError

MAX_BYTES = 16 * 2**30
#: what numpy and zipfile raise for files that are not what they seem
BROKEN = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_array(path: Path) -> numpy.ndarray:
    """Returns the points in a .npy or .npz file, shape (N, D) or (N, C, H, W), floating point.

    Integers become floats as they are. Pickled arrays are refused, never loaded.

    Raises:
        DataError: Naming the file and what is wrong with it.
    """
    if not path.exists():
        raise DataError(
            f"{path} does not exist; give a .npy or .npz file, or a split such as digits:test"
        )
    if path.suffix not in (".npy", ".npz"):
        raise DataError(
            f"{path} needs to be a .npy or .npz file, got {path.suffix or 'no suffix'!r}"
        )
    try:
        if path.suffix == ".npz":
            _refuse_bombs(path)
        with path.open("rb") as file:
            held = numpy.load(file, allow_pickle=False)
            array = _only(held, path) if path.suffix == ".npz" else held
        if not isinstance(array, numpy.ndarray):
            raise ValueError("another kind of file")
    except DataError:
        raise
    except BROKEN as error:
        pickled = "pickle" in str(error).lower()
        what = (
            "holds pickled objects, which are never loaded"
            if pickled
            else "is damaged or no array file"
        )
        raise DataError(f"{path} {what}; save a plain array with numpy.save") from None
    return _checked(array, path)


def _refuse_bombs(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MAX_BYTES:
        raise DataError(
            f"{path} unpacks to {size / 2**30:.1f} GiB, {MAX_BYTES / 2**30:.0f} are allowed; split it"
        )


def _only(held: Any, path: Path) -> numpy.ndarray:
    names = list(held.files)
    if "samples" not in names and len(names) != 1:
        raise DataError(
            f"{path} needs one array or one named 'samples', got {names or 'none'}; rename one"
        )
    return held["samples" if "samples" in names else names[0]]


def _checked(array: numpy.ndarray, path: Path) -> numpy.ndarray:
    if array.dtype.kind not in "fiub":
        raise DataError(f"{path} needs numbers, got {array.dtype}; save floats or integers")
    if array.ndim not in (2, 4):
        raise DataError(
            f"{path} needs shape (N, D) or (N, C, H, W), got {array.shape}; reshape it"
        )
    if 0 in array.shape:
        raise DataError(f"{path} is empty, shape {array.shape}; give at least two points")
    if len(array) < 2:
        raise DataError(f"{path} needs at least two points, got {len(array)}")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    points = (
        array if array.dtype in (numpy.float32, numpy.float64) else array.astype(numpy.float32)
    )
    bad = int((~numpy.isfinite(points)).sum())
    if bad:
        raise DataError(
            f"{path} holds {bad} numbers that are NaN or infinite; remove or repair them"
        )
    return numpy.ascontiguousarray(points)
