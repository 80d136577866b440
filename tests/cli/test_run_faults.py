"""`genbench run` from outside when something goes wrong: what it says, and how it ends."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from small_suites import SUITE, all_timeless

from genbench.running.interrupts import forget_stop
from genbench.store import Store

PLUGIN = """
from genbench import Model, Player, model
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam
from pathlib import Path

@model("raises_once")
class RaisesOnce(Model):
    taxonomy = "reference"
    def __init__(self, spec, rng):
        super().__init__(spec, rng)
        self.net = MLP(spec.size, spec.size, (4,), rng)
    def players(self):
        return (Player("net", self.net, self.loss, adam(1e-2)),)
    def loss(self, batch, rng):
        if not Path("fixed").exists():
            raise ZeroDivisionError("planted on purpose")
        return self.net(batch.x).square().mean((1, 2))
    def sample(self, n, rng):
        return self.net(rng.normal(n, 2)).unflatten(-1, self.spec.event)
"""
RUN = ["run", "tiny", "-c", "suites.yaml", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    forget_stop()
    yield tmp_path
    forget_stop()


def write(folder, **changed):
    text = yaml.safe_dump({"schema": 1, "suites": {"tiny": SUITE | changed}})
    (folder / "suites.yaml").write_text(text)


def test_failed_cells_wait_for_retry_failed(genbench, folder, registered):
    (folder / "once.py").write_text(PLUGIN)
    write(folder, cells=[{"models": ["raises_once"], "datasets": ["ring"]}])
    run = [*RUN, "--plugin", "once.py"]
    assert genbench(*run)[0] == 3
    code, out, _ = genbench(*run, "--only-missing")
    told = " ".join(out.split())
    assert code == 3
    assert "2 failed before (again with --retry-failed); nothing to do" in told
    (folder / "fixed").touch()
    assert genbench(*run)[0] == 3
    code, out, _ = genbench(*run, "--retry-failed", "--json", "-q")
    assert code == 0
    assert [row["status"] for row in json.loads(out)] == ["ok", "ok"]
    code, out, _ = genbench(*run, "--retry-failed")
    assert "2 cells, 2 done, 0 to train; nothing to do" in " ".join(out.split())
    before = {p: p.stat().st_mtime_ns for p in Store("runs").files()}
    assert genbench(*run, "--force")[0] == 0
    assert all(p.stat().st_mtime_ns > t for p, t in before.items())


def test_what_diverged_is_a_result_that_is_counted_at_the_end(genbench, folder):
    run = ("run", "-m", "gan:lr=1e30", "-m", "gan", "-d", "ring", "--seeds", "2", "--steps", "3")
    code, _, err = genbench(*run, "--device", "cpu", "-q", "-o", "lost")
    assert code == 0
    assert err.startswith("diverged: gan on ring 2 of 4 cells; results as they are")
    assert genbench(*run, "-q", "-o", "lost", "--retry-failed") == (0, "", "")


def test_a_full_disk_is_exit_code_3_and_one_sentence(genbench, monkeypatch):
    real = os.fsync

    def full(descriptor):
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(descriptor)
        real(descriptor)

    written = []
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        code, _, err = genbench(*RUN, "-q")
    assert code == 3
    assert err.startswith("genbench: stopped: cannot write runs/")
    assert err.endswith(
        "No space left on device; finished cells are kept, make room and repeat the command to go on\n"
    )
    assert err.count("\n") == 1
    assert genbench(*RUN, "-q")[0] == 0
    record = next(Path("runs/ring").rglob("*.json"))
    record.symlink_to(record.rename("elsewhere.json").absolute())
    code, _, err = genbench(*RUN, "-q", "--force")
    assert code == 3
    assert "name the file itself; finished cells are kept, mend that and repeat" in err


def test_a_folder_that_cannot_be_written_is_exit_code_2_before_training(genbench, folder):
    (folder / "file").write_text("")
    code, out, err = genbench(*RUN, "-o", "file/results")
    assert code == 2
    assert err.startswith("genbench: cannot write into file/results: ")
    assert err.endswith("choose another folder for the results by -o\n")
    assert err.count("\n") == 1
    assert "start" not in out


def test_a_damaged_record_is_told_of_done_anew_and_set_aside(genbench):
    genbench(*RUN, "-q")
    path = Store("runs").files()[0]
    path.write_bytes(path.read_bytes()[:-9])
    code, out, _ = genbench(*RUN)
    assert code == 0
    told = " ".join(out.split())
    assert "2 cells, 1 done, 1 to train" in told
    assert f"damaged, done anew and the file set aside: {path} is not a record" in told
    assert genbench("validate")[0] == 0


def start(folder, *args):
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    return subprocess.Popen(
        [sys.executable, "-m", "genbench", *RUN, *args],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def await_checkpoint(process, root):
    until = time.monotonic() + 100
    while not list((root / ".checkpoints").glob("*.safetensors")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("executor", ["inline", pytest.param("processes", marks=pytest.mark.slow)])
def test_ctrl_c_writes_the_checkpoint_and_the_same_command_goes_on(folder, genbench, executor):
    write(folder, budget={"steps": 900})
    run = start(folder, "--executor", executor, "--checkpoint-every", "0.1", "-o", "r")
    await_checkpoint(run, folder / "r")
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=100)
    assert run.returncode == 130, err
    assert err.splitlines() == [
        "stopping; checkpoints are being written, Ctrl-C again stops at once",
        "stopped; finished cells are kept, the same command goes on from here",
    ]
    assert len(list((folder / "r" / ".checkpoints").glob("*.safetensors"))) >= 1
    assert list(Store("r").records()) == []
    assert genbench(*RUN, "-o", "r", "-q")[0] == 0
    assert all(r.used.steps == 900 for r in Store("r").records())


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_a_second_ctrl_c_stops_at_once(folder, executor):
    (folder / "slow.py").write_text(
        PLUGIN.replace("ZeroDivisionError(", "print(").replace(
            'raise print("planted on purpose")', "__import__('time').sleep(600)"
        )
    )
    write(folder, cells=[{"models": ["raises_once"], "datasets": ["ring"]}])
    run = start(folder, "--executor", executor, "--plugin", "slow.py")
    while "start" not in run.stdout.readline():
        assert run.poll() is None
    time.sleep(5)
    run.send_signal(signal.SIGINT)
    time.sleep(1)
    assert run.poll() is None
    run.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, err = run.communicate(timeout=60)
    assert time.monotonic() - began < 10
    assert run.returncode == 130
    assert "Traceback" not in err


@pytest.mark.slow
def test_two_drivers_share_a_folder_without_doubling_or_tearing(folder):
    models = [{"name": "gan", "options": {"hidden": [h]}} for h in (4, 6, 8, 10, 12, 14)]
    cells = [{"models": models, "datasets": ["ring", "grid"]}]
    write(folder, cells=cells, budget={"steps": 150})
    runs = [start(folder, "-o", "both") for _ in range(2)]
    told = [run.communicate(timeout=300) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], told
    done = [out.count("done   ") for out, _ in told]
    assert sum(done) == 12
    assert min(done) > 0
    store = Store(folder / "both")
    assert store.problems() == []
    assert len(list(store.records())) == 24
    assert list((folder / "both").rglob("*.tmp")) == []
    alone = start(folder, "-o", "alone")
    alone.communicate(timeout=300)
    assert all_timeless(folder / "both") == all_timeless(folder / "alone")
