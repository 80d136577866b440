"""Output that costs nobody anything: signs it cannot show, a closed pipe, a full disk, JSON alone."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

#: what a terminal would obey: all of it elsewhere, and on a terminal all but colours and the bars' own
CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\[[0-9;]*[mAK]|\[\?25[hl])"
)
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)?|\x1b")


class Output:
    """A stream that takes every text: what it cannot encode is escaped, and once it fails it takes no more.

    A run that shows its progress to somebody who has gone trains on. `failure` says what went wrong, unless
    nobody reads any longer (`run | head`).

    Arguments:
        stream: Where text goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.failure, self.broken = stream, "", False
        try:
            self._is_terminal = stream.isatty()
        except (OSError, ValueError):
            self._is_terminal = False

    def write(self, text: str | bytes) -> int:
        """Writes a text as far as that can be done; returns its length. Click's completion writes bytes."""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "backslashreplace")
        if not self.broken:
            encoding = getattr(self.stream, "encoding", None) or "utf-8"
            safe = CONTROL.sub("", text if self._is_terminal else ESCAPES.sub("", text))
            safe = safe.encode(encoding, "backslashreplace").decode(encoding)
            self._try(self.stream.write, safe)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes texts one after the other."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flushes what was written."""
        if not self.broken:
            self._try(self.stream.flush)

    def _try(self, function: Any, *arguments: str) -> None:
        try:
            function(*arguments)
        except (OSError, ValueError) as error:  # ValueError of a stream that is closed
            self.broken = True
            if getattr(error, "errno", None) != errno.EPIPE:
                self.failure = str(getattr(error, "strerror", None) or error)
            self._let_go()

    def _let_go(self) -> None:
        """Lets what is still in buffers go nowhere, so that no flush at the end fails again."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # past which click would write by itself
            raise AttributeError(name)
        return getattr(self.stream, name)


def open_nowhere() -> TextIO:
    """Opens a stream in place of one that was closed before the start (`>&-`), and holds its descriptor.

    Else the next file that is opened would get it, and what libraries print past Python would go there.
    """
    return open(os.devnull, "w", encoding="utf-8")


@contextlib.contextmanager
def careful_output() -> Iterator[Output]:
    """Lets standard output and errors take everything in its body; yields the standard output."""
    before = sys.stdout, sys.stderr
    out, errors = (Output(stream or open_nowhere()) for stream in before)
    sys.stdout, sys.stderr = out, errors  # type: ignore[assignment]
    try:
        yield out
        out.flush()
    finally:
        sys.stdout, sys.stderr = before


@contextlib.contextmanager
def json_alone() -> Iterator[Output]:
    """Sends what anybody prints in its body to the errors; yields the true standard output.

    Plugins, their libraries and worker processes print where they like, also past Python.
    """
    out = sys.stdout
    try:
        real = os.dup(out.fileno())
    except (OSError, ValueError, AttributeError):  # of a test, or of a notebook
        with contextlib.redirect_stdout(sys.stderr):
            yield Output(out)
        return
    out.flush()
    os.dup2(2, out.fileno())
    encoding = getattr(out, "encoding", None)
    mine = os.fdopen(real, "w", encoding=encoding, errors="backslashreplace")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield Output(mine)
    finally:
        with contextlib.suppress(OSError, ValueError):
            out.flush()
        os.dup2(real, out.fileno())
        with contextlib.suppress(OSError):
            mine.close()
