"""The package where a system lacks what POSIX has: modules, flags and signals."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: takes away what Windows has not, of the modules that genbench itself imports
WITHOUT = """
import builtins, os, signal, sys
real = builtins.__import__
def fake(name, globals=None, *args, **kwargs):
    home = (globals or {}).get("__name__", "")
    if name in ("fcntl", "resource") and home.split(".")[0] == "genbench":
        raise ImportError(name)
    return real(name, globals, *args, **kwargs)
builtins.__import__ = fake
import torch, multiprocessing, asyncio, subprocess
kept = {name: getattr(os, name) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOFOLLOW", "fchmod", "getuid")}
for name in kept:
    delattr(os, name)
for name in ("setitimer", "pthread_sigmask"):
    if hasattr(signal, name):
        delattr(signal, name)
"""
PROGRAM = (
    WITHOUT
    + """
import genbench, numpy
from genbench.core.errors import SpecError
points = numpy.random.default_rng(0).normal(size=(60, 2))
score = genbench.evaluate(points, "ring:test", metrics="mmd", limit=60)
assert score.mmd > 0
suite = {"description": "d", "seeds": 2, "batch": 8, "budget": {"steps": 3}, "samples": 50,
         "metrics": ["mmd"], "curve": 0, "cells": [{"models": ["vae"], "datasets": ["ring"]}]}
from genbench.store.locks import Locks
from pathlib import Path
vars(os).update(kept)  # filelock on this system needs them, which on Windows it does not
with Locks(Path("here")) as one, Locks(Path("here")) as other:
    assert one.take("a" * 16) and one.take("a" * 16) and not other.take("a" * 16)
    one.give("a" * 16)
    assert other.take("a" * 16)
result = genbench.run(suite, results="here", device="cpu")
assert [record.status for record in result.records] == ["ok"] * 2
assert len(list(Path("here/.locks").iterdir())) >= 2
for options in ({"executor": "processes"}, {"timeout": 5.0, "redo": "all"}):
    try:
        genbench.run(suite, results="here", device="cpu", **options)
    except SpecError as error:
        assert "this system has not" in str(error), error
    else:
        raise AssertionError(options)
print("fine")
"""
)


def test_import_evaluate_and_run_without_posix(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith("fine\n")
