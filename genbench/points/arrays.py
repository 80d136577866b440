"""Reads arrays of points from .npy and .npz files that nobody has to trust."""

from __future__ import annotations

import shutil
import tempfile
import tokenize
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy

from genbench.core.errors import DataError, nearest
from genbench.core.guard import ran_out
from genbench.points.labels import as_classes
from genbench.points.moments import Moments, read_moments
from genbench.points.readers import ArrayReader, hash_file

#: archives that unpack to more are refused where they are compressed beyond belief
MAX_BYTES = 16 * 2**30
#: how much smaller than what it holds an archive may be before its size is doubted
MAX_RATIO = 200
#: arrays of archives that are larger are streamed from them
UNPACKED = 2**26
#: what numpy and zipfile raise for files that are not what they seem
BROKEN = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    MemoryError,
    RuntimeError,
    OverflowError,
    SyntaxError,
    TypeError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


class StreamedArray:
    """An array in an archive, of which rows are unpacked as they are asked for, in ascending order.

    Arguments:
        path: The archive.
        entry: The array's entry in it.
    """

    def __init__(self, path: Path, entry: zipfile.ZipInfo) -> None:
        self.path, self.entry = path, entry
        with self._open() as file:
            self.shape, _, self.dtype = _read_header(file)
            self.start = file.tell()
        self.row = int(numpy.prod(self.shape[1:], dtype=object)) * self.dtype.itemsize
        if self.start + self.row * self.shape[0] != entry.file_size:
            raise ValueError("a header that promises another size")
        self._file: IO[bytes] | None = None
        self._at = 0

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> numpy.ndarray:
        if isinstance(rows, slice):
            return self._read(*rows.indices(len(self))[:2])
        return numpy.concatenate([self._read(int(row), int(row) + 1) for row in rows])

    def _read(self, start: int, stop: int) -> numpy.ndarray:
        if self._file is None or start < self._at:
            self._file = self._open()
            self._file.read(self.start)
            self._at = 0
        try:
            while self._at < start:
                skip = min(start - self._at, max(1, 2**20 // max(1, self.row)))
                self._file.read(skip * self.row)
                self._at += skip
            content = self._file.read((stop - start) * self.row)
        except BROKEN as error:
            raise DataError(f"{self.path} is damaged: {error}; save it anew") from None
        if len(content) != (stop - start) * self.row:
            raise DataError(f"{self.path} is damaged: it ends too early; save it anew")
        self._at = stop
        return numpy.frombuffer(content, self.dtype).reshape(stop - start, *self.shape[1:])

    def _open(self) -> IO[bytes]:
        return zipfile.ZipFile(self.path).open(self.entry)


def open_array(path: Path, key: str = "") -> ArrayReader | Moments:
    """Opens the points in a .npy or .npz file; pickled arrays are refused, never loaded.

    Of an archive it takes the array of the key; else one named `samples`; else its only one; else `arr_0`
    beside labels `arr_1`, as in ADM's and EDM's files. An archive of `mu` and `sigma` without points
    is read as their moments.

    Raises:
        DataError: Naming the file and what is wrong with it.
    """
    if not path.exists():
        raise DataError(
            f"{path} does not exist; give a .npy or .npz file, or a split such as digits:test"
        )
    if not path.is_file():
        raise DataError(f"{path} is not a regular file; give a .npy or .npz file")
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".npz"):
        raise DataError(
            f"{path} needs to be a .npy or .npz file, got {path.suffix or 'no suffix'!r}"
        )
    try:
        if suffix == ".npz":
            refuse_bombs(path)
            with path.open("rb") as file:
                reader = _choose(numpy.load(file, allow_pickle=False), path, key)
        else:
            reader = ArrayReader(str(path), _map(path), source=lambda: hash_file(path))
    except DataError:
        raise
    except MemoryError:
        raise DataError(
            f"{path} does not fit into the memory that is free, {path.stat().st_size / 2**30:.2g} GiB as "
            f"stored; free some, or save its array as .npy, which is read by parts"
        ) from None
    except BROKEN as error:
        pickled = "pickle" in str(error).lower() or "objects" in str(error).lower()
        what = (
            "holds pickled objects, which are never loaded"
            if pickled
            else "is damaged or not an array file"
        )
        raise DataError(f"{path} {what}; save a plain array with numpy.save") from None
    return reader


def _map(path: Path) -> numpy.ndarray:
    """The array of a .npy file, of which pages are read when they are looked at."""
    try:
        # copies on writing, so that a tensor over it may be handed on
        return numpy.lib.format.open_memmap(path, mode="c")
    except (MemoryError, OSError) as error:
        if not ran_out(error):
            raise
        return numpy.lib.format.open_memmap(path, mode="r")  # which promises no memory


def refuse_bombs(path: Path) -> None:
    """Looks at how much a zip archive says that it unpacks to.

    Raises:
        DataError: If that is so much more than the archive's size that it cannot be true.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        size = sum(entry.file_size for entry in entries)
    if size > max(MAX_BYTES, MAX_RATIO * path.stat().st_size):
        raise DataError(
            f"{path} unpacks to {size / 2**30:.1f} GiB, {MAX_BYTES / 2**30:.0f} are allowed; split it"
        )


def _choose(archive: Any, path: Path, key: str) -> ArrayReader | Moments:
    """The points of an archive, or the moments that it holds in place of points."""
    names = list(archive.files)
    if key and key not in names:
        raise DataError(f"{path} holds no array {key!r}{nearest(key, names)}")
    moments = {"mu", "sigma"} <= set(names)
    if not key and moments and not {"arr_0", "samples"} & set(names):
        return read_moments(archive, str(path))
    name = key or _find_name(names, archive, path)
    reader = ArrayReader(str(path), _read(archive, name, path), source=lambda: _hash(path, name))
    if not hasattr(reader.array, "dtype"):
        raise ValueError("another kind of file")
    labels = _find_labels(archive, names, name, reader.array.shape[:1])
    rest = [
        other for other in names if other not in (name, labels, "mu", "sigma", "mu_s", "sigma_s")
    ]
    remarks = tuple(f"its array {other} was not read" for other in rest)
    beside = read_moments(archive, str(path)) if moments and name == "arr_0" else None
    classes = None if labels is None else archive[labels]
    return replace(reader, labels=classes, remarks=remarks, moments=beside)


def _find_name(names: list[str], archive: Any, path: Path) -> str:
    if "samples" in names:
        return "samples"
    if names in (["mu"], ["sigma"]):
        raise DataError(
            f"{path} needs both mu and sigma to be statistics, got {names[0]}; save both"
        )
    if len(names) == 1:
        return names[0]
    points = [name for name in names if len(_shape(archive, name)) > 1]
    others = set(names) - {"arr_0", "arr_1", "mu", "sigma", "mu_s", "sigma_s"}
    if "arr_0" in names and not others and (len(points) == 1 or "arr_1" not in points):
        return "arr_0"
    hint = f"; rename one, or name it: {path}:{names[0]}" if names else "; rename one"
    if len(names) > 1 and len({_shape(archive, other) for other in names}) == 1 and not points:
        hint = f"; save one array, numpy.stack([{', '.join(names[:3])}], 1), where each is a coordinate"
    raise DataError(f"{path} needs one array or one named 'samples', got {names or 'none'}{hint}")


def _find_labels(archive: Any, names: list[str], name: str, count: Any) -> str | None:
    """The array of whole numbers that stands for the points' classes, or None."""
    for other in ("arr_1" if name == "arr_0" else "", "labels", "label", "y"):
        if other in names and other != name and _shape(archive, other) == count:
            if other == "y" and as_classes(archive[other]) is None:
                continue  # numbers that are not whole are no classes
            return other
    return None


def _entry(archive: Any, name: str) -> zipfile.ZipInfo:
    return archive.zip.getinfo(name if name in archive.zip.namelist() else f"{name}.npy")


def _shape(archive: Any, name: str) -> tuple[int, ...]:
    with archive.zip.open(_entry(archive, name)) as file:
        return _read_header(file)[0]


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, numpy.dtype]:
    version = numpy.lib.format.read_magic(file)
    header = numpy.lib.format.read_array_header_1_0
    if version != (1, 0):
        header = numpy.lib.format.read_array_header_2_0
    shape, fortran, kind = header(file)
    if kind.hasobject:
        raise ValueError("pickled objects")
    return shape, fortran, kind


def _read(archive: Any, name: str, path: Path) -> Any:
    entry = _entry(archive, name)
    if entry.file_size <= UNPACKED:
        return archive[name]
    with archive.zip.open(entry) as file:
        by_columns = _read_header(file)[1]
    return _unpack(archive.zip, entry, path) if by_columns else StreamedArray(path, entry)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> numpy.ndarray:
    """An array that lies column by column, mapped from a temporary file that goes when the array does."""
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
        shape, _, kind = _read_header(file)
        return numpy.memmap(file, kind, "c", file.tell(), shape, "F")


def _hash(path: Path, name: str) -> str:
    return f"{hash_file(path)} {name}"
