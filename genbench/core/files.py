"""Where genbench keeps what can be made again, and how it writes files: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from genbench.core.errors import WriteError


def cache_folder() -> Path:
    """Returns $GENBENCH_CACHE, else $XDG_CACHE_HOME/genbench, else ~/.cache/genbench."""
    if own := os.environ.get("GENBENCH_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genbench"


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file atomically: readers see the old content or the new, never a part.

    Raises:
        WriteError: If the file cannot be written; what stood there still stands.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"
        )
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror or error}") from error


def _umask() -> int:
    """The process's umask; temporary files are private, what they become should not be."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
