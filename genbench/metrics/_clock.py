"""Seconds of calls, by a clock that waits for the device."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from genbench.core.rng import Rng

#: more calls than this sharpen nothing
MOST = 200


@torch.no_grad()
def call_seconds(
    function: Callable[[int, Rng], Any],
    n: int,
    rng: Rng,
    *,
    repeats: int = 3,
    seconds: float = 0.0,
) -> list[float]:
    """Returns what each call of function(n, rng) takes, after one that warms up.

    Arguments:
        function: What is timed.
        n: Its first argument.
        rng: Its second.
        repeats: The fewest calls.
        seconds: How long to go on once these are made.
    """
    times: list[float] = []
    function(n, rng)
    end = time.perf_counter() + seconds
    while len(times) < repeats or (time.perf_counter() < end and len(times) < MOST):
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
