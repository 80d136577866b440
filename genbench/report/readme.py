"""Tables kept current in Markdown files, between a pair of markers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from genbench.core.errors import DataError
from genbench.core.files import read_text, write_bytes
from genbench.store.locks import changing


def markers(name: str) -> tuple[str, str]:
    """Returns the lines between which a table stands."""
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"


def update(path: Path, bodies: Mapping[str, Callable[[], str]]) -> bool:
    """Writes tables between the markers that a Markdown file has; returns whether it changed.

    Arguments:
        path: The file.
        bodies: By the markers' name, what makes the whole lines between them.

    Raises:
        DataError: If the file cannot be read, has none of the pairs of markers, or one twice or by halves.
    """
    texts: dict[str, str] = {}

    def make(name: str) -> str:
        if name not in texts:
            texts[name] = bodies[name]()
        return texts[name]

    old, new = _renew(path, bodies, make)
    if new == old:
        return False
    with changing(path):  # others may have written meanwhile
        old, new = _renew(path, bodies, make)
        if new != old:
            write_bytes(path, new.encode())
    return True


def _renew(path: Path, names: Collection[str], make: Callable[[str], str]) -> tuple[str, str]:
    """A Markdown file's text, and what it is to be; `make` gives the lines between markers by their name."""
    try:
        old = new = read_text(path)
    except OSError as error:
        raise DataError(
            f"--readme needs a text file, got {path}: {error.strerror or error}"
        ) from None
    has_markers, line = False, "\r\n" if "\r\n" in old else "\n"
    for name in names:
        opening, closing = markers(name)
        if not _has_pair(path, new, opening, closing):
            continue
        head, _, rest = new.partition(opening)
        tail = rest.partition(closing)[2]
        body = make(name).replace("\n", line)  # as the other lines end
        has_markers, new = True, f"{head}{opening}{line}{body}{closing}{tail}"
    if not has_markers:
        pairs = " or ".join(f"{a} and {b}" for a, b in map(markers, names))
        raise DataError(
            f"--readme needs the lines {pairs} in {path}, got a file without them; "
            "add both where the table is to stand"
        )
    return old, new


def _has_pair(path: Path, text: str, opening: str, closing: str) -> bool:
    """Whether a file has two markers; refuses one without the other, and more: which table is meant?"""
    counts = text.count(opening), text.count(closing)
    if counts == (0, 0):
        return False
    if counts != (1, 1) or text.index(closing) < text.index(opening):
        raise DataError(
            f"--readme needs {opening} once in {path} and {closing} once after it, got {counts[0]} and "
            f"{counts[1]}{' the other way round' if counts == (1, 1) else ''}; leave the others out"
        )
    return True
