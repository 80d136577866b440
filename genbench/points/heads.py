"""How a table of text is laid out: what stands between its columns, and whether its first line names them."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from genbench.core.errors import DataError
from genbench.points.label_columns import is_number

#: what stands between columns, the rarest in numbers and names first
BETWEEN = ("\t", ";", ",")
#: how much of a table's text is looked at, in signs and in lines
SIGNS, LINES = 1 << 20, 100
#: what stands where a number is missing
MISSING = ("", "na", "n/a", "nan", "null", "none", "-", "?")
WHOLE = re.compile(r"\d+")
#: what is behind a decimal comma, as in 0,05
HALF = re.compile(r"0\d+")
#: how texts begin that are damaged numbers rather than names
LIKE_A_NUMBER = re.compile(r"[\d+\-.,]")
FIRST = "holds a first line that may be names or a point"


@dataclass(frozen=True)
class Layout:
    """How a table of text is laid out.

    Arguments:
        between: What stands between columns.
        head: Whether the first line names them.
    """

    between: str
    head: bool


def find_layout(path: Path) -> Layout:
    """Looks at the first lines of a table of text.

    Raises:
        DataError: If its first line may be either names or a point, or commas stand within numbers too.
        OSError, ValueError, csv.Error: If they cannot be read.
    """
    with path.open(newline=None, encoding="utf-8-sig") as file:
        lines = [line for line in islice(iter(lambda: file.readline(SIGNS), ""), LINES)]
    lines = [line for line in lines if line.strip("\r\n \t")] or [""]
    between = next((sign for sign in BETWEEN if len(_cut(lines[0], sign)) > 1), ",")
    first, *others = (_cut(line, between) for line in lines)
    if between == "," and any(HALF.fullmatch(field) for line in others for field in line[1:]):
        raise DataError(
            f"{path} has numbers that begin with 0, as commas within numbers leave them; write numbers "
            f"with a decimal point"
        )
    if _counts_rows(first, others):
        raise DataError(
            f"{path} has a first column without a name, the rows' numbers; save it without "
            f"(index=False)"
        )
    return Layout(between, _names_columns(first, others, path))


def _cut(line: str, between: str) -> list[str]:
    return [
        field.strip()
        for field in next(csv.reader([line], delimiter=between, skipinitialspace=True), [])
    ]


def _counts_rows(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether the first column has no name, and not the first point no first number."""
    if len(first) < 2 or first[0]:
        return False
    return any(not is_number(field) for field in first[1:]) or (
        bool(others) and others[0][:1] in (["0"], ["1"])
    )


def _names_columns(first: Sequence[str], others: Sequence[Sequence[str]], path: Path) -> bool:
    """Whether a first line names columns: it holds words, or it counts columns over points of floats."""
    present = [field for field in first if field.lower() not in MISSING]
    words = [field for field in present if not is_number(field)]
    numbers = [field for field in present if is_number(field)]
    if not words:
        return _count_columns(first, others, path)
    if numbers:
        named = all(WHOLE.fullmatch(field) for field in numbers)
        if not named or any(LIKE_A_NUMBER.match(word) for word in words):
            raise DataError(
                f"{path} {FIRST}, {_show(first)}; mend it, or write names over all columns"
            )
    return True


def _count_columns(first: Sequence[str], others: Sequence[Sequence[str]], path: Path) -> bool:
    """Whether a first line of numbers names columns by their places, as pandas does."""
    whole = [field for field in first if WHOLE.fullmatch(field)]
    if not others or len(whole) < len(first) or len(set(first)) < len(first):
        return False
    places = list(first) == [str(k) for k in range(len(first))]
    floats = not any(WHOLE.fullmatch(field.lstrip("+-")) for line in others for field in line)
    if places and floats and len(first) > 1:
        return True
    if floats or (places and len(first) > 1):
        raise DataError(
            f"{path} {FIRST}, {_show(first)}; write names such as x0,x1 over the columns, also where it is "
            f"a point"
        )
    return False


def _show(fields: Sequence[str]) -> str:
    return ",".join(fields[:4]) + (",…" if len(fields) > 4 else "")
