"""A network in a model's loss judges that model nowhere: not as a cell, not on its learning curve."""

import json

import pytest
import torch
from small_suites import do, suite_of

from genbench.api import evaluate
from genbench.cli import main
from genbench.core.errors import DataError
from genbench.core.feature import EXTRACTORS
from genbench.core.model import MODELS
from genbench.core.spec import CellSpec
from genbench.nn.frozen import Frozen
from genbench.store import Store

#: digits made smaller, whose test split is small
SMALLER = "super_resolution"
MODEL = {"name": "regression", "options": {"network": "mlp", "hidden": [4]}}
JUDGED = {
    "cells": [{"models": [MODEL], "datasets": [SMALLER]}],
    "seeds": 1,
    "budget": {"steps": 2},
    "metrics": ["psnr", "fid"],
    "curve_metrics": ["fid", "psnr"],
    "curve": 1,
    "samples": 10_000,
    "curve_samples": 10_000,
}


@pytest.fixture
def partial_record(tmp_path, monkeypatch):
    """A cell of a model that has the classifier of its data set in its loss."""
    monkeypatch.setattr(MODELS.get("regression"), "loss_networks", ("classifier",))
    _, (record,) = do(suite_of(tmp_path, **JUDGED), tmp_path / "results")
    return record


def test_a_learning_curve_is_judged_as_its_cell_is(partial_record):
    rows = {row.id: row for row in partial_record.metrics}
    assert rows["fid"].value is None
    assert [point.metrics["fid"] for point in partial_record.curve] == [None]
    assert rows["psnr"].value is not None
    assert [point.metrics["psnr"] is None for point in partial_record.curve] == [False]


def test_a_recorded_cell_is_judged_as_its_model_is(partial_record, tmp_path, capsys):
    """Its samples are points like others, but its record says what made them."""
    where = {"results": tmp_path / "results"}
    result = evaluate(partial_record.cell, metrics="fid,psnr", **where)
    assert result.fid is None
    assert "looks through classifier, a part of the loss of " in result.metrics["fid"].reason
    assert result.psnr == partial_record.measurement("psnr").value
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", partial_record.cell, "--metrics", "fid", "-o", str(where["results"])])
    assert stop.value.code == 2
    assert "which it cannot judge" in capsys.readouterr().err


def look(x):
    """Features as anybody's function or file makes them."""
    return x.flatten(1)


def test_a_function_may_be_the_network_in_the_loss(partial_record, tmp_path):
    result = evaluate(
        partial_record.cell,
        metrics="fid",
        features="test_partiality:look",
        results=tmp_path / "results",
    )
    assert result.fid is None
    assert "which may be a part of the loss of" in result.metrics["fid"].reason
    other = evaluate(
        partial_record.cell, metrics="fid", features="identity", results=tmp_path / "results"
    )
    assert other.fid is not None


def test_a_cell_of_a_model_that_is_not_here_is_refused(partial_record, tmp_path, monkeypatch):
    """Nobody knows what its loss looks through."""
    path = next((tmp_path / "results").glob("*/*/*.json"))
    text = json.loads(path.read_text())
    spec = CellSpec.model_validate(text["spec"] | {"model": "elsewhere"})
    store = Store(tmp_path / "results")
    store.write(
        partial_record.model_copy(update={"spec": spec, "cell": spec.cell, "group": spec.group})
    )
    with pytest.raises(DataError, match=r"elsewhere, which is not installed.*--plugin"):
        evaluate(spec.cell, metrics="fid", results=tmp_path / "results")


@pytest.mark.parametrize("named", [(), ("random_conv",)])
def test_a_run_refuses_a_network_that_its_model_does_not_name(named, tmp_path, monkeypatch):
    class Silent(MODELS.get("regression")):
        loss_networks = named

        def __init__(self, *words, **options):
            super().__init__(*words, **options)
            self.judge = Frozen(torch.nn.Linear(2, 2), extractor="classifier")

    monkeypatch.setitem(MODELS._objects, "regression", Silent)
    _, (record,) = do(suite_of(tmp_path, **JUDGED), tmp_path / "results")
    assert record.status == "error"
    assert "loss_networks needs the extractor whose network is judge" in record.reason


def test_a_recorded_cell_of_another_model_is_judged(tmp_path, capsys):
    _, (record,) = do(suite_of(tmp_path, **JUDGED), tmp_path / "results")
    words = ["--metrics", "fid", "-o", str(tmp_path / "results"), "--json"]
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", record.cell, *words])
    assert not stop.value.code
    scores = json.loads(capsys.readouterr().out)["metrics"]
    assert scores["fid"]["value"] == pytest.approx(record.measurement("fid").value, rel=1e-6)


@pytest.mark.parametrize("content", ["perceptual", "mse"])
def test_perceptual_content_is_not_judged_by_its_network(content, tmp_path):
    try:
        EXTRACTORS.get("efficientnet_lite0")(None)
    except DataError as error:
        pytest.skip(str(error))
    options = {"content": content, "width": 2, "blocks": 1, "side": 16}
    judge = [{"name": "perceptual_distance", "options": {"side": 16}}]
    changes = {
        "cells": [{"models": [{"name": "srgan", "options": options}], "datasets": [SMALLER]}],
        "metrics": ["psnr"],
        "curve_metrics": judge,
    }
    _, (record,) = do(suite_of(tmp_path, **JUDGED | changes), tmp_path / "results")
    result = evaluate(
        record.cell, metrics="perceptual_distance:side=16", results=tmp_path / "results"
    )
    own = content == "perceptual"
    assert (record.curve[0].metrics["perceptual_distance"] is None) == own
    assert (result.perceptual_distance is None) == own
    assert (result.fid is None) is False
    if own:
        reason = result.metrics["perceptual_distance"].reason
        assert "looks through efficientnet_lite0, a part of the loss of" in reason
