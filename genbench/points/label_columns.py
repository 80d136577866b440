"""Which columns of a table are what the points are of, or their numbers, and not where they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from genbench.core.errors import DataError

#: columns that are set aside
LABELS = ("label", "labels", "class", "classes", "target", "targets", "fine_label", "cls")
#: what machine learning calls labels, and geometry the second coordinate
EITHER = "y"
#: beside them it is a coordinate
COORDINATES = ("x", "z")

#: what columns of rows' numbers are called
ROWS = (
    "id",
    "idx",
    "index",
    "row",
    "row_id",
    "rowid",
    "unnamed: 0",
    "__index_level_0__",
    "level_0",
)
#: from so many rows on a first column that counts them is no coordinate, whatever it is called
COUNTED = 10
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+\s*")


def may_be_labels(name: str) -> bool:
    """Returns whether a column's name is one of labels."""
    return name.lower() in (*LABELS, EITHER)


def find_label_columns(columns: Mapping[str, Any], label: str) -> list[str]:
    """Returns the names of columns of labels; of y by its values and by what stands beside it.

    Arguments:
        columns: The table's columns, all of one number a row, by name; what is not called y may lack values.
        label: The table, for errors.

    Raises:
        DataError: If a column y may be either.
    """
    if len(columns) < 2:
        return []
    named = [name for name in columns if name.lower() in LABELS]
    either = [name for name in columns if name.lower() == EITHER]
    others = [name for name in columns if name not in named and name not in either]
    if not others:
        return named
    beside = next((name for name in others if name.lower() in COORDINATES), None)
    both = [name for name in either if _is_label(columns[name], name, beside, named, label)]
    return [name for name in columns if name in named or name in both]


def make_unique(names: Sequence[str]) -> list[str]:
    """Returns names of columns of which one that came before has its place behind it."""
    return [
        name if name not in names[:place] else f"{name}.{place}"
        for place, name in enumerate(names)
    ]


def refuse_row_numbers(columns: Mapping[str, Any], aside: Sequence[str], label: str) -> None:
    """Refuses a column of the rows' own numbers, which no coordinate is.

    Arguments:
        columns: The table's columns by name.
        aside: The names of those that are labels.
        label: The table, for errors.

    Raises:
        DataError: Naming the column.
    """
    if len(columns) < 2:
        return
    for place, name in enumerate(name for name in columns if name not in aside):
        if _are_row_numbers(columns[name], name, first=place == 0):
            raise DataError(
                f"{label} has a column {name!r} of the rows' numbers, which is no coordinate; save it "
                f"without (index=False)"
            )


def _are_row_numbers(column: numpy.ndarray, name: str, *, first: bool) -> bool:
    """Whether a column counts rows, or is called so and holds whole numbers that are all different."""
    if column.dtype.kind not in "fiu" or len(column) < 2:
        return False
    counts = column[0] in (0, 1) and bool((numpy.diff(column) == 1).all())
    if first and len(column) >= COUNTED and counts:
        return True
    if name.lower() not in ROWS or len(numpy.unique(column)) < len(column):
        return False
    return bool((column == numpy.round(column)).all())


def refuse_text(column: numpy.ndarray, name: str, label: str) -> None:
    """Refuses a column that is none of numbers, with its first value that is none.

    Raises:
        DataError: With the row.
    """
    if column.dtype.kind in "fiub":
        return
    row = next((k for k, value in enumerate(column) if not is_number(value)), None)
    got = f"{column.dtype}" if row is None else f"{column[row]!r} in row {row + 1}"
    how = "mend it or leave it out" if row is None else _advise(column[row])
    raise DataError(f"{label} needs numbers, got {got} of column {name!r}; {how}")


def _advise(value: Any) -> str:
    """What to do about a value that is no number."""
    if isinstance(value, str) and DECIMAL_COMMA.fullmatch(value):
        return "write numbers with a decimal point"
    if isinstance(value, str) and len(value.split()) > 1 and all(map(is_number, value.split())):
        return "put commas, semicolons or tabs between numbers"
    return "mend it or leave it out"


def is_number(value: Any) -> bool:
    """Returns whether a value, or a text, is a number."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_label(
    column: numpy.ndarray, name: str, beside: str | None, named: list[str], label: str
) -> bool:
    if column.dtype.kind not in "fiub":
        return not any(map(is_number, column))  # names; a damaged number is one of a coordinate
    whole = bool((numpy.isfinite(column) & (column == numpy.round(column))).all())
    if beside is not None and (named or not whole):
        return False
    if beside is None and whole:
        return True
    where = f" beside {beside!r}" if beside is not None else ""
    what, new = ("classes", "label") if whole else ("targets", "target")
    raise DataError(
        f"{label} has a column {name!r}{where} that may hold {what} or coordinates; rename it {new!r} where "
        f"it holds {what}, else 'x2'"
    )
