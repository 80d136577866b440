"""What goes wrong becomes a row, is tried again where that may help, and costs nothing else."""

import hashlib
import math
import os
import signal
import threading
import time

import pytest
from held_cells import held
from small_suites import all_timeless, do, suite_of

from genbench.core.errors import StoreError, WriteError
from genbench.core.registry import load_plugin
from genbench.running import driver as loop
from genbench.running import interrupts, job
from genbench.running.build import checkpoint_path
from genbench.running.driver import run_plan
from genbench.running.executor import Executor
from genbench.running.interrupts import (
    TOGETHER,
    OutOfTime,
    deadline,
    forget_stop,
    is_of_user,
    request_stop,
    stop_requested,
    stopping_on_signals,
)
from genbench.running.job import Outcome, Stage
from genbench.running.sorter import make_plan, make_settings
from genbench.running.work import run_job
from genbench.store import Store
from genbench.store.record import OF_TIME

PLUGIN = """
import time
from genbench import Model, Player, model
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam

@model("faulty")
class Faulty(Model):
    taxonomy = "reference"
    def __init__(self, spec, rng, *, fault: str = "none", most: int = 2):
        super().__init__(spec, rng)
        self.fault, self.most = fault, most
        self.net = MLP(spec.size, spec.size, (4,), rng)
    def players(self):
        return (Player("net", self.net, self.loss, adam(1e-2)),)
    def loss(self, batch, rng):
        if self.fault == "crowd" and len(rng) > self.most:
            raise MemoryError("too many seeds")
        if self.fault == "hang":
            time.sleep(60)
        return self.net(batch.x).square().mean((1, 2))
    def sample(self, n, rng):
        return self.net(rng.normal(n, 2)).unflatten(-1, self.spec.event)
"""
GAN = {"name": "gan", "options": {"hidden": [8]}}


@pytest.fixture
def plugin(tmp_path, registered):
    path = tmp_path / "faulty_file.py"
    path.write_text(PLUGIN)
    load_plugin(str(path))
    return str(path)


@pytest.fixture(autouse=True)
def no_stop():
    forget_stop()
    yield
    forget_stop()


@pytest.fixture
def hangup():
    """Lets SIGHUP do what it does in a terminal; a test that nohup runs finds it ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def faulty(folder, fault, **changed):
    models = [{"name": "faulty", "options": {"fault": fault}}, GAN]
    return suite_of(folder, cells=[{"models": models, "datasets": ["ring"]}], **changed)


def test_a_stack_that_does_not_fit_the_memory_is_cut_in_halves(tmp_path, plugin):
    suite = faulty(tmp_path, "crowd", seeds=5, curve=0)
    _, records = do(suite, tmp_path / "r", plugins=(plugin,))
    found = {r.spec.seed: r for r in records if r.spec.model == "faulty"}
    assert [found[seed].status for seed in range(5)] == ["ok"] * 5
    assert [found[seed].used.seeds_sharing for seed in range(5)] == [2, 2, 1, 2, 2]
    assert Store(tmp_path / "r").problems() == []
    assert list((tmp_path / "r" / ".checkpoints").glob("*")) == []


def test_a_cell_out_of_time_is_a_row_and_the_next_one_is_done(tmp_path, plugin):
    _, records = do(faulty(tmp_path, "hang"), tmp_path / "r", plugins=(plugin,), timeout=1.5)
    found = {(r.spec.model, r.spec.seed): r for r in records}
    bad = found["faulty", 0]
    assert (bad.status, bad.phase) == ("timeout", "train")
    assert bad.reason == "it took longer than 1.5 s; give more by --timeout and --retry-failed"
    assert 1.5 <= bad.failed_after_s < 20
    assert found["gan", 1].status == "ok"


def test_a_deadline_beyond_all_clocks_never_rings():
    """Every cell under `--timeout inf` failed of an OverflowError."""
    for seconds in (math.inf, 1e12):
        with deadline(seconds):
            pass


def test_a_deadline_rings_again_where_it_was_swallowed(monkeypatch):
    monkeypatch.setattr("genbench.running.interrupts.AGAIN", 0.05)

    def swallows_once():
        try:
            time.sleep(10)
        except OutOfTime:
            time.sleep(10)

    with pytest.raises(OutOfTime, match=r"longer than 0\.05 s"), deadline(0.05):
        swallows_once()
    time.sleep(0.1)  # it rings no more


@pytest.mark.parametrize("where", ["record", "checkpoint"])
def test_a_full_disk_ends_the_run_and_keeps_what_is_written(tmp_path, monkeypatch, where):
    cells = [{"models": ["gaussian", GAN], "datasets": ["ring"]}]
    suite, root = suite_of(tmp_path, cells=cells), tmp_path / "r"
    real = {"record": "genbench.store.folder", "checkpoint": "genbench.training.checkpoint"}[where]

    def full(path, content):
        if where == "checkpoint" or b'"gan"' in content:
            raise WriteError(f"cannot write {path}: No space left on device")
        return write_bytes(path, content)

    from genbench.core.files import write_bytes

    monkeypatch.setattr(f"{real}.write_bytes", full)
    made, records = do(suite, root, checkpoint_every=0.0)
    assert made.stopped.endswith("No space left on device")
    assert {r.spec.model for r in records} == {"gaussian"}
    assert {r.spec.model for r in Store(root).records()} == {"gaussian"}
    monkeypatch.undo()
    do(suite, root)
    do(suite, tmp_path / "whole")
    assert all_timeless(root) == all_timeless(tmp_path / "whole")


def test_a_folder_that_cannot_be_written_is_known_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    told = []
    with pytest.raises(WriteError, match=r"cannot write into .*; choose another folder"):
        do(suite_of(tmp_path), tmp_path / "file" / "r", report=lambda *it: told.append(it))
    assert told == []


@pytest.mark.parametrize(
    ("numbers", "ends"),
    [
        (
            [signal.SIGTERM, signal.SIGTERM],
            False,
        ),  # as timeout sends it, to a process and its group
        ([signal.SIGHUP, None, signal.SIGHUP], False),  # a terminal and its shell
        ([signal.SIGTERM, None, signal.SIGHUP], False),
        ([signal.SIGHUP, None, signal.SIGTERM], True),
        ([signal.SIGINT, None, signal.SIGINT], True),
    ],
)
def test_what_counts_as_a_second_ctrl_c(numbers, ends, hangup):
    told, ended = [], False
    with stopping_on_signals(lambda: None, lambda: told.append(1)):
        try:
            for number in numbers:
                if number is None:
                    time.sleep(1.5 * TOGETHER)
                else:
                    os.kill(os.getpid(), number)
        except KeyboardInterrupt:
            ended = True
    assert (told, ended, stop_requested()) == ([1], ends, True)


def test_a_run_under_nohup_outlives_its_terminal(hangup):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stopping_on_signals(lambda: None, lambda: None):
        os.kill(os.getpid(), signal.SIGHUP)
    assert not stop_requested()


def test_ctrl_c_is_a_plugins_only_in_a_worker_that_nobody_asked_to_stop(monkeypatch):
    assert is_of_user(KeyboardInterrupt())
    monkeypatch.setattr(interrupts, "_worker", threading.Event())
    interrupts.become_worker()
    assert not is_of_user(KeyboardInterrupt())
    interrupts.request_stop()
    assert is_of_user(KeyboardInterrupt())
    assert not is_of_user(ValueError())


@pytest.mark.parametrize("phase", ["train", "evaluate"])
def test_a_run_that_is_asked_to_stop_goes_on_later_to_the_same_bits(tmp_path, phase, monkeypatch):
    monkeypatch.setattr(job, "SILENCE", 0.0)
    cells = [{"models": [GAN, "gaussian"], "datasets": ["ring"]}]
    suite, root = suite_of(tmp_path, cells=cells, budget={"steps": 300}), tmp_path / "r"

    def stop(index, progress):
        if progress.phase == phase and (progress.step > 2 or phase == "evaluate"):
            request_stop()

    made, records = do(suite, root, report=stop)
    assert (made.stopped, records) == ("asked to stop", [])
    assert len(list((root / ".checkpoints").iterdir())) == 1
    forget_stop()
    told = []
    do(suite, root, report=lambda index, progress: told.append(progress))
    assert [p.phase for p in told].count("resumed") == 1
    do(suite, tmp_path / "whole")
    assert all_timeless(root) == all_timeless(tmp_path / "whole")
    assert list((root / ".checkpoints").iterdir()) == []


@pytest.mark.parametrize("phase", ["train", "evaluate"])
def test_times_of_a_run_that_went_on_elsewhere_are_of_no_single_machine(
    tmp_path, phase, monkeypatch
):
    monkeypatch.setattr(job, "SILENCE", 0.0)
    cells = [{"models": [GAN], "datasets": ["ring"]}]
    metrics = ["fid", "latency"]
    suite = suite_of(tmp_path, cells=cells, budget={"steps": 300}, metrics=metrics)

    def stop(index, progress):
        if progress.phase == phase and (progress.step > 2 or phase == "evaluate"):
            request_stop()

    def on(cpu, memory):
        machine = {"cpu": cpu, "device": "cpu", "threads": 1, "workers": 1, "torch": "2"}
        for module in ("legs", "stack"):
            where = f"genbench.running.{module}"
            monkeypatch.setattr(f"{where}.environment", lambda *a: dict(machine))
            monkeypatch.setattr(f"{where}.peak_memory", lambda device: memory)

    on("old", 700)
    do(suite, tmp_path / "r", report=stop)
    forget_stop()
    on("new", 300)
    _, records = do(suite, tmp_path / "r")
    trained = "old, then new" if phase == "train" else "old"
    assert {r.environment["cpu"] for r in records} == {trained}
    assert {r.used.peak_memory_bytes for r in records} == {700}
    times = [m for r in records for m in r.metrics if m.unit in OF_TIME]
    assert {r.find_conditions(m)["cpu"] for r in records for m in times} == {"new"}
    assert all(m.machine is None for r in records for m in r.metrics if m not in times)


def test_what_cannot_be_removed_costs_no_cell(tmp_path):
    """As a checkpoint in a folder whose users may not remove each other's files."""
    suite, root = suite_of(tmp_path), tmp_path / "r"
    made = make_plan(suite, Store(root), make_settings(suite, root, device="cpu"))
    for one in made.jobs:
        checkpoint_path(one).mkdir(parents=True)
    _, records = do(suite, root)
    assert [r.status for r in records] == ["ok", "ok"]


def test_an_interrupted_stack_is_put_together_again(tmp_path, monkeypatch):
    """Another number of workers, or new seeds, must not cost what a checkpoint holds."""
    monkeypatch.setattr(job, "SILENCE", 0.0)
    root = tmp_path / "r"

    def stop(index, progress):
        if progress.phase == "train" and progress.step > 2:
            request_stop()

    do(suite_of(tmp_path, seeds=3, budget={"steps": 300}), root, report=stop)
    forget_stop()
    suite = suite_of(tmp_path, seeds=6, budget={"steps": 300}, seeds_at_once=2)
    made = make_plan(suite, Store(root), make_settings(suite, root, device="cpu", workers=2))
    assert sorted(job.seeds for job in made.jobs) == [[0, 1, 2], [3, 4], [5]]


def test_cells_that_another_run_has_in_hand_are_left_to_it(tmp_path):
    suite, root = suite_of(tmp_path, seeds=3), tmp_path / "r"
    settings = make_settings(suite, root, device="cpu")
    made = make_plan(suite, Store(root), settings)
    with held(root, made.cells[1].cell):
        made, records = do(suite, root)
        assert [r.spec.seed for r in records] == [0, 2]
        assert [seed for job in made.busy for seed in job.seeds] == [1]
    made, records = do(suite, root)
    assert [r.spec.seed for r in records] == [1]
    assert made.busy == []


class Scripted(Executor):
    """An executor whose jobs end as a test says: by index, "dies" or "works"."""

    def __init__(self, end):
        super().__init__()
        self.end, self.seeds = end, []

    def run(self, next_job, report):
        while (assigned := next_job()) is not None:
            index, job = assigned
            self.seeds.append(job.seeds)
            if self.end(job):
                yield index, job.died("planted", Stage())
            else:
                yield index, run_job(job)


def test_a_job_whose_worker_died_is_done_again(tmp_path):
    executor = Scripted(lambda job: job.deaths == 0)
    _, records = do(suite_of(tmp_path), tmp_path / "r", executor=executor)
    assert executor.seeds == [[0, 1]] * 2
    assert [r.status for r in records] == ["ok", "ok"]


def test_what_dies_while_the_run_stops_is_no_failure(tmp_path):
    def dies(job):
        request_stop()
        return True

    made, records = do(suite_of(tmp_path), tmp_path / "r", executor=Scripted(dies))
    assert (made.stopped, records) == ("asked to stop", [])
    assert list(Store(tmp_path / "r").records()) == []


def test_a_job_that_was_stopped_from_outside_is_handed_out_again(tmp_path):
    class Once(Scripted):
        def run(self, next_job, report):
            yield next_job()[0], Outcome(stopped=True)
            yield from super().run(next_job, report)

    _, records = do(suite_of(tmp_path), tmp_path / "r", executor=Once(lambda job: False))
    assert [r.status for r in records] == ["ok", "ok"]


def test_the_seed_that_kills_workers_becomes_an_error_and_the_others_are_done(tmp_path):
    executor = Scripted(lambda job: 2 in job.seeds)
    _, records = do(suite_of(tmp_path, seeds=4), tmp_path / "r", executor=executor)
    assert {r.spec.seed: r.status for r in records} == {0: "ok", 1: "ok", 2: "error", 3: "ok"}
    bad = next(r for r in records if r.status == "error")
    assert bad.reason == f"its worker process died {loop.DEATHS} times (planted)"
    assert executor.seeds[: loop.DEATHS] == [[0, 1, 2, 3]] * loop.DEATHS
    assert len(list(Store(tmp_path / "r").records())) == 4


def test_what_another_run_did_since_the_plan_is_not_done_again(tmp_path):
    suite, root = suite_of(tmp_path), tmp_path / "r"
    early = make_plan(suite, Store(root), make_settings(suite, root, device="cpu"))
    do(suite, root)
    executor = Scripted(lambda job: True)
    assert list(run_plan(early, Store(root), executor, lambda index, progress: None)) == []
    assert executor.seeds == []


def test_damaged_records_are_done_anew_and_set_aside(tmp_path):
    suite, root = suite_of(tmp_path), tmp_path / "r"
    do(suite, root)
    before = all_timeless(root)
    path = next(iter(Store(root).files()))
    path.write_bytes(path.read_bytes()[:300])
    made, records = do(suite, root)
    assert len(records) == len(made.damaged) == 1
    assert made.damaged[0].startswith(f"{path} is not a record")
    assert before.keys() == all_timeless(root).keys()
    assert len([p for p in (root / ".set-aside").rglob("*") if p.is_file()]) == 1


def test_records_of_a_later_genbench_are_neither_set_aside_nor_made_anew(tmp_path):
    suite, root = suite_of(tmp_path), tmp_path / "r"
    do(suite, root)
    path = next(iter(Store(root).files()))
    lines = path.read_text().replace("genbench.record/2", "genbench.record/30").splitlines(True)
    body = "".join([*lines[:2], *lines[3:]]).encode()
    lines[2] = f' "seal": "{hashlib.sha256(body).hexdigest()[:16]}",\n'
    content = "".join(lines).encode()
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"is of a later genbench: .*record/30.*; install that"):
        do(suite, root, redo="all")
    assert path.read_bytes() == content
    assert not (root / ".set-aside").exists()
    assert "is of a later genbench" in Store(root).problems()[0]


@pytest.mark.parametrize("edited", [True, False])
def test_a_checkpoint_of_other_code_is_not_gone_on_from(tmp_path, registered, monkeypatch, edited):
    """A model whose file was edited since the kill, without another version, is trained as it is now."""
    monkeypatch.setattr(job, "SILENCE", 0.0)
    path, root, told = tmp_path / "faulty_file.py", tmp_path / "r", []
    path.write_text(PLUGIN)
    load_plugin(str(path))
    suite = faulty(tmp_path, "none", budget={"steps": 300})

    def stop(index, progress):
        if progress.phase == "train" and progress.step > 2:
            request_stop()

    do(suite, root, report=stop)
    forget_stop()
    if edited:
        path.write_text(PLUGIN.replace("adam(1e-2)", "adam(1e-3)"))
    do(suite, root, report=lambda index, progress: told.append(progress))
    assert [p.phase for p in told].count("resumed") == (not edited)
