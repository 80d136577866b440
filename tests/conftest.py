"""One thread, and a cache of the session's own: set before anything imports genbench."""

import atexit
import os
import shutil
import tempfile
from importlib import import_module

import pytest
import torch

_CACHE = tempfile.mkdtemp(prefix="genbench-tests-")
atexit.register(shutil.rmtree, _CACHE, ignore_errors=True)
os.environ["GENBENCH_CACHE"] = _CACHE
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)


@pytest.fixture
def genbench(capsys):
    """Runs the command line in this process; returns its exit code, its output and its errors."""
    from genbench.cli import main

    def run(*args):
        with pytest.raises(SystemExit) as end:
            main([str(arg) for arg in args])
        text = capsys.readouterr()
        return end.value.code or 0, text.out, text.err

    return run


@pytest.fixture
def registered():
    """Takes back, after the test, what it registered (plugins live as long as the process)."""
    from genbench.core.registry import REGISTRIES

    # all of them: what a test is the first to import could not be taken back
    for kind in ("claim", "dataset", "feature", "metric", "model"):
        import_module(f"genbench.core.{kind}")
    import_module("genbench.running.executor")

    before = {kind: dict(registry._objects) for kind, registry in REGISTRIES.items()}
    known = dict(REGISTRIES)
    yield
    REGISTRIES.clear()
    REGISTRIES.update(known)
    for kind, objects in before.items():
        built_in = {n: o for n, o in REGISTRIES[kind]._objects.items() if _built_in(o)}
        REGISTRIES[kind]._objects = {**built_in, **objects}


def _built_in(thing):
    home = getattr(thing, "function", thing)
    return getattr(home, "__module__", "").startswith("genbench.")
