"""Models and data sets may raise anything, anywhere, at any time: error rows, and the other cells go on."""

import sys
import threading

import pytest
import torch

from genbench.api import run
from genbench.core.dataset import DATASETS, SPLITS, Dataset, dataset
from genbench.core.errors import ContractError
from genbench.core.metric import Column, metric
from genbench.core.model import Model, model
from genbench.core.rng import Rng
from genbench.running import interrupts
from genbench.running.work import run_job
from genbench.store import Store

SPEC = DATASETS.get("ring")().spec
SUITE = {
    "description": "a test",
    "seeds": 2,
    "batch": 8,
    "budget": {"steps": 2},
    "samples": 60,
    "metrics": ["fid"],
    "curve": 0,
}


def do(tmp_path, models, datasets=("ring",), **options):
    cells = [{"models": list(models), "datasets": list(datasets)}]
    return run({**SUITE, "cells": cells}, results=tmp_path / "results", **options)


def fail():
    raise AttributeError("no such thing")


def endless():
    while True:
        pass


def end():
    sys.exit(0)


def raise_base():
    raise BaseException("base")


PLACES = ("__init__", "refuses", "prepare", "players", "sample")


#: a class that is made by its metaclass passes for one of that module
HERE = {"__module__": __name__}


class Base(Model):
    taxonomy = "explicit/tractable/fully visible"

    def players(self):
        return ()

    def sample(self, n, rng):
        return rng.normal(n, *self.spec.event)


def plant(place, what):
    """Registers a model that does something at a place."""
    if place == "refuses":
        body = {place: classmethod(lambda cls, *a: what())}
    else:
        body = {place: lambda self, *a: what()}
    model("planted")(type("Planted", (Base,), {**body, **HERE}))


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("place", "what", "says"),
    [
        *((place, fail, "AttributeError: no such thing") for place in PLACES),
        ("__init__", end, "SystemExit"),
        ("refuses", end, "SystemExit"),
        ("sample", raise_base, "BaseException: base"),
    ],
)
def test_what_a_model_raises_is_an_error_row_and_other_cells_go_on(tmp_path, place, what, says):
    plant(place, what)
    result = do(tmp_path, ["planted", "gaussian"])
    statuses = {(r.spec.model, r.status) for r in result.records}
    assert statuses == {("planted", "error"), ("gaussian", "ok")}
    assert result.failed
    assert all(says in r.reason for r in result.records if r.status == "error")


@pytest.mark.usefixtures("registered")
def test_an_error_row_is_told_of_and_not_made_again(tmp_path):
    plant("refuses", fail)
    assert len(do(tmp_path, ["planted"]).records) == 2
    again = do(tmp_path, ["planted"])
    assert (again.records, again.failed) == ([], True)
    assert len(do(tmp_path, ["planted"], redo="failed").records) == 2


@pytest.mark.usefixtures("registered")
def test_options_of_a_built_in_model_that_cannot_be_are_an_error_row(tmp_path):
    result = do(tmp_path, [{"name": "maf", "options": {"hidden": []}}, "gaussian"])
    statuses = {(r.spec.model, r.status) for r in result.records}
    assert ("gaussian", "ok") in statuses
    assert len(result.records) == 4


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("place", ["__init__", "points", "to_model", "to_data"])
def test_what_a_data_set_raises_is_an_error_row_too(tmp_path, place):
    class Planted(Dataset):
        name, spec = "planted", SPEC

        def points(self, split):
            return torch.randn(80, 2, generator=torch.Generator().manual_seed(1))

    setattr(Planted, place, lambda self, *a, **k: fail())
    dataset("planted")(Planted)
    result = do(tmp_path, ["gaussian"], ["planted", "ring"])
    statuses = {(r.spec.dataset, r.status) for r in result.records}
    assert statuses == {("planted", "error"), ("ring", "ok")}
    assert all("no such thing" in r.reason for r in result.records if r.status == "error")


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("again", [False, True])
def test_points_that_are_others_at_each_opening_are_an_error_row(tmp_path, again):
    class Planted(Dataset):
        name, spec = "planted", SPEC

        def __init__(self, **options):
            super().__init__(**options)
            if again or not hasattr(Planted, "x"):
                Planted.count = getattr(Planted, "count", 0) + 1
                Planted.x = torch.randn(
                    240, 2, generator=torch.Generator().manual_seed(Planted.count)
                )
            self.x = Planted.x

        def points(self, split):
            return self.x[SPLITS.index(split) :: 3]

    dataset("planted")(Planted)
    result = do(tmp_path, ["gaussian"], ["planted"])
    assert {r.status for r in result.records} == {"error" if again else "ok"}
    assert not again or "got other ones of train, validation, test" in result.records[0].reason


@pytest.mark.usefixtures("registered")
def test_points_that_changed_between_two_runs_of_one_process_are_read_anew(tmp_path):
    class Planted(Dataset):
        name, spec = "planted", SPEC
        shift = 0.0

        def points(self, split):
            return Rng([0]).fork(split).normal(80, 2)[0] + self.shift

    dataset("planted")(Planted)
    first = do(tmp_path / "a", ["gaussian"], ["planted"]).records[0]
    Planted.shift = 9.0
    second = do(tmp_path / "b", ["gaussian"], ["planted"]).records[0]
    assert (first.status, second.status) == ("ok", "ok")
    assert first.data_hashes != second.data_hashes


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("place", ["__init__", "refuses", "prepare", "sample"])
def test_the_timeout_covers_every_phase(tmp_path, place):
    plant(place, endless)
    result = do(tmp_path, ["planted", "gaussian"], timeout=0.5)
    statuses = {(r.spec.model, r.status) for r in result.records}
    assert statuses == {("planted", "timeout"), ("gaussian", "ok")}


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("answer", [7, ["no"], True])
def test_a_refusal_that_is_no_sentence_is_an_error_row(tmp_path, answer):
    model("planted")(
        type("Planted", (Base,), {"refuses": classmethod(lambda cls, spec: answer), **HERE})
    )
    result = do(tmp_path, ["planted"])
    assert {r.status for r in result.records} == {"error"}
    assert "needs to return None or a sentence" in result.records[0].reason


@pytest.mark.usefixtures("registered")
def test_a_model_that_writes_into_the_training_set_is_refused_and_the_next_sees_the_true_one(
    tmp_path,
):
    def prepare(self, batch, rng):
        batch.x[0].sub_(batch.x.mean())

    class Planted(Dataset):
        name, spec = "planted", SPEC
        x = torch.randn(240, 2, generator=torch.Generator().manual_seed(1)) + 5

        def points(self, split):
            return self.x[SPLITS.index(split) :: 3].clone()

    dataset("planted")(Planted)
    model("planted_model")(type("Planted", (Base,), {"prepare": prepare, **HERE}))
    alone = do(tmp_path / "a", ["gaussian"], ["planted"])
    both = do(tmp_path / "b", ["planted_model", "gaussian"], ["planted"])
    reasons = {r.reason for r in both.records if r.spec.model == "planted_model"}
    assert any("model 'planted_model' needs to leave what it is given" in r for r in reasons)
    values = [
        [r.metrics[0].value for r in one.records if r.status == "ok"] for one in (alone, both)
    ]
    assert len(values[0]) == 2
    assert values[0] == values[1]


@pytest.mark.usefixtures("registered")
def test_a_model_that_returns_another_number_of_samples_is_refused(tmp_path):
    def sample(self, n, rng):
        return rng.normal(n + 1, *self.spec.event)

    model("planted")(type("Planted", (Base,), {"sample": sample, **HERE}))
    result = do(tmp_path, ["planted"])
    assert "needs to return as many points as it is asked for" in result.records[0].reason


@pytest.mark.usefixtures("registered")
def test_annotations_that_cannot_be_read_are_said(tmp_path):
    def __init__(self, spec, rng, *, width: "NoSuchType" = 3):  # noqa: F821
        Base.__init__(self, spec, rng)

    model("planted")(type("Planted", (Base,), {"__init__": __init__, **HERE}))
    with pytest.raises(ContractError, match="model planted needs options with types"):
        do(tmp_path, ["planted"])


def test_a_job_lets_a_second_ctrl_c_through(monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("genbench.running.work._perform", interrupt)
    from genbench.core.spec import Budget, CellSpec
    from genbench.running.job import RunSettings, StackJob

    about = {
        "model": "gaussian",
        "model_version": 1,
        "dataset": "ring",
        "dataset_version": 1,
        "options": {},
    }
    spec = CellSpec(**about, budget=Budget(steps=1), batch=2, seed=0)
    with pytest.raises(KeyboardInterrupt):
        run_job(StackJob(specs=(spec,), settings=RunSettings()))


class Mute(Exception):
    def __str__(self):
        raise ValueError("not even this")


class Number(Exception):
    def __str__(self):
        return 7


def raise_mute():
    raise Mute


def raise_number():
    raise Number


def raise_half_a_sign():
    raise ValueError("no file \udcff\ud800")


@pytest.fixture
def in_worker(monkeypatch):
    """Lets this process be a worker, in which no signal raises KeyboardInterrupt."""
    monkeypatch.setattr(interrupts, "_worker", threading.Event())
    interrupts.become_worker()


def raise_interrupt():
    raise KeyboardInterrupt


ODD = (
    (raise_mute, "Mute: what it says cannot be read"),
    (raise_number, "Number: what it says cannot be read"),
    (raise_half_a_sign, "ValueError: no file \\udcff\\ud800"),
    (raise_interrupt, "KeyboardInterrupt"),
)


@pytest.mark.usefixtures("registered", "in_worker")
@pytest.mark.parametrize(("what", "says"), ODD)
@pytest.mark.parametrize("place", ["sample", "refuses"])
def test_exceptions_that_cannot_be_said_or_end_programs_cost_no_other_cell(
    tmp_path, what, says, place
):
    plant(place, what)
    result = do(tmp_path, ["planted", "gaussian"])
    statuses = {(r.spec.model, r.status) for r in result.records}
    assert statuses == {("planted", "error"), ("gaussian", "ok")}
    assert all(says in r.reason for r in result.records if r.status == "error")
    assert Store(tmp_path / "results").problems() == []


@pytest.mark.usefixtures("registered", "in_worker")
@pytest.mark.parametrize("what", [raise_base, raise_interrupt, raise_mute, end])
def test_a_metric_that_fails_on_one_seed_costs_the_others_nothing(tmp_path, what):
    calls = []

    @metric("planted", view="points", columns={"planted": Column("lower", "", 0.0, "a test")})
    def planted(real, fake, *, rng):
        calls.append(1)
        return what() if len(calls) == 1 else 1.0

    result = do(tmp_path, ["gaussian"], metrics=["planted"])
    assert sorted(r.status for r in result.records) == ["error", "ok"]


@pytest.mark.usefixtures("registered")
def test_a_refusal_with_half_a_sign_can_be_written(tmp_path):
    refuses = classmethod(lambda cls, spec: "no \udcff")
    model("planted")(type("Planted", (Base,), {"refuses": refuses, **HERE}))
    assert {r.reason for r in do(tmp_path, ["planted", "gaussian"]).records} == {
        None,
        "no \\udcff",
    }
