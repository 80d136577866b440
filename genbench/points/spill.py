"""Rows that are added one batch after the other, and move to a file when they outgrow their room."""

from __future__ import annotations

import contextlib
import tempfile
from typing import Any

import numpy
import torch
from torch import Tensor

from genbench.core.errors import DataError
from genbench.points import memmap


class SpillingRows:
    """Keeps rows in memory as long as they take no more than some room, then in a temporary file.

    Arguments:
        room: The bytes that may be held in memory.
        files: Closes the file; what is mapped of it stays.
    """

    def __init__(self, room: int, files: contextlib.ExitStack) -> None:
        self.room, self.size, self.files = room, 0, files
        self.parts: list[Tensor] = []
        self.file: Any = None

    def add(self, x: Tensor) -> None:
        """Keeps rows (B, ...).

        Raises:
            DataError: If the disk is full.
        """
        self.size += x.nbytes
        self.parts.append(x)
        if self.file is None and self.size > self.room:
            file = tempfile.TemporaryFile(prefix="genbench-")  # noqa: SIM115
            self.file = self.files.enter_context(file)
            self.kind, self.event = x.dtype, x.shape[1:]
        if self.file is None:
            return
        try:
            for part in self.parts:
                self.file.write(part.to(self.kind).contiguous().numpy().data)
            self.file.flush()
        except OSError as error:
            raise DataError(
                f"{tempfile.gettempdir()} has no room for points: {error.strerror}; let TMPDIR name "
                f"a larger disk, or compare fewer by --limit"
            ) from None
        self.parts.clear()

    def whole(self) -> Tensor:
        """Returns all rows."""
        if self.file is None:
            return torch.cat(self.parts)
        kind = torch.empty(0, dtype=self.kind).numpy().dtype
        array = numpy.memmap(self.file, kind, "c")
        return memmap.to_memmap(array).view(-1, *self.event)
