"""Seconds of calls, by a clock that waits for the device."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from genbench.core.rng import Rng


def call_seconds(
    function: Callable[[int, Rng], Any], n: int, rng: Rng, *, repeats: int = 3
) -> list[float]:
    """Returns what each call of function(n, rng) takes, after one that warms up."""
    times = []
    with torch.no_grad():
        function(n, rng)
        for _ in range(repeats):
            finish(rng.device)
            start = time.perf_counter()
            function(n, rng)
            finish(rng.device)
            times.append(time.perf_counter() - start)
    return times


def finish(device: torch.device) -> None:
    """Waits until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
