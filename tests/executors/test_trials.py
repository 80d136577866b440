"""Experiments of claims in worker processes: the same values, and a death costs its own alone."""

import pytest

from genbench.core.registry import load_plugin
from genbench.executors.trials import Task, trials
from genbench.running.claims import Scale

PLUGIN = """
import os, signal
import torch
from genbench.core.claim import claim

GIVEN = dict(statement="s", source="s", why="w", seeds=2)

def draws(rng):
    x = rng.normal(5)
    return {"x": x.sum(dim=1).tolist(), "threads": [float(torch.get_num_threads())] * len(x)}

def dies(rng):
    os.kill(os.getpid(), signal.SIGKILL)

def raises(rng):
    raise ValueError("planted")

for name, experiment in {"one": draws, "two": draws, "deadly": dies, "wrong": raises}.items():
    claim(f"side_by_side_{name}", experiment=experiment, **GIVEN)(lambda evidence: [])
"""


@pytest.fixture
def task(tmp_path, registered):
    (tmp_path / "planted_trials.py").write_text(PLUGIN)
    plugins = (str(tmp_path / "planted_trials.py"),)
    load_plugin(plugins[0])
    return lambda name: Task(
        f"side-by-side-{name}", Scale(seeds=2), (0, 1), tmp_path, plugins=plugins
    )


def test_they_give_what_they_give_one_after_the_other(task):
    tasks = [task("one"), task("two"), task("wrong")]
    plain = {t.claim: trial for t, trial in trials(tasks, 1)}
    found = {t.claim: trial for t, trial in trials(tasks, 2)}
    assert set(found) == {t.claim for t in tasks}
    for name in ("side-by-side-one", "side-by-side-two"):
        assert found[name].columns["x"] == plain[name].columns["x"]
        assert set(found[name].columns["threads"].values()) == {1.0}
    assert found["side-by-side-wrong"].failures == dict.fromkeys((0, 1), "ValueError: planted")


def test_a_worker_that_dies_costs_its_own_experiment_alone(task):
    tasks = [task("deadly"), task("one"), task("two")]
    found = {t.claim: trial for t, trial in trials(tasks, 2)}
    reason = "WorkerDied: the worker process of the experiment died twice"
    assert found["side-by-side-deadly"].failures == dict.fromkeys((0, 1), reason)
    for name in ("side-by-side-one", "side-by-side-two"):
        assert set(found[name].columns["x"]) == {0, 1}
        assert not found[name].failures
