"""Reads points from tables: .csv, and what pandas holds."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from genbench.core.errors import DataError
from genbench.points.heads import find_layout
from genbench.points.label_columns import (
    find_label_columns,
    make_unique,
    refuse_row_numbers,
    refuse_text,
)
from genbench.points.labels import as_classes
from genbench.points.ranges import to_float
from genbench.points.readers import ArrayReader, hash_file

if TYPE_CHECKING:
    import pandas

#: the largest text that is read
MOST_TEXT = 4 * 2**30


def open_csv(path: Path) -> ArrayReader:
    """Reads points from text: a row each, numbers between commas, semicolons or tabs.

    The first line is a head where it holds words, or counts columns of floats as pandas does. A column named
    label, class or target is set aside, one named y where it holds classes; one of the rows' numbers is
    refused.

    Raises:
        DataError: Naming the file and the column.
    """
    import pandas

    digest = hash_file(path)
    if path.stat().st_size > MOST_TEXT:
        raise DataError(f"{path} is larger than 4 GiB of text; save it as .npy or .parquet")
    try:
        layout = find_layout(path)
        frame = pandas.read_csv(
            path,
            sep=layout.between,
            header=0 if layout.head else None,
            skipinitialspace=True,
            encoding="utf-8-sig",
        )
    except DataError:
        raise
    except MemoryError:
        raise DataError(
            f"{path} does not fit into the memory that is free; save it as .npy"
        ) from None
    except (ValueError, OSError, csv.Error) as error:
        text = " ".join(str(error).split())[:120]
        raise DataError(f"{path} is damaged or not a table of numbers: {text}") from None
    if not isinstance(
        frame.index, pandas.RangeIndex
    ):  # what pandas makes of columns without names
        names, unnamed = frame.shape[1], frame.index.nlevels
        raise DataError(
            f"{path} has {names} in its first line and {names + unnamed} columns below it; name each "
            f"column once, without remarks above, and end no line with a separator"
        )
    reader = read_frame(frame, str(path))
    reader.source = lambda: digest
    return reader


def read_frame(frame: pandas.DataFrame, label: str) -> ArrayReader:
    """Returns the points in a table of pandas, as those of the same table in a file.

    Raises:
        DataError: Naming the column that holds no numbers.
    """
    names = make_unique([str(name) for name in frame.columns])
    columns = {name: frame.iloc[:, k].to_numpy() for k, name in enumerate(names)}
    aside = find_label_columns(columns, label)
    refuse_row_numbers(columns, aside, label)
    array, labels = split_columns(columns, aside, label)
    named = () if _is_numbered(frame) else tuple(name for name in columns if name not in aside)
    return ArrayReader(label, array, labels, remarks=tuple(tell_aside(aside)), columns=named)


def _is_numbered(frame: pandas.DataFrame) -> bool:
    """Whether columns are called by their places."""
    return list(frame.columns) == list(range(frame.shape[1]))


def split_columns(
    columns: dict[str, Any], aside: list[str], label: str
) -> tuple[numpy.ndarray, numpy.ndarray | None]:
    """Returns numbers side by side, (N, D), and the labels that are set aside."""
    numbers = {name: column for name, column in columns.items() if name not in aside}
    for name, column in numbers.items():
        refuse_text(column, name, label)
    labels = as_classes(columns[aside[0]]) if len(aside) == 1 else None
    kinds = [column.dtype for column in numbers.values()]
    if len(kinds) > 1 and {"i", "u"} & {kind.kind for kind in kinds}:
        # whole numbers beside floats: each as exact as it can be
        numbers = {
            name: to_float(column, f"column {name!r} of {label}").astype(numpy.float64)
            for name, column in numbers.items()
        }
    return numpy.stack(list(numbers.values()), axis=1), labels


def tell_aside(aside: list[str]) -> list[str]:
    """Returns a sentence that says which columns were set aside, if any was."""
    return [f"its column {', '.join(aside)} was set aside as labels"] if aside else []
