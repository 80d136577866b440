"""What there is of a data set's files, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path


def describe_found(folders: Iterable[Path], files: Sequence[Sequence[str]]) -> str:
    """Returns "none", or of the folder that has the most files how many, and which it lacks.

    Arguments:
        folders: Where they are looked for.
        files: Each by the names that it may have, the usual one first.
    """
    lacking = {
        folder: [names[0] for names in files if not any((folder / n).is_file() for n in names)]
        for folder in folders
    }
    best = min(lacking, key=lambda folder: len(lacking[folder]))
    count = len(files) - len(lacking[best])
    return f"only {count} in {best}, without {', '.join(lacking[best])}," if count else "none"
