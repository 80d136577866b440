"""Freed memory stays while a model trains, and goes back afterwards."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from genbench.training import memory

CODE = """
import resource, statistics
import torch
from genbench.training.memory import keep_memory

def round():
    parts = [torch.ones(10 << 20) for _ in range(3)]  # 40 MiB each: 10,240 pages
    return sum(float(part[0]) for part in parts)

def count():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    round()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def faults():
    # the heap may still grow in one of the rounds, where other blocks lie in the way: the usual round counts
    return statistics.median(count() for _ in range(9))

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

torch.set_num_threads(1)
before = faults()
with keep_memory():
    with keep_memory():
        inside = faults()
    nested = faults()
    held = resident()
given_back = held - resident()
# the first round alone: where a small block lies on top of the heap, the usual rule keeps what is below it
print(before, inside, nested, count(), given_back)
"""

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")


def count(**environment: str) -> list[float]:
    """Returns page faults a round before, inside (twice) and right after, and the bytes given back."""
    own = {name: value for name, value in os.environ.items() if name not in memory.VARIABLES}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        check=True,
        env=own | environment,
    )
    return [float(word) for word in done.stdout.split()]


@glibc
def test_rounds_fault_in_no_page_again():
    before, inside, nested, after, given_back = count()
    assert before > 10_000
    assert inside < 100
    assert nested < 100
    assert after > 10_000
    assert given_back > 80 << 20


@glibc
def test_what_a_user_has_set_stands():
    _, inside, *_ = count(MALLOC_MMAP_THRESHOLD_="1000000")
    assert inside > 10_000


def test_without_glibc_nothing_is_done(monkeypatch):
    for name in memory.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(memory, "_libc", lambda: None)
    with memory.keep_memory():
        assert memory._open == [0]
