"""Which columns of a table are what the points are of, and not where they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy

from genbench.core.errors import DataError

#: columns that are set aside
LABELS = ("label", "labels", "class", "classes", "target", "targets", "fine_label", "cls")
#: what machine learning calls labels, and geometry the second coordinate
EITHER = "y"
#: beside them it is a coordinate
COORDINATES = ("x", "z")


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


def refuse_text(column: numpy.ndarray, name: str, label: str) -> None:
    """Refuses a column that is none of numbers, with its first value that is none.

    Raises:
        DataError: With the row.
    """
    if column.dtype.kind in "fiub":
        return
    row = next((k for k, value in enumerate(column) if not is_number(value)), None)
    got = f"{column.dtype}" if row is None else f"{column[row]!r} in row {row + 1}"
    raise DataError(
        f"{label} needs numbers, got {got} of column {name!r}; mend it or leave it out"
    )


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
