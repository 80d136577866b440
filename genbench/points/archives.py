"""Reads pictures from .zip and .tar archives without unpacking them to disk."""

from __future__ import annotations

import io
import json
import tarfile
import threading
import weakref
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy

from genbench.core.errors import DataError
from genbench.core.files import natural_order
from genbench.points.arrays import refuse_bombs
from genbench.points.images import SUFFIXES, ImageReader, is_hidden
from genbench.points.labels import name_by_folder
from genbench.points.readers import hash_file

ZIPS = (".zip",)
TARS = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
#: the largest file of an archive that is looked at
LARGEST = 2**28
#: how much more than its own size a compressed tar may unpack to, and how much at least
MAX_RATIO, LEAST = 200, 2**32
BROKEN = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    KeyError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    tarfile.TarError,
)


def open_archive(path: Path) -> ImageReader:
    """Opens the pictures of an archive, in the order of their names.

    StyleGAN's `dataset.json` and WebDataset's `.cls` files give labels; other files are left out.

    Raises:
        DataError: If the archive is damaged, a bomb, names files outside itself, or holds fewer than two
            pictures.
    """
    hash_file(path)
    archive: Any = None
    try:
        if path.name.lower().endswith(ZIPS):
            refuse_bombs(path)
            archive = zipfile.ZipFile(path)
            index = _list_zip(archive, path), 0
        else:
            archive = tarfile.open(path)  # noqa: SIM115 - read from as long as the reader lives
            index = _list_tar(archive, path)
        reader = _make_reader(path, *index)
        weakref.finalize(reader, archive.close)
        return reader
    except (DataError, *BROKEN) as error:
        if archive is not None:
            archive.close()
        if isinstance(error, DataError):
            raise
        text = " ".join(str(error).split())[:120] or type(error).__name__
        raise DataError(f"{path} is damaged or not an archive: {text}; pack it anew") from None


def is_archive(path: Path) -> bool:
    """Tells whether a file's name is that of an archive."""
    return path.name.lower().endswith((*ZIPS, *TARS))


Entry = tuple[str, int, Callable[[], bytes]]


def _list_zip(archive: zipfile.ZipFile, path: Path) -> list[Entry]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if any(entry.flag_bits & 1 for entry in entries):
        raise DataError(f"{path} is encrypted; pack it without a password")
    return [
        (
            entry.filename,
            entry.file_size,
            lambda entry=entry: _read(archive.open(entry), entry.file_size),
        )
        for entry in entries
    ]


def _list_tar(archive: Any, path: Path) -> tuple[list[Entry], int]:
    most = max(LEAST, MAX_RATIO * path.stat().st_size)
    lock, entries, others, size = threading.Lock(), [], 0, 0
    for member in archive:
        size += member.size
        if size > most:
            raise DataError(
                f"{path} unpacks to more than {most / 2**30:.0f} GiB, {MAX_RATIO} times its own size; "
                f"pack it anew"
            )
        if not member.isfile():
            others += not member.isdir()
            continue

        def load(member: tarfile.TarInfo = member) -> bytes:
            with lock:
                return _read(archive.extractfile(member), member.size)

        entries.append((member.name, member.size, load))
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise DataError(  # the module takes whatever it cannot read for the end
            f"{path} is damaged or cut after {len(entries)} files; pack it anew"
        )
    return entries, others


def _read(file: IO[bytes], size: int) -> bytes:
    if size > LARGEST:
        raise DataError(f"{size / 2**20:.0f} MiB are too many for one picture; make it smaller")
    with file:
        content = file.read(size + 1)
    if len(content) != size:
        raise ValueError("a file of another size than the archive says")
    return content


def _make_reader(path: Path, entries: list[Entry], others: int) -> ImageReader:
    for name, *_ in entries:
        place = PurePosixPath(name.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or name[1:2] == ":":
            raise DataError(f"{path} names a file outside itself, {name!r}; pack it anew")
    entries = sorted(
        (e for e in entries if not _is_hidden(e[0])), key=lambda entry: natural_order(entry[0])
    )
    pictures = [e for e in entries if PurePosixPath(e[0]).suffix.lower() in SUFFIXES]
    rest = {name: load for name, size, load in entries if size <= LARGEST}
    if len(pictures) < 2:
        raise DataError(
            f"{path} needs at least two images ({', '.join(sorted(SUFFIXES))}), got {len(pictures)} "
            f"and {len(entries) - len(pictures) + others} other files; give another archive"
        )
    names = [name for name, *_ in pictures]
    keys = [_key(name) for name in names]
    sidecars = [e for e in entries if _key(e[0]) in set(keys)]
    if len(set(keys)) < len(keys) and _has_several_kinds(names, keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DataError(f"{path} holds several pictures of {twice}; pack one kind alone")
    about = "dataset.json" in rest
    extra = len(entries) - len({e[0] for e in (*pictures, *sidecars)}) - about + others
    remarks = [f"{extra} files that are not images were left out"] if extra else []

    def load(row: int) -> bytes:
        try:
            return pictures[row][2]()
        except DataError as error:
            raise DataError(f"{path}/{names[row]}: {error}") from None
        except BROKEN as error:
            raise DataError(f"{path}/{names[row]} cannot be read: {error}; pack it anew") from None

    return ImageReader(
        str(path),
        [f"{path}/{name}" for name in names],
        load,
        source=lambda: hash_file(path),
        labels=_read_labels(names, rest),
        remarks=remarks,
    )


def _is_hidden(name: str) -> bool:
    return any(map(is_hidden, PurePosixPath(name).parts))


def _key(name: str) -> str:
    """WebDataset's: all before the first dot of the last part."""
    place = PurePosixPath(name)
    return str(place.with_name(place.name.split(".")[0]))


def _has_several_kinds(names: Sequence[str], keys: Sequence[str]) -> bool:
    """Whether names are those of a WebDataset with a.x.png and a.y.png, not of numbered pictures."""
    kinds = {name.removeprefix(key) for name, key in zip(names, keys, strict=True)}
    return len(kinds) < len(set(keys))


def _read_labels(
    names: Sequence[str], rest: dict[str, Callable[[], bytes]]
) -> numpy.ndarray | None:
    """The classes that `dataset.json`, `.cls` files or else folders give to all pictures, or None."""
    if "dataset.json" not in rest and not any(name.endswith(".cls") for name in rest):
        return name_by_folder([PurePosixPath(name) for name in names])
    try:
        if "dataset.json" in rest:
            pairs = json.load(io.BytesIO(rest["dataset.json"]()))["labels"]
            by_name = {str(name): int(label) for name, label in pairs} if pairs else {}
            labels = [by_name[name] for name in names]
        else:
            labels = [int(rest[f"{_key(name)}.cls"]()) for name in names]
    except (KeyError, ValueError, TypeError, DataError):
        return None
    return numpy.array(labels)
