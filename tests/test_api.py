"""The front door's functions that read and write a results folder (the others: tests/test_afternoon.py)."""

from pathlib import Path

import pytest

import genbench
from genbench.core.errors import DataError, SpecError
from genbench.core.spec import Budget
from genbench.store.tuned import find_tuned

BASELINE = Path(__file__).parents[1] / "baselines" / "ci.json"
SUITE = {
    "description": "two cells",
    "seeds": 2,
    "batch": 32,
    "budget": {"steps": 20},
    "metrics": ["mmd"],
    "samples": 200,
    "cells": [{"models": ["vae"], "datasets": ["ring"]}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("door") / "runs"
    result = genbench.run(SUITE, results=folder)
    assert [record.status for record in result.records] == ["ok", "ok"]
    return folder


def test_a_suite_that_was_run_has_nothing_left_to_do(folder):
    assert genbench.run(SUITE, results=folder).records == []
    assert len(genbench.run(SUITE, results=folder, seeds=3, dry_run=True).plans[0].jobs) == 1


def test_what_was_recorded_can_be_read(folder):
    frame = genbench.results(folder)
    assert set(frame["model"]) == {"vae"}
    assert genbench.samples(frame["cell"][0], results=folder).shape == (200, 2)
    (table,) = genbench.leaderboard(folder).tables
    assert [group.label for group in table.groups] == ["vae"]
    (card,) = genbench.claims("mode-collapse", results=folder)
    assert card.verdict.outcome == "inconclusive"
    result = genbench.check(folder, BASELINE)
    assert not result.ok
    assert "missing" in {row.verdict for row in result.rows}


def test_refusals_say_what_is_wrong(folder):
    with pytest.raises(SpecError, match="the suite: unknown key 'sedes'; did you mean 'seeds'"):
        genbench.run({**SUITE, "sedes": 3}, results=folder)
    with pytest.raises(DataError, match="zzz is not a cell"):
        genbench.samples("zzz", results=folder)
    with pytest.raises(SpecError, match="one results folder"):
        genbench.leaderboard(folder, folder)


def test_a_pair_of_a_suite_is_trained_as_there():
    def find_spec(model, dataset, **about):
        return genbench.train(model, dataset, suite="images", steps=1, **about).job.specs[0]

    spec = find_spec("vae", "digits")
    tuned, _ = find_tuned("vae", "digits", Budget(steps=1), 128, "samples")
    assert spec.batch == 128
    assert {name: spec.options[name] for name in tuned} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in tuned.items()
    }
    assert find_spec("pixelcnn", "digits").batch == 64
    assert find_spec("pixelcnn", "digits", batch=9).batch == 9
    assert find_spec("vae", "ring").options["latent"] is None
