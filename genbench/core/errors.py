"""Every error that genbench raises for its users.

GenbenchError                 exit 2
├── UnknownName (LookupError)     a name that no registry knows
├── SpecError (ValueError)        a suite, option or flag that cannot be
├── DataError (ValueError)        arrays, files or data sets that cannot be used
│   └── AbsentData                     files of a data set that are not on this machine
├── ContractError (TypeError)     a plugin that breaks its contract
└── StoreError (OSError)          records that cannot be read or written
    └── WriteError                    a file that cannot be written (full disk, no permission)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GenbenchError(Exception):
    """The root of genbench's errors; its text is one sentence that says what to do."""


class UnknownName(GenbenchError, LookupError):
    """A name that is not registered."""


class SpecError(GenbenchError, ValueError):
    """A suite, an option or a flag that cannot be."""


class DataError(GenbenchError, ValueError):
    """Arrays, files or data sets that cannot be used."""


class AbsentData(DataError):
    """A data set whose files are not on this machine."""


class ContractError(GenbenchError, TypeError):
    """A plugin that breaks its contract."""


class StoreError(GenbenchError, OSError):
    """Records that cannot be read or written."""


class WriteError(StoreError):
    """A file that cannot be written: the disk is full, or its folder may not be changed."""


#: kinds of plugins, which anybody may add by a file
PLUGINS = ("model", "dataset", "metric", "extractor", "claim", "executor")


#: letters from which on the beginning of a name says which is meant
SHORTEST = 3


def in_a_line(text: str) -> str:
    """Returns a text in which nothing ends a line or moves a terminal: names of files may hold anything."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def writable(text: str) -> str:
    """Returns a text in which half a sign, which no file takes, is escaped: names of files may hold it."""
    return text.encode("utf-8", "backslashreplace").decode()


def text_of(error: BaseException) -> str:
    """Returns what an exception says, as any file takes it; a plugin's may raise another when it is asked."""
    try:
        return writable(str(error))
    except Exception:
        return "what it says cannot be read"


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Returns "; did you mean 'x'?" for a near miss or a beginning, else the allowed names, shortened."""
    names, typed = sorted(allowed), str(name).lower()
    near = difflib.get_close_matches(typed, names, n=1, cutoff=0.6)
    near = near or [one for one in names if len(typed) >= SHORTEST and one.startswith(typed)]
    if near:
        return f"; did you mean {near[0]!r}?"
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"; allowed: {listed or 'none'}"


def unknown(kind: str, name: str, allowed: Iterable[str]) -> UnknownName:
    """Returns the error for an unknown name of a kind, with its nearest match, and how plugins are named.

    Claims are named as people read them, with hyphens.
    """
    if kind == "claim":
        name, allowed = name.replace("_", "-"), [one.replace("_", "-") for one in allowed]
    own = " (one of your own needs its file: --plugin FILE)" if kind in PLUGINS else ""
    words = kind.replace("dataset", "data set")
    return UnknownName(f"unknown {words} {name!r}{nearest(name, allowed)}{own}")
