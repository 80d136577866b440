"""Tables kept current in Markdown files, between a pair of markers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from genbench.core.errors import DataError
from genbench.core.files import read_text, write_bytes


def markers(name: str) -> tuple[str, str]:
    """Returns the lines between which a table stands."""
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"


def update(path: Path, bodies: Mapping[str, Callable[[], str]]) -> bool:
    """Writes tables between the markers that a Markdown file has; returns whether it changed.

    Arguments:
        path: The file.
        bodies: By the markers' name, what makes the whole lines between them.

    Raises:
        DataError: If the file cannot be read or has none of the pairs of markers.
    """
    try:
        old = new = read_text(path)
    except OSError as error:
        raise DataError(
            f"--readme needs a text file, got {path}: {error.strerror or error}"
        ) from None
    has_markers, line = False, "\r\n" if "\r\n" in old else "\n"
    for name, make_body in bodies.items():
        opening, closing = markers(name)
        head, begin, rest = new.partition(opening)
        _, end, tail = rest.partition(closing)
        if begin and end:
            body = make_body().replace("\n", line)  # as the other lines end
            has_markers, new = True, f"{head}{opening}{line}{body}{closing}{tail}"
    if not has_markers:
        pairs = " or ".join(f"{a} and {b}" for a, b in map(markers, bodies))
        raise DataError(
            f"--readme needs the lines {pairs} in {path}, got a file without them; "
            "add both where the table is to stand"
        )
    if new != old:
        write_bytes(path, new.encode())
    return new != old
