"""An executor is one file: found by its name, made with its options, and never asked for more than `run`."""

import json

import pytest

from genbench.cli import main
from genbench.core.errors import ContractError, SpecError, UnknownName
from genbench.core.names import built_in
from genbench.core.registry import load_plugin
from genbench.running.executor import EXECUTORS, executor, make_executor
from genbench.running.interrupts import forget_stop, stop_requested
from genbench.store import Store

PLUGIN = """
import os, signal
from pathlib import Path
from genbench.running.executor import Executor, executor
from genbench.running.work import run_job

@executor("only_runs")
class OnlyRuns(Executor):
    def __init__(self, workers=1, *, log: str = "", interrupt: bool = False):
        super().__init__(workers)
        self.log, self.interrupt = log, interrupt
    def run(self, next_job, report):
        while (assigned := next_job()) is not None:
            index, job = assigned
            path = Path(self.log)
            path.write_text((path.read_text() if path.exists() else "") + job.title + chr(10))
            if self.interrupt:
                os.kill(os.getpid(), signal.SIGINT)
            yield index, run_job(job, lambda progress: report(index, progress))
"""
RUN = ("run", "-m", "gaussian", "-d", "ring", "--seeds", "2", "--device", "cpu")


@pytest.fixture
def plugin(tmp_path, registered, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PLUGIN)
    yield ("--plugin", "mine.py", "--executor")
    forget_stop()


def call(*args):
    with pytest.raises(SystemExit) as end:
        main(list(args))
    return end.value.code or 0


def test_the_built_in_names_are_the_files():
    assert EXECUTORS.names() == built_in("executor") == ["inline", "processes", "ray"]


def test_a_plugin_runs_cells_and_experiments(plugin, tmp_path):
    assert call(*RUN, *plugin, "only_runs:log=cells.txt") == 0
    assert (tmp_path / "cells.txt").read_text() == "gaussian on ring\n" * 2  # for two workers
    assert {record.status for record in Store("runs").records()} == {"ok"}
    claim = ("run", "claims", "--claim", "nash-oscillation", "--budget-scale", "quick")
    assert call(*claim, "--seeds", "1", *plugin, "only_runs:log=trials.txt") == 0
    assert (tmp_path / "trials.txt").read_text() == "experiment of nash-oscillation\n"


def test_ctrl_c_needs_nothing_of_an_executor(plugin, capsys):
    assert call(*RUN, *plugin, "only_runs:log=x:interrupt=true", "--json") == 130
    told = capsys.readouterr()
    assert told.err.splitlines()[-1].startswith("stopped; finished cells are kept")
    assert stop_requested()
    assert json.loads(told.out) == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--executor", "proceses"), "unknown executor 'proceses'; did you mean 'processes'?"),
        (("--executor", "processes:adress=x"), "executor processes has no option 'adress'"),
        (("--ray-address", "auto"), "executor inline has no option 'address'"),
    ],
)
def test_what_no_executor_knows_is_refused(tmp_path, monkeypatch, capsys, asked, said):
    monkeypatch.chdir(tmp_path)
    assert call(*RUN, *asked) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_executors_are_made_by_name(plugin):
    load_plugin("mine.py")
    assert make_executor("only_runs", 3, log="x").workers == 3
    assert make_executor("inline", 3).workers == 1
    assert make_executor("ray", 2, address="auto").address == "auto"
    with pytest.raises(SpecError, match="option 'interrupt' needs bool, got 'perhaps'"):
        make_executor("only_runs", interrupt="perhaps")
    with pytest.raises(UnknownName):
        make_executor("nothing")


def test_what_is_not_an_executor_is_refused(registered):
    with pytest.raises(
        ContractError, match=r"executor 'odd' .*must be a class made from .*Executor"
    ):
        executor("odd")(object)
