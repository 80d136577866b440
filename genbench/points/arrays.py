"""Reads arrays of points from files that nobody has to trust."""

from __future__ import annotations

import mmap
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from genbench.core.errors import DataError

MAX_BYTES = 16 * 2**30
#: arrays of archives that are larger are unpacked into a temporary file
UNPACKED = 2**26
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


@dataclass(frozen=True)
class ArrayPoints:
    """Points in an array, converted as they are read.

    Arguments:
        label: What the array is called in messages: a path, where it is a file.
        array: The array, memory-mapped where it is a file whose format allows.
    """

    label: str
    array: numpy.ndarray

    def __len__(self) -> int:
        return len(self.array)

    def read(self, start: int, stop: int) -> numpy.ndarray:
        """Returns points, shape (B, D) or (B, C, H, W), as `to_points` does."""
        points = to_points(self.array[start:stop], self.label)
        release_pages(self.array)
        return points

    def plain(self) -> numpy.ndarray | None:
        """Returns the array where `read` would hand it on as it is, else None."""
        array = self.array
        if array.ndim != 2 or not array.flags.c_contiguous or not array.flags.writeable:
            return None
        right = array.dtype in (numpy.float32, numpy.float64) and array.dtype.isnative
        return array if right else None


def to_points(array: numpy.ndarray, label: str) -> numpy.ndarray:
    """Returns a copy of an array as points, shape (B, D) or (B, C, H, W), float32 or float64.

    Floats of 32 and 64 bits and integers stay as they are (integers as float32), but images of
    unsigned bytes are divided by 255. Images with the channels last, (N, H, W, 1 or 3), come back
    with the channels first, and (N, H, W) as (N, 1, H, W).

    Raises:
        DataError: If there are numbers that are NaN or infinite.
    """
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[1] not in (1, 3) and array.shape[3] in (1, 3):
        array = numpy.moveaxis(array, -1, 1)
    if array.dtype == numpy.uint8 and array.ndim == 4:
        array = array.astype(numpy.float32) / 255
    if array.dtype not in (numpy.float32, numpy.float64):
        array = array.astype(numpy.float32)
    bad = int((~numpy.isfinite(array)).sum())
    if bad:
        raise DataError(
            f"{label} holds {bad} numbers that are NaN or infinite; remove or repair them"
        )
    return numpy.array(array, order="C")


def wrap_array(array: numpy.ndarray, label: str, *, least: int = 2) -> ArrayPoints:
    """Returns the points in an array after checking its type and shape.

    Arguments:
        array: Of shape (N, D), (N, H, W) or (N, C, H, W).
        label: What the array is called in messages.
        least: The fewest points that will do.

    Raises:
        DataError: Naming the array and what is wrong with it.
    """
    if array.dtype.kind not in "fiub":
        raise DataError(f"{label} needs numbers, got {array.dtype}; save floats or integers")
    if array.ndim not in (2, 3, 4):
        raise DataError(
            f"{label} needs shape (N, D), (N, H, W) or (N, C, H, W), got {array.shape}; reshape it"
        )
    if 0 in array.shape:
        raise DataError(f"{label} is empty, shape {array.shape}; give at least two points")
    if len(array) < least:
        raise DataError(f"{label} needs at least two points, got {len(array)}")
    return ArrayPoints(label, array)


def open_array(path: Path) -> ArrayPoints:
    """Opens the points in a .npy or .npz file; pickled arrays are refused, never loaded.

    Raises:
        DataError: Naming the file and what is wrong with it.
    """
    if not path.exists():
        raise DataError(
            f"{path} does not exist; give a .npy or .npz file, or a split such as digits:test"
        )
    if not path.is_file():
        raise DataError(f"{path} is not a regular file; give a .npy or .npz file")
    if path.suffix not in (".npy", ".npz"):
        raise DataError(
            f"{path} needs to be a .npy or .npz file, got {path.suffix or 'no suffix'!r}"
        )
    try:
        if path.suffix == ".npz":
            _refuse_bombs(path)
            with path.open("rb") as file:
                array = _only(numpy.load(file, allow_pickle=False), path)
        else:
            # copies on writing, so that a tensor over it may be handed on
            array = numpy.lib.format.open_memmap(path, mode="c")
        if not isinstance(array, numpy.ndarray):
            raise ValueError("another kind of file")
    except DataError:
        raise
    except BROKEN as error:
        pickled = "pickle" in str(error).lower() or "objects" in str(error).lower()
        what = (
            "holds pickled objects, which are never loaded"
            if pickled
            else "is damaged or not an array file"
        )
        raise DataError(f"{path} {what}; save a plain array with numpy.save") from None
    return wrap_array(array, str(path))


def release_pages(array: numpy.ndarray) -> None:
    """Lets the system take back the pages of a mapped file, which else count as the process's own."""
    pages = getattr(array, "_mmap", None)
    if isinstance(pages, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)


def read_array(path: Path) -> numpy.ndarray:
    """Returns all points in a .npy or .npz file, as `ArrayFile.read` does."""
    points = open_array(path)
    return points.read(0, len(points))


def _refuse_bombs(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MAX_BYTES:
        raise DataError(
            f"{path} unpacks to {size / 2**30:.1f} GiB, {MAX_BYTES / 2**30:.0f} are allowed; split it"
        )


def _only(archive: Any, path: Path) -> numpy.ndarray:
    names = list(archive.files)
    if "samples" not in names and len(names) != 1:
        raise DataError(
            f"{path} needs one array or one named 'samples', got {names or 'none'}; rename one"
        )
    name = "samples" if "samples" in names else names[0]
    entry = archive.zip.getinfo(name if name in archive.zip.namelist() else f"{name}.npy")
    return archive[name] if entry.file_size <= UNPACKED else _unpack(archive.zip, entry, path)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> numpy.ndarray:
    """An array of an archive, mapped from a temporary file that goes when the array does."""
    folder = tempfile.gettempdir()
    if shutil.disk_usage(folder).free < entry.file_size:
        raise DataError(
            f"{path} unpacks to {entry.file_size / 2**30:.1f} GiB, for which {folder} has no room; let "
            f"TMPDIR name a larger disk"
        )
    with tempfile.TemporaryFile(prefix="genbench-") as file:
        with archive.open(entry) as member:
            shutil.copyfileobj(member, file, 2**20)
        file.seek(0)
        version = numpy.lib.format.read_magic(file)
        header = numpy.lib.format.read_array_header_1_0
        if version != (1, 0):
            header = numpy.lib.format.read_array_header_2_0
        shape, fortran, kind = header(file)
        if kind.hasobject:
            raise ValueError("pickled objects")
        return numpy.memmap(file, kind, "c", file.tell(), shape, "F" if fortran else "C")
