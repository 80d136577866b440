"""All executors give the same records; what happens to a worker costs its own job alone."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import Pipe
from pathlib import Path

import pytest
from small_suites import all_timeless, do, suite_of

from genbench.core.registry import load_plugin
from genbench.executors.processes import GRACE, Processes, Worker, threads_each
from genbench.running.child_processes import heed_signals
from genbench.running.interrupts import stop_requested
from genbench.running.job import Stage
from genbench.running.sorter import make_plan, make_settings
from genbench.store import Store

DIES = """
import os, time
from pathlib import Path
from genbench import Model, Player, model
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam

@model("dies_in_a_worker")
class Dies(Model):
    taxonomy = "reference"
    def __init__(self, spec, rng, *, once: str = ""):
        super().__init__(spec, rng)
        self.once = once
        self.net = MLP(spec.size, spec.size, (4,), rng)
    def players(self):
        return (Player("net", self.net, self.loss, adam(1e-2)),)
    def loss(self, batch, rng):
        if not self.once or not Path(self.once).exists():
            if self.once:
                Path(self.once).touch()
            os.kill(os.getpid(), 9)
        return self.net(batch.x).square().mean((1, 2))
    def sample(self, n, rng):
        return self.net(rng.normal(n, 2)).unflatten(-1, self.spec.event)
"""


def cells(*models):
    return [{"models": list(models), "datasets": ["ring"]}]


@pytest.mark.parametrize(
    ("workers", "asked", "threads"),
    [
        (1, None, 8),
        (2, None, 4),
        (3, None, 2),
        (20, None, 1),
        (1, "1", 1),
        (2, "3", 3),
        (4, "3", 2),
        (2, "", 4),
        (2, "many", 4),
        (2, "0", 4),
        (2, "²", 4),
    ],
)
def test_workers_share_the_cores_and_take_no_more_threads_than_asked(
    monkeypatch, workers, asked, threads
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS")
    if asked is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert threads_each(workers) == threads


def test_worker_processes_give_the_records_that_one_process_gives(tmp_path):
    small = ({"name": "gan", "options": {"hidden": [8]}}, "gaussian")
    suite, told = suite_of(tmp_path, cells=cells(*small)), []
    do(suite, tmp_path / "inline")
    _, records = do(
        suite, tmp_path / "side by side", executor=Processes(2), report=lambda *it: told.append(it)
    )
    assert [record.status for record in records] == ["ok"] * 4
    assert all_timeless(tmp_path / "side by side") == all_timeless(tmp_path / "inline")
    assert {index for index, _ in told} == {0, 1}
    assert "train" in {progress.phase for _, progress in told}


@pytest.fixture
def dies(tmp_path, registered):
    path = tmp_path / "dies.py"
    path.write_text(DIES)
    load_plugin(str(path))
    return str(path)


def test_a_worker_that_dies_costs_the_others_nothing_and_its_job_is_done_again(tmp_path, dies):
    once = str(tmp_path / "died")
    both = ({"name": "dies_in_a_worker", "options": {"once": once}}, "gaussian")
    suite = suite_of(tmp_path, cells=cells(*both), seeds=2)
    _, records = do(suite, tmp_path / "r", executor=Processes(1), plugins=(dies,))
    assert [record.status for record in records] == ["ok"] * 4
    assert Path(once).exists()
    assert Store(tmp_path / "r").problems() == []


def test_a_job_that_kills_every_worker_becomes_an_error(tmp_path, dies, monkeypatch):
    monkeypatch.setattr("genbench.running.driver.DEATHS", 1)
    suite = suite_of(tmp_path, cells=cells("dies_in_a_worker"), seeds=1)
    _, records = do(suite, tmp_path / "r", executor=Processes(1), plugins=(dies,))
    assert [(r.status, r.phase, r.metrics) for r in records] == [("error", "train", [])]
    assert records[0].reason == (
        "its worker process died 1 times (killed by SIGKILL, as it is when memory runs out)"
    )


class Deaf:
    """A worker's process that answers nothing."""

    exitcode = -9

    def is_alive(self):
        return True

    def kill(self):
        self.killed = True

    def join(self, timeout=None):
        return None


def test_a_worker_that_does_not_end_in_time_is_ended(tmp_path):
    suite = suite_of(tmp_path)
    settings = make_settings(suite, tmp_path / "r", device="cpu", timeout=3.0)
    job = make_plan(suite, Store(tmp_path / "r"), settings).jobs[0]
    worker = Worker.__new__(Worker)
    worker.process, worker.connection = Deaf(), Pipe()[0]
    worker.index, worker.job, worker.stage = 0, job, Stage(lambda progress: None)
    worker.since = time.monotonic() - 3 - GRACE / 2
    assert worker.overdue() is None
    worker.since -= GRACE
    outcome = worker.overdue()
    assert worker.process.killed
    assert [record.status for record in outcome.results] == ["timeout"] * 2
    assert (outcome.died, worker.busy) == (False, False)


def sleep_through(path):
    """Says that a process has begun, and waits for what a signal does to it."""
    heed_signals()
    Path(path).write_text("begun")
    while not stop_requested():
        time.sleep(0.01)
    Path(path).write_text("stopped")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_worker_is_asked_to_stop_by_signals_even_before_its_first_line(tmp_path, number):
    """The first process starts Python's resource tracker, which lets through what was held back."""
    code = (
        "import os, signal, sys\n"
        "from multiprocessing import get_context\n"
        "from genbench.running.child_processes import signals_held\n"
        "from test_executors import sleep_through\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(int(sys.argv[2]), signal.SIG_DFL)  # nohup may have it ignored\n"
        "    one = get_context('spawn').Process(target=sleep_through, args=(sys.argv[1],))\n"
        "    with signals_held():\n"
        "        one.start()\n"
        "    os.kill(one.pid, int(sys.argv[2]))\n"
        "    one.join()\n"
    )
    (tmp_path / "parent.py").write_text(code)
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "parent.py", "state", str(int(number))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "state").read_text() == "stopped"


def test_a_worker_without_a_job_ends_when_it_is_asked_to_stop():
    worker = Worker(1)
    try:
        os.kill(worker.process.pid, signal.SIGTERM)
        worker.process.join(60)
        assert worker.process.exitcode == 0
    finally:
        worker.end()
