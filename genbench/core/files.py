"""Where genbench keeps what can be made again, and the one way in which files are read and written.

What is read is a regular file of a sensible size, looked at after it is opened, so that a pipe, a device or
a link to one cannot hold a verb up. What is written appears whole, or not at all, and never through a link
or over a device.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from genbench.core.errors import WriteError

#: the folder of records where none is named; the committed `results/` is written when named alone
RUNS = "runs"
#: flags of `os.open` that Windows has not
NONBLOCK, CLOEXEC, NOFOLLOW = (
    getattr(os, f"O_{name}", 0) for name in ("NONBLOCK", "CLOEXEC", "NOFOLLOW")
)
#: the most bytes of a file that is read as text or JSON
MOST_TEXT = 2**26
#: seconds after which a temporary file is of a process that was killed: others are renamed at once
STALE = 3600.0


def cache_folder() -> Path:
    """Returns $GENBENCH_CACHE, else $XDG_CACHE_HOME/genbench, else ~/.cache/genbench.

    A user without a home folder has one of their own among the temporary files.
    """
    if own := os.environ.get("GENBENCH_CACHE"):
        return Path(own)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "genbench"
    try:
        return Path.home() / ".cache" / "genbench"
    except RuntimeError:  # no HOME, and nobody of this number
        return Path(tempfile.gettempdir()) / f"genbench-{user_number()}"


def natural_order(name: str) -> tuple[list[tuple[int, str]], str]:
    """Returns the key by which names are sorted everywhere: numbers in them count as such, 9 before 10."""
    parts = re.split(r"(\d+)", name)
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in parts], name


def user_number() -> int:
    """Returns the user's number; 0 on Windows, which has none."""
    return os.getuid() if hasattr(os, "getuid") else 0


def read_file(path: Path, most: int | None = MOST_TEXT) -> bytes:
    """Returns the content of a regular file.

    Arguments:
        path: The file, or a link to one.
        most: The most bytes it may have; None: as many as it has.

    Raises:
        OSError: If it cannot be read, is a pipe, a device or a folder, or has more bytes.
    """
    handle = os.open(path, os.O_RDONLY | NONBLOCK | CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        content = file.read() if most is None else file.read(most + 1)
    if most is not None and len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most / 2**20:g} MiB", str(path))
    return content


def read_text(path: Path, most: int | None = MOST_TEXT) -> str:
    """Returns the content of a regular file of text.

    Raises:
        OSError: As `read_file` does, or if it is not UTF-8.
    """
    try:
        return read_file(path, most).decode()
    except UnicodeDecodeError:
        raise OSError(errno.EILSEQ, "it is not a text file (UTF-8)", str(path)) from None


def list_folder(path: Path) -> list[Path]:
    """Returns what is in a folder, sorted; nothing where there is no such folder.

    Raises:
        OSError: If there is one and it cannot be read.
    """
    try:
        return sorted(path / name for name in os.listdir(path))
    except (FileNotFoundError, NotADirectoryError):
        return []


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file atomically: readers see the old content or the new, never a part.

    A file that is replaced keeps its mode; links and devices are not replaced, nor written through.

    Raises:
        WriteError: If the file cannot be written; what stood there still stands.
    """
    try:
        make_folder(path.parent)
        mode = _mode_for(path)
        handle, temporary = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"
        )
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:  # a name may hold what no file system takes
        raise WriteError(f"cannot write {path}: {_reason(error)}") from error


def remove_stale(path: Path) -> bool:
    """Removes a temporary file that nobody can still be writing; returns whether it has."""
    try:
        if time.time() - path.lstat().st_mtime < STALE:
            return False
        path.unlink()
    except OSError:
        return False
    return True


def discard(path: Path) -> None:
    """Removes a file that is of no more use, if it is there; one that must stay, as somebody else's, may."""
    with suppress(OSError):
        path.unlink()


def remove_leftovers(path: Path) -> None:
    """Removes what killed writers of a file left beside it; the caller holds its lock."""
    for leftover in list_folder(path.parent):
        if leftover.name.startswith(f".{path.name}.") and leftover.suffix == ".tmp":
            discard(leftover)


def make_folder(path: Path) -> None:
    """Makes a folder and those above it; one in a folder that a group shares is shared with it.

    Raises:
        OSError: If it cannot be made.
    """
    if path.is_dir():
        return
    above = path.parent
    if above != path:
        make_folder(above)
    path.mkdir(exist_ok=True)
    bits = above.stat().st_mode
    if bits & stat.S_IWGRP and not bits & stat.S_ISVTX:
        path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IRWXG)


def _mode_for(path: Path) -> int:
    """The mode that a file is to have: its own, where it is one, else what the process gives.

    Raises:
        OSError: If something else than a file stands in its place.
    """
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return 0o666 & ~_umask()
    if stat.S_ISLNK(there.st_mode):
        to = os.readlink(path)
        raise OSError(errno.EINVAL, f"it is a link to {to}; name the file itself", str(path))
    if not stat.S_ISREG(there.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file; name another", str(path))
    return stat.S_IMODE(there.st_mode)


def _reason(error: Exception) -> object:
    return getattr(error, "strerror", None) or error


def _umask() -> int:
    """The process's umask; temporary files are private, what they become should not be."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
