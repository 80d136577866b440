"""Memory that one round frees stays with the process for the next one."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

#: parameters of glibc's `mallopt` (malloc.h), and its values while a model trains: no block is mapped by
#: itself, and what is freed is not given back
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
KEEP = {MMAP_MAX: 0, TRIM_THRESHOLD: -1}
#: what glibc's own rule comes to after large blocks were freed
USUAL = {MMAP_MAX: 65_536, MMAP_THRESHOLD: 32 << 20, TRIM_THRESHOLD: 64 << 20}
#: by these a user sets the same
VARIABLES = ("MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
#: how many of the contexts below are open
_open = [0]


@contextmanager
def keep_memory() -> Iterator[None]:
    """Keeps freed memory until the end of the context, on Linux with glibc; elsewhere does nothing.

    A round allocates the same tensors as the one before. Large ones are given back when they are freed, and
    the kernel clears every page of them again in the next round: up to a fifth of PixelCNN's time
    (`tests/speed/memory.py`, docs/speed.md). No number depends on it. Contexts may be nested; what a user has
    set by `MALLOC_…` stands.
    """
    libc = None if any(name in os.environ for name in VARIABLES) else _libc()
    if libc is None:
        yield
        return
    _open[0] += 1
    if _open[0] == 1:
        _set(libc, KEEP)
    try:
        yield
    finally:
        _open[0] -= 1
        if _open[0] == 0:
            _set(libc, USUAL)
            libc.malloc_trim(0)


def _set(libc: Any, values: dict[int, int]) -> None:
    for parameter, value in values.items():
        libc.mallopt(parameter, value)


@cache
def _libc() -> Any:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
