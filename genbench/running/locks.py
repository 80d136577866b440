"""Locks on cells, so that two runs on one results folder do not do the same work."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType

from genbench.core.errors import WriteError

NAME = ".lock"


class Locks:
    """Holds cells of a results folder for this process; a context manager.

    A cell is one byte of the file `.lock`, locked through the operating system, which lets go of it
    whatever way the process ends. Locks are between processes (also on other machines, where the file
    system knows locks), not between two objects of one process.

    Arguments:
        root: The results folder; it is made if needed.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / NAME
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            os.utime(self._file)
        except OSError as error:
            raise WriteError(
                f"cannot write into {root}: {error.strerror or error}; "
                f"choose another folder for the results by -o"
            ) from error

    def __enter__(self) -> Locks:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def take(self, cell: str) -> bool:
        """Takes a cell; returns whether it was free."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _byte(cell))
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise WriteError(
                f"cannot lock {self.path}: {error.strerror}; put results on a file system with locks"
            ) from error
        return True

    def give(self, cell: str) -> None:
        """Lets go of a cell."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _byte(cell))


def _byte(cell: str) -> int:
    """The place of a cell in the file, which stays empty: locks reach beyond a file's end."""
    return int(cell[:15], 16)
