"""Reads points and pictures from tables of Arrow: .parquet and Hugging Face `datasets` folders."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy

from genbench.core.errors import DataError
from genbench.points.images import decode
from genbench.points.label_columns import (
    find_label_columns,
    make_unique,
    may_be_labels,
    refuse_row_numbers,
)
from genbench.points.labels import as_classes
from genbench.points.readers import Chunk, JoinedReader, Reader, hash_file
from genbench.points.tables import split_columns, tell_aside

#: the most bytes that a group of a table's rows may unpack to
MOST_GROUP = 8 * 2**30
PARQUET = "pip install 'genbench[parquet]'"


def open_parquet(path: Path) -> Reader:
    """Opens a table of numbers, of lists of numbers, or of pictures as Hugging Face stores them.

    Raises:
        DataError: Naming the file and what is wrong with it, or what must be installed.
    """
    arrow = _arrow(path)
    import pyarrow.parquet

    hash_file(path)
    try:
        file = pyarrow.parquet.ParquetFile(path, memory_map=True)
        groups = [file.metadata.row_group(k) for k in range(file.num_row_groups)]
        if any(group.total_byte_size > MOST_GROUP for group in groups):
            raise DataError(f"{path} has a group of rows of more than 8 GiB; save smaller groups")
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{path} is damaged or not a Parquet file: {_first(error)}") from None
    parts = [
        _Opener(str(path), lambda k=k: file.read_row_group(k), group.num_rows)
        for k, group in enumerate(groups)
        if group.num_rows
    ]
    return _join(str(path), parts, path)


def open_datasets_folder(path: Path) -> Reader:
    """Opens a split that Hugging Face's `datasets` saved to disk; nothing of it is executed.

    Raises:
        DataError: If it is a mapping of splits, refers to other folders, or is damaged.
    """
    if (path / "dataset_dict.json").is_file():
        splits = sorted(child.name for child in path.iterdir() if child.is_dir())
        raise DataError(f"{path} holds several splits, {', '.join(splits)}; give one: {path}/test")
    arrow = _arrow(path)
    try:
        state = json.loads((path / "state.json").read_text())
        names = [entry["filename"] for entry in state["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}/state.json cannot be read: {error}; save it to disk anew"
        ) from None
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise DataError(f"{path} is a selection of rows; call .flatten_indices() and save it anew")
    parts = []
    for name in names:
        if not isinstance(name, str) or Path(name).name != name:
            raise DataError(f"{path}/state.json names a file outside the folder, {name!r}")
        hash_file(path / name)
        try:
            table = _read_arrow(path / name)
        except (arrow.ArrowException, OSError, ValueError) as error:
            raise DataError(f"{path / name} is damaged: {_first(error)}; save it anew") from None
        if table.num_rows:
            parts.append(_Opener(str(path), lambda table=table: table, table.num_rows))
    files = [path / name for name in names]
    return _join(str(path), parts, *files)


def _join(label: str, parts: list[_Opener], *files: Path) -> Reader:
    if not parts:
        raise DataError(f"{label} is empty, a table without rows; give at least two points")
    return JoinedReader(label, parts, source=lambda: " ".join(map(hash_file, files)))


def _read_arrow(path: Path) -> Any:
    import pyarrow

    source = pyarrow.memory_map(str(path))
    try:
        return pyarrow.ipc.open_stream(source).read_all()
    except pyarrow.ArrowInvalid:
        return pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all()


def _arrow(path: Path) -> ModuleType:
    try:
        import pyarrow
    except ImportError:
        raise DataError(f"{path} needs pyarrow, which is not installed; {PARQUET}") from None
    return pyarrow


def _first(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


class _Opener:
    """Opens a group of rows when it is its turn; how many there are it knows before."""

    def __init__(self, label: str, load: Any, rows: int) -> None:
        self.label, self.load, self.rows = label, load, rows

    def __call__(self) -> Reader:
        return TableReader(self.label, self.load, self.rows)


class TableReader:
    """Rows of an Arrow table, of numbers or of pictures.

    Arguments:
        label: The file.
        load: Returns the table.
        rows: How many rows it has.
    """

    def __init__(self, label: str, load: Any, rows: int) -> None:
        self.label, self.load, self.rows = label, load, rows

    @cached_property
    def table(self) -> Any:
        """The table, loaded on first use."""
        try:
            table = self.load()
            table = table.drop_columns(_index_columns(table))
            return table.rename_columns(make_unique(table.column_names))
        except Exception as error:
            raise DataError(f"{self.label} is damaged: {_first(error)}; save it anew") from None

    def __len__(self) -> int:
        return self.rows

    def take(self, rows: numpy.ndarray) -> list[Chunk]:
        """Returns rows: pictures in a chunk each, numbers in one."""
        part = self.table.take(rows)
        pictures = [name for name in part.column_names if _is_picture(part.schema.field(name))]
        if len(pictures) > 1:
            raise DataError(
                f"{self.label} has pictures in several columns, {', '.join(pictures)}; save one alone"
            )
        if pictures:
            return self._decode(part, pictures[0], rows)
        columns = {name: self._numbers(part.column(name), name) for name in part.column_names}
        wide = {name: x for name, x in columns.items() if x.ndim > 1}
        if len(wide) == 1:
            return [Chunk(next(iter(wide.values())), self.label, self._labels(part))]
        array, labels = split_columns(columns, self.aside, self.label)
        return [Chunk(array, self.label, labels)]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of numbers, in their order."""
        fields = list(self.table.schema)
        if any(_is_picture(field) or _is_list(field) for field in fields):
            return ()
        return tuple(field.name for field in fields if field.name not in self.aside)

    @cached_property
    def aside(self) -> list[str]:
        """The columns of labels; beside pictures and lists y is one, whatever its values."""
        fields = list(self.table.schema)
        names = [field.name for field in fields if may_be_labels(field.name)]
        if any(_is_picture(field) or _is_list(field) for field in fields):
            return names
        values = {f.name: self._numbers(self.table.column(f.name), f.name) for f in fields}
        aside = find_label_columns(values, self.label)
        refuse_row_numbers(values, aside, self.label)
        return aside

    @property
    def labels(self) -> numpy.ndarray | None:
        """The column of classes, where there is one."""
        return self._labels(self.table)

    def _labels(self, part: Any) -> numpy.ndarray | None:
        if len(self.aside) != 1:
            return None
        return as_classes(self._numbers(part.column(self.aside[0]), self.aside[0]))

    def _decode(self, part: Any, column: str, rows: numpy.ndarray) -> list[Chunk]:
        chunks = []
        labels = self._labels(part)
        for k, value in enumerate(part.column(column).to_pylist()):
            name = f"row {rows[k]} of {self.label}"
            content = value.get("bytes") if isinstance(value, dict) else value
            if not isinstance(content, bytes):
                raise DataError(
                    f"{name} names a file in place of holding a picture; save the pictures with it"
                )
            pixels = decode(content, name)[0]
            chunks.append(Chunk(pixels[None], name, None if labels is None else labels[[k]], True))
        return chunks

    def _numbers(self, column: Any, name: str) -> numpy.ndarray:
        if column.null_count:
            raise DataError(f"{self.label} has empty places in column {name!r}; fill them")
        try:
            if _is_list(column):
                return numpy.asarray(column.to_pylist())
            return column.to_numpy()
        except ValueError as error:
            raise DataError(
                f"{self.label} needs rows of one shape in column {name!r}: {_first(error)}"
            ) from None

    def digest(self) -> None:
        """Returns None: the file knows."""

    def notes(self) -> list[str]:
        """Returns which columns are set aside."""
        return tell_aside(self.aside)


def _index_columns(table: Any) -> list[str]:
    """The columns in which pandas keeps a table's index, which is no part of its points."""
    names = (table.schema.pandas_metadata or {}).get("index_columns", [])
    index = [name for name in names if isinstance(name, str) and name in table.column_names]
    return index if len(index) < table.num_columns else []


def _is_picture(field: Any) -> bool:
    kind = str(field.type)
    return kind in ("binary", "large_binary") or (kind.startswith("struct<") and "bytes:" in kind)


def _is_list(column: Any) -> bool:
    kind = str(column.type)
    return "list" in kind or "extension" in kind or "array" in kind.lower()
