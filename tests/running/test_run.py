import dataclasses
import json

import numpy
import pytest
import torch
from safetensors.torch import load
from small_suites import SUITE, all_timeless, do, suite_of, timeless

from genbench.cli.execution import describe_replaced
from genbench.core.errors import SpecError, UnknownName
from genbench.core.metric import METRICS
from genbench.core.registry import load_plugin
from genbench.store import Store
from genbench.store.environment import _cpu
from genbench.store.record import OF_TIME, list_machines

PLUGIN = """
import torch
from genbench import Model, Player, model
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam

@model("planted")
class Planted(Model):
    taxonomy = "reference"
    def __init__(self, spec, rng, *, fault: str = "none"):
        super().__init__(spec, rng)
        self.fault, self.calls, self.rng = fault, 0, rng
        self.net = MLP(spec.size, spec.size, (4,), rng)
    def players(self):
        return (Player("net", self.net, self.loss, adam(1e-2)),)
    def loss(self, batch, rng):
        self.calls += 1
        if self.fault == "raise" and self.calls > 3:
            raise ZeroDivisionError("planted on purpose")
        if self.fault == "memory":
            raise MemoryError("planted")
        if self.fault == "shape":
            return self.net(batch.x).sum()
        loss = self.net(batch.x).square().mean((1, 2))
        if self.fault == "inf" and self.calls > 3:
            loss = loss * torch.tensor([float("inf") if s == 1 else 1.0 for s in self.rng.seeds])
        return loss
    def sample(self, n, rng):
        made = self.net(rng.normal(n, 2)).unflatten(-1, self.spec.event)
        return made * float("nan") if self.fault == "samples" else made
"""
GAN = {"name": "gan", "options": {"hidden": [16]}}


@pytest.fixture
def plugin(tmp_path, registered):
    path = tmp_path / "planted_file.py"
    path.write_text(PLUGIN)
    load_plugin(str(path))
    return str(path)


def planted(folder, fault, **changed):
    models = [{"name": "planted", "options": {"fault": fault}}, GAN]
    return suite_of(folder, cells=[{"models": models, "datasets": ["ring"]}], **changed)


def by_model(records):
    return {(record.spec.model, record.spec.seed): record for record in records}


def test_a_suite_writes_one_sound_record_a_cell(tmp_path):
    made, records = do(suite_of(tmp_path), tmp_path / "r")
    store = Store(tmp_path / "r")
    assert [r.spec.seed for r in records] == [0, 1]
    assert {r.cell for r in store.records()} == {spec.cell for spec in made.cells}
    assert store.problems() == []
    for record in store.records():
        assert record.status == "ok"
        assert (record.used.steps, record.used.examples, record.used.seeds_sharing) == (20, 320, 2)
        assert [point.step for point in record.curve] == [10, 20]
        assert set(record.curve[0].losses) == {"discriminator", "generator"}
        assert record.curve[0].metrics["fid"] > 0
        assert [(m.id, m.split) for m in record.metrics] == [("fid", "test"), ("fid", "train")]
        assert record.metrics[0].floor < record.metrics[0].value
        assert record.environment["threads"] == torch.get_num_threads()
        weights = load(store.artifact(record.artifacts["weights"]).read_bytes())
        assert record.parameters == sum(value.numel() for value in weights.values())
        with numpy.load(store.artifact(record.artifacts["samples"])) as held:
            assert held["samples"].shape == (100, 2)
    assert list((tmp_path / "r" / ".checkpoints").glob("*")) == []


def test_a_second_run_has_nothing_to_do(tmp_path):
    suite = suite_of(tmp_path)
    do(suite, tmp_path / "r")
    before = {p: p.read_bytes() for p in (tmp_path / "r").rglob("*.json")}
    made, records = do(suite, tmp_path / "r")
    assert (made.jobs, records, len(made.done)) == ([], [], 2)
    assert before == {p: p.read_bytes() for p in (tmp_path / "r").rglob("*.json")}


def test_more_seeds_train_only_the_new_ones(tmp_path):
    do(suite_of(tmp_path), tmp_path / "r")
    made, records = do(suite_of(tmp_path, seeds=3), tmp_path / "r")
    assert [job.seeds for job in made.jobs] == [[2]]
    assert len(made.done) == 2
    assert [record.spec.seed for record in records] == [2]


def test_a_new_metric_measures_stored_samples_without_training(tmp_path):
    root = tmp_path / "r"
    do(suite_of(tmp_path), root)
    before = {record.cell: record for record in Store(root).records()}
    made, records = do(suite_of(tmp_path, metrics=["fid", "mmd", "modes"]), root)
    assert all(job.rescore for job in made.jobs)
    for record in records:
        old = before[record.cell]
        assert (record.used, record.started) == (old.used, old.started)
        assert record.artifacts == old.artifacts
        assert record.metrics[: len(old.metrics)] == old.metrics
        assert {m.metric for m in record.metrics} == {"fid", "mmd", "modes"}
    # what is measured later is what would have been measured at once
    do(suite_of(tmp_path, metrics=["fid", "mmd", "modes"]), tmp_path / "at once")
    assert all_timeless(root) == all_timeless(tmp_path / "at once")
    assert do(suite_of(tmp_path, metrics=["fid", "mmd", "modes"]), root)[1] == []


def test_a_new_version_of_a_metric_takes_the_place_of_the_old(tmp_path, monkeypatch):
    root, metrics = tmp_path / "r", ["fid", "mmd"]
    do(suite_of(tmp_path, metrics=metrics), root)
    before = {record.cell: record for record in Store(root).records()}
    newer = dataclasses.replace(METRICS.get("mmd"), version=9)
    monkeypatch.setitem(METRICS._objects, "mmd", newer)
    monkeypatch.setattr("genbench.running.build._EVALUATORS", {})
    made, records = do(suite_of(tmp_path, metrics=metrics), root)
    assert [job.rescore for job in made.jobs] == [True]
    for record in records:
        assert {(m.id, m.version) for m in record.metrics} == {("fid", 1), ("mmd", 9)}
        kept = [m for m in before[record.cell].metrics if m.id == "fid"]
        assert [m for m in record.metrics if m.id == "fid"] == kept


def test_measuring_again_gives_the_same_bits_in_float64_too(tmp_path):
    changed = {"precision": "float64", "seeds": 1}
    do(suite_of(tmp_path, **changed), tmp_path / "r")
    do(suite_of(tmp_path, metrics=["mmd", "prdc"], **changed), tmp_path / "r")
    do(suite_of(tmp_path, metrics=["fid", "mmd", "prdc"], **changed), tmp_path / "at once")
    assert all_timeless(tmp_path / "r") == all_timeless(tmp_path / "at once")


def test_without_artifacts_a_new_metric_trains_again(tmp_path):
    root = tmp_path / "r"
    do(suite_of(tmp_path), root)
    for path in (root / ".artifacts").glob("*.safetensors"):
        path.unlink()
    made, records = do(suite_of(tmp_path, metrics=["fid", "mmd"]), root)
    assert [job.rescore for job in made.jobs] == [False]
    assert {m.metric for m in records[0].metrics} == {"fid", "mmd"}


def drop_weights(root):
    for path in (root / ".artifacts").glob("*.safetensors"):
        path.unlink()


def test_what_was_measured_before_stays_where_training_comes_to_the_same_weights(tmp_path):
    root = tmp_path / "r"
    do(suite_of(tmp_path), root)
    before = {record.cell: record for record in Store(root).records()}
    drop_weights(root)
    made, _ = do(suite_of(tmp_path, metrics=["mmd"]), root)
    assert [job.rescore for job in made.jobs] == [False]
    assert made.replaced == []
    for record in Store(root).records():
        assert {m.metric for m in record.metrics} == {"fid", "mmd"}
        assert [m for m in record.metrics if m.metric == "fid"] == before[record.cell].metrics


@pytest.mark.parametrize("trains", [False, True])
def test_times_keep_the_machine_that_they_are_of(tmp_path, trains):
    """Those that another measured later, from stored weights or trained again to the same bits."""
    root = tmp_path / "r"
    do(suite_of(tmp_path, seeds=1, metrics=["latency"]), root)
    (old,) = Store(root).records()
    old.environment["cpu"] = "another"
    Store(root).write(old)
    if trains:
        drop_weights(root)
    made, (record,) = do(suite_of(tmp_path, seeds=1, metrics=["throughput", "fid"]), root)
    assert [job.rescore for job in made.jobs] == [not trains]
    here = _cpu()
    assert record.environment["cpu"] == (here if trains else "another")
    found = {
        (m.metric, record.find_conditions(m)["cpu"]) for m in record.metrics if m.unit in OF_TIME
    }
    assert found == {("latency", "another"), ("throughput", here)}
    own = {m.metric for m in record.metrics if m.machine is not None}
    assert own == {"latency" if trains else "throughput"}
    assert len(list_machines([record])) == 2


def alter_bits(root, kind="weights"):
    """Lets the one record of a folder have another hash of its weights or samples; returns its content."""
    (record,) = Store(root).records()
    record.artifacts[kind] = f"sha256:{'0' * 64}.{record.artifacts[kind].rsplit('.')[-1]}"
    return Store(root).write(record).read_bytes()


@pytest.mark.parametrize("kind", ["weights", "samples"])
def test_a_record_of_other_bits_is_set_aside_and_what_it_was_scored_by_measured_again(
    tmp_path, kind
):
    root, whole = tmp_path / "r", tmp_path / "at once"
    before = ["fid", {"name": "mmd", "options": {"estimator": "biased"}}]
    do(suite_of(tmp_path, seeds=1, metrics=before), root)
    drop_weights(root)
    content = alter_bits(root, kind)
    made, records = do(suite_of(tmp_path, seeds=1, metrics=["modes"]), root)
    (aside,) = made.replaced
    assert (aside.read_bytes(), made.owed) == (content, [])
    assert "was measured again" in describe_replaced(made)
    do(suite_of(tmp_path, seeds=1, metrics=["modes", *before]), whole)
    assert all_timeless(root) == all_timeless(whole)
    assert records[-1] == next(Store(root).records())


def test_what_nobody_knows_how_to_measure_again_is_told(tmp_path):
    root = tmp_path / "r"
    (record,) = do(suite_of(tmp_path, seeds=1), root)[1]
    for measurement in record.metrics:
        measurement.key = "0" * 12
    Store(root).write(record)
    drop_weights(root)
    alter_bits(root)
    made, _ = do(suite_of(tmp_path, seeds=1, metrics=["mmd"]), root)
    assert (len(made.replaced), set(made.owed)) == (1, {(record.cell, "fid")})
    assert "1 of them have no fid now" in describe_replaced(made)
    (now,) = Store(root).records()
    assert {m.metric for m in now.metrics} == {"mmd"}, "scores of two networks make no record"


def test_scores_are_set_aside_where_the_cell_diverges_now(tmp_path, monkeypatch):
    root = tmp_path / "r"
    do(suite_of(tmp_path, seeds=1), root)
    content = alter_bits(root)
    monkeypatch.setattr(
        "genbench.running.stack.draw", lambda *given: torch.full((1, 100, 2), torch.nan)
    )
    made, records = do(suite_of(tmp_path, seeds=1), root, redo="all")
    assert [r.status for r in records] == ["diverged"]
    assert [path.read_bytes() for path in made.replaced] == [content]


def test_damaged_artifacts_are_made_anew(tmp_path):
    root = tmp_path / "r"
    do(suite_of(tmp_path, seeds=1), root)
    before = next(Store(root).records())
    for path in (root / ".artifacts").glob("*.safetensors"):
        path.write_bytes(b"damaged")
    made, records = do(suite_of(tmp_path, seeds=1, metrics=["fid", "mmd"]), root)
    assert [job.rescore for job in made.jobs] == [False]
    assert records[0].artifacts == before.artifacts
    assert Store(root).content(before.artifacts["weights"]) is not None


def test_a_failure_does_not_cost_what_was_measured(tmp_path, monkeypatch):
    root = tmp_path / "r"
    do(suite_of(tmp_path, seeds=1), root)
    before = list(Store(root).records())
    monkeypatch.setattr("genbench.running.stack.draw", lambda *given: 1 / 0)
    _, records = do(suite_of(tmp_path, seeds=1), root, redo="all")
    assert [r.status for r in records] == ["error"]
    assert list(Store(root).records()) == before


def test_force_trains_again(tmp_path):
    suite = suite_of(tmp_path, seeds=1)
    do(suite, tmp_path / "r")
    before = all_timeless(tmp_path / "r")
    made, records = do(suite, tmp_path / "r", redo="all")
    assert [job.rescore for job in made.jobs] == [False]
    assert len(records) == 1
    assert all_timeless(tmp_path / "r") == before


def test_a_cell_that_is_trained_again_keeps_its_first_start(tmp_path):
    """Else a registration that is younger than the first score would pass for older."""
    suite, store, first = (
        suite_of(tmp_path, seeds=1),
        Store(tmp_path / "r"),
        "2026-01-01T00:00:00+00:00",
    )
    (record,) = do(suite, store.root)[1]
    store.write(record.model_copy(update={"started": first}))
    assert '"first_started"' not in store.path(record.spec).read_text()
    for _ in range(2):
        do(suite, store.root, redo="all")
        (again,) = store.records()
        assert again.started > first
        assert (again.first_started, again.begun) == (first, first)


def test_a_model_that_raises_is_a_row_and_leaves_the_other_cells(tmp_path, plugin):
    _, records = do(planted(tmp_path, "raise"), tmp_path / "r", plugins=(plugin,))
    found = by_model(records)
    for seed in (0, 1):
        bad = found["planted", seed]
        assert (bad.status, bad.phase, bad.taxonomy) == ("error", "train", "reference")
        assert bad.reason.startswith("ZeroDivisionError: planted on purpose (planted_file.py:")
        assert bad.failed_after_s >= 0
        assert bad.environment["torch"] == torch.__version__
        assert found["gan", seed].status == "ok"
    assert Store(tmp_path / "r").problems() == []
    again, _ = do(planted(tmp_path, "raise"), tmp_path / "r", plugins=(plugin,))
    assert (again.jobs, len(again.failed)) == ([], 2)
    again, _ = do(planted(tmp_path, "raise"), tmp_path / "r", plugins=(plugin,), redo="failed")
    assert [job.specs[0].model for job in again.jobs] == ["planted"]


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("memory", "oom", "MemoryError: planted"),
        ("shape", "error", "the loss of player 'net' needs shape (2,)"),
        ("samples", "diverged", "samples are not finite"),
    ],
)
def test_other_failures_are_rows_too(tmp_path, plugin, fault, status, reason):
    suite = planted(tmp_path, fault)
    _, records = do(suite, tmp_path / "r", plugins=(plugin,))
    bad = by_model(records)["planted", 0]
    assert bad.status == status
    assert bad.reason.startswith(reason)
    assert bad.metrics == []


def test_a_seed_that_diverges_is_a_row_and_the_others_are_as_without_it(tmp_path, plugin):
    _, records = do(planted(tmp_path, "inf", seeds=3), tmp_path / "r", plugins=(plugin,))
    found = by_model(records)
    bad = found["planted", 1]
    assert (bad.status, bad.phase) == ("diverged", "train")
    assert bad.reason == "the loss is not finite from step 3 on"
    assert 0 <= bad.failed_after_s <= bad.used.seconds
    assert bad.curve[-1].losses == {"net": None}
    assert bad.metrics == []
    do(planted(tmp_path, "none", seeds=3), tmp_path / "clean", plugins=(plugin,))
    clean = by_model(Store(tmp_path / "clean").records())
    for seed in (0, 2):
        good = found["planted", seed]
        assert good.status == "ok"
        assert good.artifacts == clean["planted", seed].artifacts
        assert timeless(good)["metrics"] == timeless(clean["planted", seed])["metrics"]
    again, _ = do(planted(tmp_path, "inf", seeds=3), tmp_path / "r", plugins=(plugin,))
    assert again.jobs == []


def test_pairs_that_cannot_be_are_rows_with_a_reason(tmp_path):
    cells = [{"models": [GAN, "resample"], "datasets": ["bars_and_stripes"]}]
    _, records = do(suite_of(tmp_path, cells=cells, curve=0), tmp_path / "r")
    skipped = [record for record in records if record.status == "skipped"]
    assert [record.spec.model for record in skipped] == ["gan", "gan"]
    assert skipped[0].reason == "needs continuous data, bars_and_stripes is binary"
    assert skipped[0].taxonomy == "implicit/direct"
    again, new = do(suite_of(tmp_path, cells=cells, curve=0), tmp_path / "r")
    assert len(again.skipped) == 2
    assert not [record for record in new if record.status == "skipped"]


def test_the_same_suite_gives_the_same_records_and_artifacts(tmp_path):
    suite = suite_of(
        tmp_path,
        metrics=["fid", "kid", "prdc", "nll", {"name": "latency", "options": {"seconds": 0}}],
        cells=[
            {"models": [{"name": "vae", "options": {"hidden": [8]}}], "datasets": ["ring"]},
            {"models": ["gaussian"], "datasets": ["digits"]},
        ],
    )
    for root in ("a", "b"):
        do(suite, tmp_path / root)
    assert [r.reason for r in Store(tmp_path / "a").records()] == [None] * 4
    assert all_timeless(tmp_path / "a") == all_timeless(tmp_path / "b")
    kept = [{p.name for p in (tmp_path / r / ".artifacts").iterdir()} for r in ("a", "b")]
    assert kept[0] == kept[1]
    assert len(kept[0]) >= 6


def test_stopping_keeps_what_is_finished(tmp_path):
    cells = [{"models": [GAN], "datasets": ["ring", "grid"]}]
    suite = suite_of(tmp_path, cells=cells)

    def stop(index, progress):
        if index == 1 and progress.phase == "train":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        do(suite, tmp_path / "r", report=stop)
    assert [r.spec.dataset for r in Store(tmp_path / "r").records()] == ["ring", "ring"]
    _, records = do(suite, tmp_path / "r")
    assert [r.spec.dataset for r in records] == ["grid", "grid"]
    assert Store(tmp_path / "r").problems() == []


def test_a_training_that_was_stopped_goes_on_from_its_checkpoint(tmp_path):
    told = []

    def stop(index, progress):
        if progress.phase == "train" and progress.step > 1:
            raise KeyboardInterrupt

    slow = suite_of(tmp_path, budget={"steps": 1000})
    with pytest.raises(KeyboardInterrupt):
        do(slow, tmp_path / "r", report=stop, checkpoint_every=0.0)
    assert len(list((tmp_path / "r" / ".checkpoints").iterdir())) == 1
    do(slow, tmp_path / "r", report=lambda index, progress: told.append(progress))
    resumed = [progress for progress in told if progress.phase == "resumed"]
    assert len(resumed) == 1
    assert 0 < resumed[0].step < 1000
    do(slow, tmp_path / "whole")
    assert all_timeless(tmp_path / "r") == all_timeless(tmp_path / "whole")
    assert list((tmp_path / "r" / ".checkpoints").iterdir()) == []


def test_cells_named_twice_are_done_once(tmp_path):
    cells = [SUITE["cells"][0], {"models": [GAN, GAN], "datasets": ["ring", "ring"]}]
    made, records = do(suite_of(tmp_path, cells=cells), tmp_path / "r")
    assert len(made.cells) == len(records) == 2


def test_seeds_at_once_bounds_the_stacks(tmp_path):
    made, records = do(suite_of(tmp_path, seeds=3, seeds_at_once=2, curve=0), tmp_path / "r")
    assert [job.seeds for job in made.jobs] == [[0, 1], [2]]
    assert [record.used.seeds_sharing for record in records] == [2, 2, 1]


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"metrics": ["fdi"]}, UnknownName, "unknown metric 'fdi'; did you mean 'fd'"),
        ({"curve_metrics": ["fdi"]}, UnknownName, "unknown metric 'fdi'"),
        ({"features": "clasifier"}, UnknownName, "did you mean 'classifier'"),
        (
            {"metrics": [{"name": "kid", "options": {"subset": 1}}]},
            SpecError,
            "did you mean 'subsets'",
        ),
        ({"cells": [{"models": "gam", "datasets": "ring"}]}, UnknownName, "did you mean 'gan'"),
        ({"cells": [{"models": "gan", "datasets": "rign"}]}, UnknownName, "did you mean 'ring'"),
        (
            {"cells": [{"models": {"name": "gan", "options": {"lr": "x"}}, "datasets": "ring"}]},
            SpecError,
            "model gan option 'lr' needs a number above 0, got 'x'",
        ),
        (
            {"cells": [{"models": "rbm", "datasets": {"name": "ring", "options": {"k": 8}}}]},
            SpecError,
            "data set ring has no option 'k'",
        ),
        (
            {
                "cells": [
                    {
                        "models": "gan",
                        "datasets": {"name": "bars_and_stripes", "options": {"size": 99}},
                    }
                ]
            },
            SpecError,
            "size from 2 to 12, got 99",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(tmp_path, changed, error, said):
    with pytest.raises(error, match=said):
        do(suite_of(tmp_path, **changed), tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_records_are_plain_json(tmp_path):
    _, records = do(suite_of(tmp_path, seeds=1), tmp_path / "r")
    text = Store(tmp_path / "r").path(records[0].spec).read_text()
    assert json.loads(text, parse_constant=lambda name: pytest.fail(name))["status"] == "ok"
