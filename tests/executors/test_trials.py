"""Experiments of claims are jobs like others: every executor gives the same trials."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from genbench.core.claim import find
from genbench.core.registry import load_plugin
from genbench.executors.inline import Inline
from genbench.executors.processes import Processes
from genbench.running.claims import plan_trials, run_claims
from genbench.running.driver import run_plan
from genbench.running.executor import Executor
from genbench.running.interrupts import forget_stop, request_stop
from genbench.running.job import Outcome, RunSettings, Stage
from genbench.running.scale import Scale
from genbench.running.suites import RunOptions
from genbench.running.work import run_job
from genbench.store import Store
from genbench.store.trial import Trials

PLUGIN = """
import os, signal, time
import torch
from genbench.core.claim import claim

ABOUT = dict(statement="s", source="s", why="w", seeds=2)

def draws(rng):
    x = rng.normal(5)
    return {"x": x.sum(dim=1).tolist(), "threads": [float(torch.get_num_threads())] * len(x)}

def dies(rng):
    os.kill(os.getpid(), signal.SIGKILL)

def raises(rng):
    raise ValueError("planted")

def crowds(rng):
    if len(rng) > 1:
        raise MemoryError("too many seeds")
    return draws(rng)

def hangs(rng):
    time.sleep(60)

experiments = {"one": draws, "two": draws, "deadly": dies, "wrong": raises, "large": crowds, "slow": hangs}
for name, experiment in experiments.items():
    claim(f"side_by_side_{name}", experiment=experiment, **ABOUT)(lambda evidence: [])

def breaks(rng):
    if 2 in rng.seeds:
        time.sleep(60)
    return draws(rng)

apart = ABOUT | {"seeds": 4, "seed_by_seed": True}
claim("side_by_side_apart", experiment=draws, **apart)(lambda evidence: [])
claim("side_by_side_broken", experiment=breaks, **apart)(lambda evidence: [])
claim("side_by_side_whole", experiment=draws, **ABOUT | {"seeds": 4})(lambda evidence: [])
"""


@pytest.fixture
def trials(tmp_path, registered):
    """Makes experiments by an executor; returns the plan, and the trials that are written."""
    path = tmp_path / "planted_trials.py"
    path.write_text(PLUGIN)
    load_plugin(str(path))

    def make(executor, *names, root="r", **about):
        store = Store(tmp_path / root)
        settings = RunSettings(device="cpu", plugins=(str(path),), **about)
        claims = find([f"side-by-side-{name}" for name in names]).values()
        plan = plan_trials(claims, Scale(), store, settings, "missing")
        try:
            list(run_plan(plan, store, executor))
        finally:
            executor.close()
        written = (Trials(store.root).read(claim, {}) for claim in claims)
        return plan, dict(zip(names, written, strict=True))

    return make


def test_worker_processes_give_what_one_process_gives(trials):
    names = ("one", "two", "wrong")
    _, plain = trials(Inline(), *names, root="inline")
    _, beside = trials(Processes(2), *names, root="processes", workers=2)
    for name in ("one", "two"):
        assert beside[name].columns["x"] == plain[name].columns["x"]
        assert set(beside[name].columns["threads"].values()) == {1.0}
    for found in (plain, beside):
        assert found["wrong"].failures == dict.fromkeys((0, 1), "ValueError: planted")


def test_a_worker_that_dies_costs_its_own_experiment_alone(trials):
    _, found = trials(Processes(2), "deadly", "one", "two")
    reason = "WorkerDied: its worker process died 3 times"
    assert set(found["deadly"].failures) == {0, 1}
    assert all(text.startswith(reason) for text in found["deadly"].failures.values())
    for name in ("one", "two"):
        assert set(found[name].columns["x"]) == {0, 1}
        assert not found[name].failures


def test_an_experiment_that_does_not_fit_the_memory_is_cut_in_halves(trials):
    plan, found = trials(Inline(), "one", "large")
    assert [job.seeds for job in plan.jobs] == [[0, 1], [0, 1], [0], [1]]
    assert set(found["large"].columns["x"]) == {0, 1}
    assert not found["large"].failures


def test_seeds_that_are_made_one_after_the_other_are_jobs_apart(trials):
    plan, found = trials(Inline(), "apart", "whole")
    assert [job.seeds for job in plan.jobs] == [[0], [1], [2], [3], [0, 1, 2, 3]]
    assert plan.describe().splitlines() == [
        "experiment of side-by-side-apart: 4 seeds",
        "experiment of side-by-side-whole: 4 seeds",
    ]
    assert found["apart"].seeds == found["whole"].seeds == {0, 1, 2, 3}
    _, beside = trials(Processes(2), "apart", root="processes", workers=2)
    assert beside["apart"].columns == found["apart"].columns


def test_a_seed_that_ran_out_of_time_is_no_loss_of_the_others(trials):
    _, found = trials(Inline(), "broken", timeout=3.0)
    assert set(found["broken"].columns["x"]) == {0, 1, 3}
    assert set(found["broken"].failures) == {2}
    plan, _ = trials(Inline(), "broken")
    assert plan.jobs == [], "nothing is left that was not tried"


def test_an_experiment_out_of_time_is_a_failure(trials):
    _, found = trials(Inline(), "slow", timeout=0.5)
    reason = "it took longer than 0.5 s; give more by --timeout and --retry-failed"
    assert found["slow"].failures == dict.fromkeys((0, 1), reason)


def test_an_experiment_stops_at_once_when_it_is_asked_to(trials):
    stop = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    before = signal.signal(signal.SIGUSR1, lambda number, frame: request_stop())
    try:
        stop.start()
        plan, found = trials(Inline(), "slow", "one")
        assert (plan.stopped, found) == ("asked to stop", {"slow": None, "one": None})
    finally:
        signal.signal(signal.SIGUSR1, before)
        forget_stop()


class Once(Executor):
    """Loses the worker of every job the first time."""

    def run(self, next_job, report):
        while (assigned := next_job()) is not None:
            index, job = assigned
            yield index, run_job(job) if job.deaths else job.died("planted", Stage())


def test_what_another_run_made_since_the_plan_is_not_made_again(trials, tmp_path):
    _, found = trials(Once(), "one")
    assert set(found["one"].columns["x"]) == {0, 1}

    class Late(Executor):
        def run(self, next_job, report):
            trials(Inline(), "two")
            yield from ((index, Outcome()) for index, _ in iter(next_job, None))

    plan, found = trials(Late(), "two")
    assert [job.seeds for job in plan.jobs] == [[]]
    assert set(found["two"].columns["x"]) == {0, 1}


def test_seeds_of_another_source_of_an_experiment_are_said(trials, tmp_path):
    """A claim whose experiment was edited had seeds of both in one mean, and nothing said so."""
    _, before = trials(Inline(), "one")
    assert before["one"].environment["source"]
    plugin = tmp_path / "planted_trials.py"
    plan, _ = trials(Inline(), "one")
    assert plan.stale == []
    plugin.write_text(plugin.read_text().replace("seeds=2", "seeds=3"))
    load_plugin(str(plugin))
    plan, after = trials(Inline(), "one")
    assert plan.describe().splitlines()[-1] == (
        "2 done seeds of the experiment of side-by-side-one were made with another source than its file has "
        "now; make them anew with --force, or raise the claim's version, which keeps both"
    )
    assert before["one"].environment["source"] in after["one"].environment["source"].split("+")
    plan, _ = trials(Inline(), "one")
    assert len(plan.stale) == 3


def test_a_pass_that_is_repeated_finds_nothing_to_do(trials, tmp_path):
    plugins = (str(tmp_path / "planted_trials.py"),)
    options = RunOptions(root=tmp_path / "r", device="cpu", plugins=plugins)
    names = ("side-by-side-one", "side-by-side-wrong")
    result = run_claims(names, options)
    assert [(row["claim"], row["status"]) for row in result.rows] == [
        ("side-by-side-one", "ok"),
        ("side-by-side-wrong", "error"),
    ]
    assert result.failed
    content = json.loads(Path(result.rows[0]["record"]).read_text())
    assert list(content) == [
        "schema",
        "seal",
        "claim",
        "version",
        "options",
        "columns",
        "failures",
        "seconds",
        "environment",
        "started",
        "finished",
    ]
    assert run_claims(names, options).results == []
