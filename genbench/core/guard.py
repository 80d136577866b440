"""What plugins are given stays as it is: a plugin that writes into its inputs is named and refused.

Otherwise the scores of all that looks at the same points afterwards would be wrong without a word.
"""

from __future__ import annotations

import errno
import traceback
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.declarations import module_of, path_of
from genbench.core.declarations import where as place_of
from genbench.core.errors import ContractError, GenbenchError, text_of
from genbench.core.version import PACKAGE

#: what torch says, in a RuntimeError, when the machine's own memory is used up
NO_MEMORY = ("not enough memory", "can't allocate memory")
#: bytes of a tensor that are looked at at once
BLOCK = 2**24
#: up to so many bytes a tensor is copied beforehand, and mended
SMALL = 2**14


class ChangedInput(ContractError):
    """A plugin changed what it was given, so that nobody may use those points again."""


@contextmanager
def unchanged(who: str, inputs: Iterable[object], *, code: object = None) -> Iterator[None]:
    """Refuses a body that writes into the tensors that it is given.

    Torch counts how often a tensor or a view of it was written to, which costs nothing to look at. What is
    written past that, through `numpy()` or `data`, is found by a checksum, for plugins from elsewhere alone:
    genbench's own are tested for it.

    Arguments:
        who: What the plugin is called in the error.
        inputs: What it is given; all but tensors are left out.
        code: The plugin, whose module says whether it is genbench's own; None for its own.

    Raises:
        ChangedInput: If an input is not what it was, whatever else the body raised.
    """
    tensors = [x for x in inputs if isinstance(x, Tensor)]
    foreign = code is not None and not is_own(code)
    before = [_state(x, foreign) for x in tensors]
    # what is expanded over seeds has no room for a copy
    copies = [
        x.detach().clone() if x.nbytes <= SMALL and 0 not in x.stride() else None for x in tensors
    ]
    try:
        yield
    finally:
        changed = [k for k, x in enumerate(tensors) if _state(x, foreign) != before[k]]
        for k in changed:
            copy = copies[k]
            if copy is not None:
                tensors[k].data.copy_(copy)
        if changed:
            raise ChangedInput(
                f"{who} needs to leave what it is given as it is, but wrote into its input of shape "
                f"{tuple(tensors[changed[0]].shape)}; let it work on a copy, x.clone()"
            )


@contextmanager
def blamed(who: str, code: object) -> Iterator[None]:
    """Turns what a plugin from elsewhere raises in its body into one sentence that names it and the line.

    Arguments:
        who: What the plugin is called.
        code: The plugin; what genbench's own raise stays what it is.

    Raises:
        ContractError: In place of any exception but genbench's own and those of memory.
    """
    try:
        yield
    except GenbenchError:
        raise
    except (Exception, SystemExit) as error:
        if is_own(code) or ran_out(error):
            raise
        raise ContractError(f"{who} failed: {describe(error, code)}; repair it") from error


def describe(error: BaseException, code: object = None) -> str:
    """Returns an exception in one line, with the place where it was raised.

    Arguments:
        error: The exception.
        code: The plugin that is to blame: the last of its own lines is named, or where there is none and
            genbench's line raised it, as one that calls it wrongly, its class or function with its file.
    """
    frames = traceback.extract_tb(error.__traceback__)
    home = None if code is None else path_of(code)
    own = [frame for frame in frames if Path(frame.filename) == home]
    where = "".join(f" at {frame.filename}:{frame.lineno}" for frame in (own or frames)[-1:])
    if code is not None and not own and Path(frames[-1].filename).is_relative_to(PACKAGE):
        where = f" ({place_of(code)})"
    text = " ".join(text_of(error).split())[:200]
    return f"{type(error).__name__}{f': {text}' if text else ''}{where}"


def ran_out(error: BaseException) -> bool:
    """Returns whether an exception says that the memory of the machine, or of its GPU, is used up."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError) and any(text in text_of(error) for text in NO_MEMORY)


def is_own(code: object) -> bool:
    """Returns whether a function, a class or an object of one is genbench's."""
    return module_of(code).startswith("genbench.")


def join_rows(parts: Iterable[Tensor], count: int, who: str) -> Tensor:
    """Returns tensors (S, B, …) as one (S, count, …) on the CPU, each copied before the next is asked for.

    So a model that returns the same buffer again and again does no harm.

    Arguments:
        parts: They come one after the other.
        count: How many rows there must be in all.
        who: What makes them, for errors.

    Raises:
        ContractError: If there are more rows or fewer, or their shapes differ.
    """
    whole: Tensor | None = None
    at = 0
    for part in parts:
        if whole is None:
            whole = torch.empty((part.shape[0], count, *part.shape[2:]), dtype=part.dtype)
        rows = part.shape[1] if part.dim() > 1 else 0
        if at + rows > count or part.shape != (whole.shape[0], rows, *whole.shape[2:]):
            break
        whole[:, at : at + rows] = part.cpu()
        at += rows
    if whole is None or at != count:
        raise ContractError(
            f"{who} needs to return as many points as it is asked for, {count} in all, got another number; "
            f"return shape (S, n, *event)"
        )
    return whole


def _state(x: Tensor, foreign: bool) -> tuple[int, int]:
    # tensors of inference mode, which only users make, have no count
    return 0 if x.is_inference() else x._version, checksum(x) if foreign else 0


def checksum(x: Tensor) -> int:
    """Returns a checksum of a tensor's numbers, read a few MiB at a time."""
    if not x.numel():
        return 0
    rows = x.detach().reshape(len(x), -1) if x.dim() else x.detach().reshape(1, 1)
    height = max(1, BLOCK // max(1, rows[:1].nbytes))
    total = 0
    for part in rows.split(height):
        total = zlib.crc32(part.contiguous().view(torch.uint8).cpu().numpy().data, total)
    return total
