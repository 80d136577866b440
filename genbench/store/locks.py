"""Locks on cells and on files, so that commands side by side neither do nor undo each other's work."""

from __future__ import annotations

import errno
import hashlib
import importlib
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from genbench.core.errors import WriteError
from genbench.core.files import CLOEXEC, NOFOLLOW, NONBLOCK, make_folder, remove_leftovers

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

NAME = ".lock"
#: where a file per cell is locked on systems that lock no single bytes
FOLDER = ".locks"
#: seconds for which a file is waited for that another process is changing, and between two looks
PATIENCE, PAUSE = 60.0, 0.05
#: threads of this process change files one after the other, as locks are between processes
_in_turn = threading.Lock()


class Locks:
    """Holds cells of a results folder for this process; a context manager.

    A cell is one byte of the file `.lock`, locked through the operating system, which lets go of it
    whatever way the process ends. Locks are between processes (also on other machines, where the file
    system knows locks), not between two objects of one process. On Windows a cell is a file of its own
    in `.locks`.

    Arguments:
        root: The results folder; it is made if needed.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / NAME
        self._files: dict[str, Any] = {}
        try:
            make_folder(root)
            flags = os.O_RDWR | os.O_CREAT | CLOEXEC | NOFOLLOW | NONBLOCK
            self._file = os.open(self.path, flags, 0o666)
            if not stat.S_ISREG(os.fstat(self._file).st_mode):
                os.close(self._file)
                raise OSError(errno.EINVAL, f"{self.path} is not a regular file; remove it")
            self._share(root)
            os.utime(self._file)
        except OSError as error:
            raise WriteError(
                f"cannot write into {root}: {error.strerror or error}; "
                f"choose another folder for the results by -o"
            ) from error

    def _share(self, root: Path) -> None:
        """Lets all those lock cells who may write into the folder."""
        if not hasattr(os, "fchmod"):
            return
        with suppress(PermissionError):  # it is somebody else's, who has done so
            os.fchmod(self._file, stat.S_IMODE(root.stat().st_mode) & 0o666 | 0o600)

    def __enter__(self) -> Locks:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for cell in list(self._files):
            self.give(cell)
        os.close(self._file)

    def take(self, cell: str) -> bool:
        """Takes a cell; returns whether it was free."""
        if fcntl is None:
            return self._take_file(cell)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _byte(cell))
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise WriteError(
                f"cannot lock {self.path}: {error.strerror}; its file system has no locks, so give a local "
                f"folder by -o, and unite it with this one by genbench merge"
            ) from error
        return True

    def take_name(self, name: str) -> bool:
        """Takes a file by its name; returns whether it was free."""
        return self.take(hashlib.sha256(name.encode()).hexdigest())

    def give(self, cell: str) -> None:
        """Lets go of a cell."""
        if fcntl is None:
            if cell in self._files:
                self._files.pop(cell).release()
            return
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _byte(cell))

    def _take_file(self, cell: str) -> bool:
        """Locks a file of the cell's own; returns whether it was free, or this process's already."""
        filelock = importlib.import_module("filelock")
        if cell in self._files:
            return True
        folder = self.path.with_name(FOLDER)
        make_folder(folder)
        lock = filelock.FileLock(folder / cell, blocking=False)
        try:
            lock.acquire()
        except filelock.Timeout:
            return False
        self._files[cell] = lock
        return True


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Lets this process alone read a file, change what it holds and write it, in its body.

    Others that change it by this wait until the body has ended, and what killed ones left goes. Where its
    folder takes no lock, as one that cannot be written, nobody is kept out, and whoever writes the file
    says why that fails.

    Arguments:
        path: The file; it need not be there yet.

    Raises:
        WriteError: If another process does not let go of it within `PATIENCE` seconds.
    """
    path = path.parent.resolve() / path.name  # one place, whatever links lead to it
    with _in_turn, ExitStack() as stack:
        free = True
        with suppress(WriteError):
            free = _wait_for(stack.enter_context(Locks(path.parent)), path.name)
            if free:
                remove_leftovers(path)
        if not free:
            raise WriteError(
                f"cannot change {path}: another process has had it in hand for {PATIENCE:g} seconds; end "
                f"that one, and repeat the command"
            )
        yield


def _wait_for(locks: Locks, name: str) -> bool:
    """Takes a file as soon as it is free; returns False where it was not for too long."""
    end = time.monotonic() + PATIENCE
    while not locks.take_name(name):
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE)
    return True


def _byte(cell: str) -> int:
    """The place of a cell in the file, which stays empty: locks reach beyond a file's end."""
    return int(cell[:15], 16)
