import os

from small_suites import all_timeless, do, suite_of

from genbench.executors.processes import Processes
from genbench.store import Store

DIES = """
import os
from genbench import Model, Player, model
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam

@model("dies_in_a_worker")
class Dies(Model):
    taxonomy = "reference"
    def __init__(self, spec, rng):
        super().__init__(spec, rng)
        self.net = MLP(spec.size, spec.size, (4,), rng)
    def players(self):
        return (Player("net", self.net, self.loss, adam(1e-2)),)
    def loss(self, batch, rng):
        os._exit(9)
    def sample(self, n, rng):
        return self.net(rng.normal(n, 2))
"""


def cells(*models):
    return [{"models": list(models), "datasets": ["ring"]}]


def test_worker_processes_give_the_records_that_one_process_gives(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)  # so that each worker has one thread, as here
    small = ({"name": "gan", "options": {"hidden": [8]}}, "gaussian")
    suite, told = suite_of(tmp_path, cells=cells(*small)), []
    do(suite, tmp_path / "inline")
    _, records = do(
        suite, tmp_path / "side by side", executor=Processes(2), told=lambda *it: told.append(it)
    )
    assert [record.status for record in records] == ["ok"] * 4
    assert all_timeless(tmp_path / "side by side") == all_timeless(tmp_path / "inline")
    assert {index for index, _ in told} == {0, 1}
    assert "train" in {progress.phase for _, progress in told}


def test_a_worker_that_dies_makes_its_cells_errors(tmp_path, registered):
    from genbench.core.registry import load_plugin

    path = tmp_path / "dies.py"
    path.write_text(DIES)
    load_plugin(str(path))
    suite = suite_of(tmp_path, cells=cells("dies_in_a_worker"), seeds=1)
    _, records = do(suite, tmp_path / "r", executor=Processes(1), plugins=(str(path),))
    assert [(r.status, r.phase, r.metrics) for r in records] == [("error", "train", [])]
    assert records[0].reason == "its worker process died 3 times (exit code 9)"
    assert Store(tmp_path / "r").problems() == []
