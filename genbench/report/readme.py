"""Tables kept current in Markdown files, between a pair of markers."""

from __future__ import annotations

from pathlib import Path

from genbench.core.errors import DataError
from genbench.core.files import read_file, write_bytes


def markers(name: str) -> tuple[str, str]:
    """Returns the lines between which a table stands."""
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"


def update(path: Path, name: str, body: str) -> bool:
    """Writes text between the markers of a Markdown file; returns whether it changed.

    Arguments:
        path: The file.
        name: The markers' name.
        body: Whole lines.

    Raises:
        DataError: If the file cannot be read or has no pair of markers.
    """
    try:
        old = read_file(path).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"--readme needs a text file, got {path}: {reason}") from None
    body = body.replace("\n", "\r\n") if "\r\n" in old else body  # as the other lines end
    line = "\r\n" if "\r\n" in old else "\n"
    opening, closing = markers(name)
    head, begin, rest = old.partition(opening)
    _, end, tail = rest.partition(closing)
    if not begin or not end:
        raise DataError(
            f"--readme needs the lines {opening} and {closing} in {path}, got a file without them; "
            "add both where the table is to stand"
        )
    new = f"{head}{opening}{line}{body}{closing}{tail}"
    if new != old:
        write_bytes(path, new.encode())
    return new != old
