"""A run that is killed in the middle goes on to the end it would have had."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml
from small_suites import SUITE, all_timeless

from genbench.store import Store

MODEL = {"name": "wgan_gp", "options": {"hidden": [16]}}


def command(root):
    named = ["run", "tiny", "-c", "suites.yaml", "-o", str(root)]
    return [*named, "--device", "cpu", "--checkpoint-every", "0.2"]


def start(folder, root):
    return subprocess.Popen(
        [sys.executable, "-m", "genbench", *command(root)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, genbench, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def finish(root):
        code, out, err = genbench(*command(root))
        assert code == 0, err
        return out

    changed = {
        "budget": {"steps": 400},
        "cells": [{"models": ["gaussian", MODEL], "datasets": ["ring"]}],
    }
    (tmp_path / "suites.yaml").write_text(
        yaml.safe_dump({"schema": 1, "suites": {"tiny": SUITE | changed}})
    )
    root = tmp_path / "r"
    killed = start(tmp_path, root)
    until = time.monotonic() + 100
    while not list((root / ".checkpoints").glob("*.safetensors")):
        if killed.poll() is not None:
            pytest.fail(f"it ended before its first checkpoint: {killed.communicate()[0]}")
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    half = list(Store(root).records())
    assert {record.spec.model for record in half} == {"gaussian"}
    assert Store(root).problems() == []
    # what a kill amid a write would leave
    (root / "ring" / "gaussian" / f".{half[0].cell}.json.x.tmp").write_text('{"schema"')

    told = finish(root)
    assert "4 cells, 2 done, 2 to train" in told
    store = Store(root)
    assert store.problems() == []
    assert len(list(store.records())) == 4
    for path in root.glob("*/*/*.json"):
        assert json.loads(path.read_text())["status"] == "ok"
    assert list((root / ".checkpoints").iterdir()) == []
    finish(tmp_path / "whole")
    assert all_timeless(root) == all_timeless(tmp_path / "whole")
    assert "nothing to do" in finish(root)
