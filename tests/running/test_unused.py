"""What would go unused is refused from Python too."""

import re

import numpy as np
import pytest

from genbench import api
from genbench.core.errors import GenbenchError, SpecError
from genbench.report.gate.accept import accept_results

TINY = {
    "description": "x",
    "models": ["gan"],
    "datasets": ["ring"],
    "metrics": ["mmd"],
    "seeds": 1,
}


@pytest.mark.parametrize(
    ("suite", "asked", "said"),
    [
        ("claims", {"steps": 3}, "takes no --steps, claims say it themselves; use --budget-scale"),
        (
            "claims",
            {"labelled": 10},
            "takes no --labelled, claims say it themselves; leave it out",
        ),
        ("claims", {"until_decided": True, "seeds": 8}, "takes no --seeds"),
        ("demo", {"claims": ["turns"]}, "--claim needs the suite claims, got 'demo'"),
        (None, {"budget_scale": "half"}, "--budget-scale needs the suite claims, got no suite"),
        (TINY, {"until_decided": True}, "needs the suite claims, got another"),
        (TINY, {"config": "mine.yaml"}, "config needs a suite's name, got a suite"),
    ],
)
def test_what_would_change_nothing_is_refused(tmp_path, suite, asked, said):
    with pytest.raises(SpecError, match=said):
        api.run(suite, results=tmp_path / "runs", **asked)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"jobs": 0}, "jobs needs a whole number of 1 or more, got 0"),
        ({"redo": "some"}, "redo needs one of missing, failed, all, got 'some'"),
        ({"compile": "fast"}, "compile needs one of none, graphs, inductor, got 'fast'"),
        ({"timeout": -1}, "timeout needs seconds above 0, got -1"),
        ({"timeout": "3"}, "timeout needs seconds above 0, got '3'"),
        ({"checkpoint_every": -1.0}, "checkpoint_every needs seconds of 0 or more, got -1.0"),
        ({"seeds": 0}, "seeds needs a whole number of 1 or more, got 0"),
        ({"steps": 0}, "steps needs a whole number"),
        ({"steps": 2.5}, "steps needs a whole number of 1 or more, got 2.5"),
        ({"labelled": 0}, "labelled needs a whole number"),
    ],
)
def test_values_that_are_not_allowed_are_refused(tmp_path, asked, said):
    with pytest.raises(SpecError, match=re.escape(said)):
        api.run("toys", results=tmp_path / "runs", dry_run=True, **asked)


def test_a_text_is_one_name_and_not_its_letters(tmp_path):
    about = {"results": tmp_path, "dry_run": True}
    result = api.run("toys", models="wgan_gp", datasets="ring", **about)
    assert {cell.model for plan in result.plans for cell in plan.cells} == {"wgan_gp"}
    assert api.run("toys", models=None, datasets="ring", seeds=np.int64(2), **about).plans
    result = api.run("claims", claims="mmd-criterion", budget_scale="quick", **about)
    assert len(result.plans) == 1
    (cost,) = api.tuning_costs(models="gan", datasets="ring", results=tmp_path)
    assert cost.rule.model == "gan"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"bf16": True}, "tune takes no bf16; leave it out"),
        ({"compile": "graphs"}, "tune takes no compile"),
        ({"checkpoint_every": 1.0}, "tune takes no checkpoint_every"),
        ({"redo": "all"}, "tune needs redo 'missing' or 'failed', got 'all'"),
        ({"sampler": "tpee"}, "unknown sampler 'tpee'; did you mean 'tpe'"),
        ({"trials": 0}, "trials needs a whole number"),
        ({"steps": 0}, "steps needs a whole number"),
    ],
)
def test_tuning_refuses_what_trials_do_not_take(tmp_path, asked, said):
    with pytest.raises(GenbenchError, match=re.escape(said)):
        api.tune(models="gan", datasets="ring", results=tmp_path / "runs", **asked)
    assert not (tmp_path / "runs").exists()


def test_scales_and_suite_files_without_a_suite_are_refused(tmp_path):
    with pytest.raises(GenbenchError, match="unknown budget scale 'hlaf'; did you mean 'half'"):
        api.run("claims", budget_scale="hlaf", results=tmp_path)
    with pytest.raises(GenbenchError, match="unknown budget scale"):
        api.claims(budget_scale="foo", results=tmp_path)
    with pytest.raises(SpecError, match="seeds needs a whole number of 1 or more, got -3"):
        api.claims(seeds=-3, results=tmp_path)
    with pytest.raises(GenbenchError, match="unknown scale 'dobule'; did you mean 'double'"):
        api.leaderboard(tmp_path, scale="dobule")
    with pytest.raises(SpecError, match="config needs a suite, got none"):
        api.leaderboard(tmp_path, config=tmp_path / "mine.yaml")
    with pytest.raises(SpecError, match="--config needs --suite, got none"):
        accept_results(tmp_path, tmp_path / "ci.json", config=tmp_path / "mine.yaml")
    with pytest.raises(SpecError, match="batch needs a whole number"):
        api.train("gan", "ring", batch=0)
