"""The same suite on a cluster of two nodes, and with a node that dies; a cluster takes its time."""

import os
import pickle
from pathlib import Path

import pytest
from small_suites import all_timeless, do, suite_of

from genbench.core.errors import SpecError
from genbench.core.registry import load_plugin
from genbench.core.spec import Budget, Criteria, Part, Tuning
from genbench.executors.processes import Processes
from genbench.running.claims import run_claims
from genbench.running.executor import make_executor
from genbench.running.job import Progress, RunSettings, StackJob
from genbench.running.suites import Listener, RunOptions
from genbench.running.tuning import make_campaign, run_tuning
from genbench.store import Store, contents
from genbench.store.documents import load_suites
from genbench.store.tunings import Tunings

GAN = {"name": "gan", "options": {"hidden": [8]}}
VAE = {"name": "vae", "options": {"hidden": [8]}}
CELLS = [{"models": [GAN, VAE, "gaussian"], "datasets": ["ring"]}]


def test_without_ray_a_sentence_says_what_to_install(monkeypatch):
    import builtins

    from genbench.executors.ray import Ray

    real = builtins.__import__

    def without(name, *rest):
        if name == "ray":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SpecError, match=r"needs Ray, which is not installed; pip install"):
        Ray(2)


@pytest.fixture
def asked(monkeypatch):
    """What Ray was asked to start or to reach, which it does not do."""
    import ray

    asked = []
    monkeypatch.setattr(ray, "init", lambda **how: asked.append(how))
    return asked


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}"])
def test_where_nobody_listens_a_sentence_says_so_at_once(asked, form):
    import socket

    from genbench.executors.ray import Ray

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = form.format(server.getsockname()[1])
        Ray(1, address=address)._connect()
    assert [how["address"] for how in asked] == [address]
    with pytest.raises(SpecError, match=r"at '.*127.0.0.1:\d+': Connection refused; name one"):
        Ray(1, address=address)._connect()
    assert len(asked) == 1


def test_without_an_address_no_cluster_that_runs_already_is_taken(asked, monkeypatch):
    from genbench.executors.ray import Ray

    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    Ray(1)._connect()
    assert [(how["address"], how["num_cpus"]) for how in asked] == [("local", os.cpu_count())]


class Handle:
    """An actor's handle whose calls are made at once."""

    def __init__(self, actor):
        self.tell, self.take = (Call(getattr(actor, name)) for name in ("tell", "take"))


class Call:
    def __init__(self, function):
        self.remote = function


@pytest.fixture
def here(monkeypatch):
    """Lets a task run in this process, whose signals and threads stay as they are."""
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    monkeypatch.setattr("torch.set_num_threads", lambda threads: None)
    return monkeypatch


def test_progress_is_passed_on_for_jobs_in_hand_alone(here, monkeypatch):
    from ray.exceptions import GetTimeoutError

    from genbench.executors import ray as module

    board, heard = Handle(module.Board()), []
    monkeypatch.setattr(module, "run_job", lambda job, tell: tell(Progress(job, 0.5)) or "done")
    job = StackJob(specs=(), settings=RunSettings())
    assert module._work(job, 1, 3, board) == "done"
    module._work(job, 1, 4, board)
    executor = module.Ray(1)
    executor._tasks = {"task": (3, job)}
    monkeypatch.setattr(executor._ray, "get", lambda said, timeout: said)
    executor._progress(board, lambda index, told: heard.append((index, told)))
    assert heard == [(3, Progress(job, 0.5))]

    def lost(said, timeout):
        raise GetTimeoutError("the node of the board is gone")

    monkeypatch.setattr(executor._ray, "get", lost)
    executor._progress(board, lambda index, told: heard.append((index, told)))
    assert len(heard) == 1


def test_a_job_goes_on_when_its_board_is_gone(here, monkeypatch):
    from genbench.executors import ray as module

    monkeypatch.setattr(
        module, "run_job", lambda job, tell: tell(Progress("train", 0.5)) or "done"
    )
    assert module._work(StackJob(specs=(), settings=RunSettings()), 1, 0, board=None) == "done"


@pytest.fixture
def cluster():
    """Two nodes of one core each, beside a head without any."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    nodes = [made.add_node(num_cpus=1) for _ in range(2)]
    import ray

    ray.init(address=made.address, log_to_driver=False)
    made.wait_for_nodes()
    yield made, nodes
    ray.shutdown()
    made.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_inline_processes_and_a_cluster_give_the_same_records(tmp_path, cluster):
    from genbench.executors.ray import Ray

    suite = suite_of(tmp_path, cells=CELLS, seeds=2)
    executors = {"inline": None, "processes": Processes(2), "ray": Ray(2)}
    for name, executor in executors.items():
        _, records = do(suite, tmp_path / name, executor=executor)
        assert [record.status for record in records] == ["ok"] * 6
    found = {name: all_timeless(tmp_path / name) for name in executors}
    assert found["inline"] == found["processes"] == found["ray"]
    store = Store(tmp_path / "ray")
    assert all(store.content(r.artifacts["samples"]) for r in store.records())
    # a new metric is measured from what the driver has stored, wherever that is done
    suite = suite_of(tmp_path, cells=CELLS, seeds=2, metrics=["fid", "mmd"])
    for name, executor in executors.items():
        made, _ = do(suite, tmp_path / name, executor=executor)
        assert all(job.rescore for job in made.jobs)
    found = {name: all_timeless(tmp_path / name) for name in executors}
    assert found["inline"] == found["processes"] == found["ray"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_nodes_tell_the_driver_how_far_they_are(tmp_path, cluster):
    from genbench.executors.ray import Ray

    cells = [{"models": [GAN, VAE], "datasets": ["ring"]}]
    suite = suite_of(tmp_path, cells=cells, seeds=1, budget={"seconds": 6.0})
    heard = []
    do(suite, tmp_path, executor=Ray(2), report=lambda index, told: heard.append((index, told)))
    for index in (0, 1):
        shares = [told.share for i, told in heard if i == index and told.phase == "train"]
        assert len(shares) <= 12
        assert any(0 < share < 1 for share in shares)
        assert any(told.score for i, told in heard if i == index)


class Killer:
    """Removes a node as soon as both of the cluster's are amid training."""

    def __init__(self, machines, node):
        self.machines, self.node, self.shares, self.killed = machines, node, {}, False

    def __call__(self, index, progress):
        if progress.phase == "train":
            self.shares[index] = progress.share
        latest = sorted(self.shares)[-2:]
        if not self.killed and len(latest) == 2 and all(self.shares[i] < 0.5 for i in latest):
            self.machines.remove_node(self.node, allow_graceful=False)
            self.killed = True


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_node_that_is_killed_in_mid_run_costs_nothing(tmp_path, cluster):
    from genbench.executors.ray import Ray

    machines, nodes = cluster
    suite = suite_of(tmp_path, cells=CELLS, seeds=4, seeds_at_once=1, budget={"steps": 4000})
    kill = Killer(machines, nodes[1])
    made, records = do(suite, tmp_path / "r", executor=Ray(2), report=kill)
    assert kill.killed
    assert len(made.jobs) > 12  # what the node had in hand was handed out again
    assert sorted(record.status for record in records) == ["ok"] * 12
    assert len({record.cell for record in records}) == 12
    do(suite, tmp_path / "whole")
    assert all_timeless(tmp_path / "r") == all_timeless(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_suite_ci_comes_out_the_same_everywhere_and_without_a_node(tmp_path, cluster):
    from genbench.executors.ray import Ray

    machines, nodes = cluster
    shipped = load_suites(Path(__file__).parents[2] / "benchmarks.yaml")["ci"]
    suite = shipped.model_copy(update={"seeds_at_once": shipped.seeds})
    kill = Killer(machines, nodes[1])
    ways = {"inline": None, "processes": Processes(2), "ray": Ray(2), "node lost": Ray(2)}
    told = {}
    for name, executor in ways.items():
        watch = kill if name == "node lost" else None
        made, records = do(suite, tmp_path / name, executor=executor, report=watch)
        assert {record.status for record in records} == {"ok"}
        assert len({record.cell for record in records}) == len(records) == len(made.cells)
        assert (len(made.jobs) > len(made.cells) // suite.seeds) == (name == "node lost")
        told[name] = {record.cell: contents(record) for record in Store(tmp_path / name).records()}
    for name in ways:
        assert told[name] == told["inline"], name


EXPERIMENTS = """
import os
from genbench.core.claim import claim

def draws(rng):
    # a worker's parent is the raylet of its node
    return {"x": rng.normal(3).sum(dim=1).tolist(), "parent": [float(os.getppid())] * len(rng)}

for name in ("one", "two"):
    claim(f"on_a_cluster_{name}", statement="s", source="s", why="w", seeds=4, experiment=draws)(
        lambda evidence: []
    )
"""
PLAN = Tuning(
    budget=Budget(steps=8), batch=16, criteria=Criteria(samples=Part(name="mmd")), samples=60
)


@pytest.fixture
def experiments(tmp_path, registered):
    """A file with two claims that have experiments."""
    path = tmp_path / "planted_experiments.py"
    path.write_text(EXPERIMENTS)
    load_plugin(str(path))
    return path


def do_all(folder, name, experiments):
    """Cells, experiments and trials of tuning by an executor: their numbers, and whose children did them."""
    root = folder / name
    options = RunOptions(root=root, device="cpu", executor=name, plugins=(str(experiments),))
    do(
        suite_of(folder, cells=CELLS, seeds=2, seeds_at_once=1),
        root,
        executor=make_executor(name, 2),
    )
    claimed, tuned = Phases(), Phases()
    made = run_claims(["on-a-cluster-one", "on-a-cluster-two"], options, listener=claimed)
    run_tuning(make_campaign({"ring": PLAN}, models=["vae"], trials=5), options, listener=tuned)
    assert ["ray" in heard.phases for heard in (claimed, tuned)] == [name == "ray"] * 2
    assert not any(trial.failures for trial in made.trials)
    parents = {parent for trial in made.trials for parent in trial.columns["parent"].values()}
    columns = {trial.claim: trial.columns["x"] for trial in made.trials}
    rungs = {
        trial.k: [(rung.step, rung.examples, rung.scores) for rung in trial.rungs]
        for file in Tunings(root).files()
        for trial in file.trials
    }
    return {"cells": all_timeless(root), "experiments": columns, "trials": rungs}, parents


def check_all(numbers):
    """Refuses numbers that are not all there."""
    assert [record["status"] for record in numbers["cells"].values()] == ["ok"] * 6
    assert [set(x) for x in numbers["experiments"].values()] == [{0, 1, 2, 3}] * 2
    assert sorted(map(len, numbers["trials"].values())) == [1, 1, 2, 3, 3]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_cells_experiments_and_trials_of_tuning_are_the_same_bits_on_two_nodes(
    tmp_path, cluster, experiments
):
    inline, _ = do_all(tmp_path, "inline", experiments)
    there, parents = do_all(tmp_path, "ray", experiments)
    assert len(parents) == 2
    check_all(there)
    assert there == inline


class Task:
    """What a task is asked for, as it travels."""

    def __init__(self, function, job, *rest):
        self.function, self.job, self.rest = function, pickle.dumps(job), rest

    def result(self):
        outcome = self.function(pickle.loads(self.job), *self.rest)
        return pickle.loads(pickle.dumps(outcome))


class Remote:
    """A function or an actor of another process, but in this one."""

    def __init__(self, thing):
        self.thing, self.asked = thing, {}

    def options(self, **asked):
        self.asked = asked
        return self

    def remote(self, *given):
        if isinstance(self.thing, type):
            return Handle(self.thing())
        assert (self.asked["num_cpus"], self.asked["max_retries"]) == (1, 0)
        return Task(self.thing, *given)


def test_what_travels_gives_the_same_bits_of_cells_experiments_and_trials(
    tmp_path, here, experiments
):
    import ray

    in_flight = []

    def wait(tasks, num_returns, timeout):
        in_flight.append(len(tasks))
        return tasks[:1], tasks[1:]

    node = {"Alive": True, "Resources": {"CPU": 1.0}}
    instead = {
        "is_initialized": lambda: True,
        "nodes": lambda: [node, node],
        "remote": Remote,
        "wait": wait,
        "get": lambda said, timeout=None: said.result() if isinstance(said, Task) else said,
        "shutdown": lambda: None,
    }
    inline, _ = do_all(tmp_path, "inline", experiments)
    for name, function in instead.items():
        here.setattr(ray, name, function)
    there, _ = do_all(tmp_path, "ray", experiments)
    assert max(in_flight) == 2
    check_all(there)
    assert there == inline


class Phases(Listener):
    """Collects the phases that jobs report."""

    def __init__(self):
        self.phases = set()

    def progress(self, index, progress):
        self.phases.add(progress.phase)
