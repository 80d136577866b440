"""Which reader opens a file or a folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from genbench.core.errors import DataError
from genbench.points.archives import is_archive, open_archive
from genbench.points.arrays import open_array
from genbench.points.arrow_tables import open_datasets_folder, open_parquet
from genbench.points.images import SUFFIXES, find_files, open_folder
from genbench.points.moments import Moments
from genbench.points.readers import JoinedReader, Reader
from genbench.points.tables import open_csv
from genbench.points.tensors import SUFFIXES as TENSORS
from genbench.points.tensors import open_tensor

#: what opens a file, by suffix
READERS: dict[str, Callable[[Path], Reader | Moments]] = {
    **dict.fromkeys((".npy", ".npz"), open_array),
    **dict.fromkeys(TENSORS, open_tensor),
    **dict.fromkeys((".csv", ".tsv"), open_csv),
    ".parquet": open_parquet,
}
#: suffixes of files of which one array is named after a colon
KEYED = (".npz", ".pt", ".pth", ".safetensors")
ALLOWED = f"{', '.join(READERS)}, .zip, .tar or a folder"


def open_file(path: Path) -> Reader | Moments:
    """Opens the points of a file by its suffix.

    Raises:
        DataError: Naming the file and what is wrong with it.
    """
    if not path.exists():
        raise DataError(
            f"{path} does not exist; give a .npy or .npz file, or a split such as digits:test"
        )
    if not path.is_file():
        raise DataError(f"{path} is not a regular file; give a .npy or .npz file")
    if is_archive(path):
        return open_archive(path)
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        raise DataError(f"{path} is one picture; give a folder of them, {path.parent}/")
    if suffix not in READERS:
        raise DataError(
            f"{path} needs to be a .npy or .npz file or another of {ALLOWED}, got "
            f"{path.suffix or 'no suffix'!r}"
        )
    return READERS[suffix](path)


def open_member(path: Path, key: str) -> Reader | Moments:
    """Opens one array of a file of several, by its name.

    Raises:
        DataError: If there is none of that name, or the file is damaged.
    """
    open_one = open_array if path.suffix.lower() == ".npz" else open_tensor
    return open_one(path, key)


def open_place(path: Path) -> Reader:
    """Opens the points in a folder: pictures, shards of arrays or archives, or a saved data set.

    Raises:
        DataError: If it holds none of them, or more than one kind.
    """
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        return open_datasets_folder(path)
    files, _, _ = find_files(path)
    if any(file.suffix.lower() in SUFFIXES for file in files):
        return open_folder(path)
    shards = [file for file in files if file.suffix.lower() in READERS or is_archive(file)]
    kinds = sorted({file.suffix.lower() for file in shards})
    if not shards:
        return open_folder(path)  # says what is missing
    if len(kinds) > 1:
        raise DataError(
            f"{path} holds files of several kinds, {', '.join(kinds)}; give one of them"
        )
    reader = JoinedReader(str(path), [partial(_open_shard, file) for file in shards])
    others = len(files) - len(shards)
    if others:
        reader.notes().append(f"{others} files that are not {kinds[0]} were left out")
    return reader


def _open_shard(path: Path) -> Reader:
    reader = open_file(path)
    if isinstance(reader, Moments):
        raise DataError(f"{path} holds statistics, not points; give it by itself")
    return reader
