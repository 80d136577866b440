"""A command line in a forked process, which may send itself a signal before one of its accesses to files."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Any

from genbench.cli import main

#: what the audit hook counts; `os.fsync` raises no event of its own
EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "tests.fsync"}


def run_child(args: list[str], log: Path, moment: tuple[int, int] | None, tally: Path) -> None:
    """Runs a command line in a forked process and ends it; kills itself at a moment.

    Arguments:
        args: The command line.
        log: Takes both streams.
        moment: The signal, and before which of its accesses to files it is sent.
        tally: Takes the number of accesses, at the end.
    """
    stream = os.open(log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    here, count = os.getcwd(), 0

    def hook(event: str, about: tuple[Any, ...]) -> None:
        nonlocal count
        if event not in EVENTS or (event != "tests.fsync" and not _writes(event, about, here)):
            return
        count += 1
        if moment is not None and count == moment[1]:
            os.kill(os.getpid(), moment[0])

    sync = os.fsync

    def fsync(descriptor: int) -> None:
        sys.audit("tests.fsync", descriptor)
        sync(descriptor)

    sys.addaudithook(hook)
    os.fsync = fsync
    code = 70
    try:
        main(args)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except KeyboardInterrupt:  # between the fork and `main`, or after it
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        moment = None
        tally.write_text(str(count))
        os._exit(code)


def _writes(event: str, about: tuple[Any, ...], here: str) -> bool:
    """Whether an event is the writing, moving or removing of a file in the campaign's folder."""
    name = (
        os.path.abspath(os.fsdecode(about[0]))
        if isinstance(about[0], (str, bytes, os.PathLike))
        else ""
    )
    if not name.startswith(here):
        return False
    if event != "open":
        return True
    mode, flags = about[1], about[2]
    return (
        bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) if mode is None else mode[0] in "wax"
    )
