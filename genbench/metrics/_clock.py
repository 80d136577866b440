"""Seconds of calls, by a clock that waits for the device."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from genbench.core.rng import Rng

#: more calls than this sharpen nothing
MOST = 200
#: the share of the machine's time that others may take before it is said
STOLEN = 0.01
#: where the system counts its time, and which of the counts is time that a host gave to others
COUNTS, STEAL = Path("/proc/stat"), 7


@dataclass(frozen=True)
class Load:
    """What else kept the machine busy while something was timed.

    Arguments:
        average: Processes that wanted a core, over the last minute, at the beginning.
        ticks: The system's count of time, all of it and what was stolen, at the beginning.
    """

    average: float
    ticks: tuple[int, int]

    @classmethod
    def now(cls) -> Load:
        """Returns the load at the beginning of a measurement."""
        return cls(_load_average(), _count_ticks())

    def describe(self) -> str | None:
        """Returns in words that the machine was loaded since, or None where it was not."""
        average, cores = max(self.average, _load_average()), os.cpu_count() or 1
        whole, stolen = (
            after - before for before, after in zip(self.ticks, _count_ticks(), strict=True)
        )
        reasons = [f"load average {average:.1f} on {cores} cores"] if average > cores else []
        if whole > 0 and stolen > STOLEN * whole:
            reasons.append(f"{stolen / whole:.0%} of its time stolen")
        return f"the machine was loaded: {', '.join(reasons)}" if reasons else None


def _load_average() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _count_ticks() -> tuple[int, int]:
    try:
        counts = [int(n) for n in COUNTS.read_text().split("\n", 1)[0].split()[1:9]]
        return sum(counts), counts[STEAL]
    except (OSError, ValueError, IndexError):
        return 0, 0  # another system than Linux


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
