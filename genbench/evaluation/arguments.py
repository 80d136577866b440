"""What people write for sizes, channels, memory and files of statistics, as `evaluate` takes them."""

from __future__ import annotations

import operator
import re
from pathlib import Path
from typing import Any

from genbench.core.asked import as_path
from genbench.core.errors import SpecError

#: the least that the memory may be
LEAST = 64 << 20


def parse_stats_file(file: str | Path | None) -> Path | None:
    """Returns the file into which statistics of features are written; None of None.

    Raises:
        SpecError: If it does not end in .npz.
    """
    if file is None:
        return None
    path = as_path(file, "--save-stats")
    if path.suffix != ".npz":
        raise SpecError(f"--save-stats needs a name that ends in .npz, got {file}")
    return path


def parse_memory(memory: str | int) -> int:
    """Returns the bytes of a size such as 512MiB or 4GiB.

    Raises:
        SpecError: If it is no size, or less than blocks of points take.
    """
    size = 0 if isinstance(memory, str) else parse_count("--memory", memory, 0)
    if isinstance(memory, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT])i?B?", memory.strip(), re.IGNORECASE)
        if match is None or not float(match[1]):
            raise SpecError(f"--memory needs a size such as 512MiB or 4GiB, got {memory!r}")
        size = int(float(match[1]) * 1024 ** ("KMGT".index(match[2].upper()) + 1))
    if size < LEAST:
        raise SpecError(
            f"--memory needs at least {LEAST >> 20}MiB, which blocks of points take, got {memory!r}; "
            f"compare fewer points by --limit"
        )
    return size


def parse_count(option: str, count: Any, least: int) -> int:
    """Returns a whole number of at least `least`, of whatever type of whole numbers.

    Arguments:
        option: What it is called in the error.
        count: What was given.
        least: The least that is allowed.

    Raises:
        SpecError: If it is something else.
    """
    try:
        whole = operator.index(count)
    except TypeError:
        whole = None
    if whole is None or isinstance(count, bool) or whole < least:
        raise SpecError(f"{option} needs a whole number of at least {least}, got {count!r}")
    return whole


def parse_channels(channels: Any) -> int | None:
    """Returns 1, 3 or None.

    Raises:
        SpecError: If it is something else.
    """
    if channels is None:
        return None
    if channels not in (1, 3):
        raise SpecError(f"--channels needs 1 or 3, got {channels!r}")
    return int(channels)


def parse_size(text: Any) -> tuple[int, int] | None:
    """Returns (height, width) of a size such as 32x24, which names the width first; None of None.

    Raises:
        SpecError: If it is another text, or none.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text if isinstance(text, str) else "")
    if match is None:
        raise SpecError(f"--resize needs WIDTHxHEIGHT, got {text!r}; try 32x32")
    return int(match[2]), int(match[1])
