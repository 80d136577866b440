"""Numbers too small for their exponent, which a processor computes with many times as slowly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

#: below the least normal float32, 1.2e-38
TINY = 1e-39


@contextmanager
def flush_denormals() -> Iterator[None]:
    """Rounds denormal results to 0 on this thread; gives it its own way back, whatever happens.

    Gradients of a mixture's far components are such numbers, which made products with them the dearest part
    of `made`'s rounds. Beside weights of any use they are nothing: no weight gets another bit
    (`tests/training/test_denormals.py`).
    """
    before = _are_flushed()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _are_flushed() -> bool:
    return bool(torch.tensor(TINY) * 1.0 == 0.0)
