"""Trials: written whole, joined by seed, and refused once damaged."""

import json

import pytest

from genbench.core.claim import Claim
from genbench.store import Store
from genbench.store.trial import Trial, Trials
from genbench.store.validate import validate


def experiment(rng, *, steps: int = 3):
    return {"x": [0.0] * len(rng)}


@pytest.fixture
def claim():
    return Claim("a_claim", lambda e: [], "s.", "s", "w", experiment=experiment)


def trial(columns, **given):
    return Trial(claim="a_claim", version=1, options={"steps": 3}, columns=columns, **given)


def test_a_trial_comes_back_and_seeds_join(claim, tmp_path):
    trials = Trials(tmp_path)
    assert trials.read(claim, {"steps": 3}) is None
    path = trials.write(trial({"x": {0: 1.0, 1: None}}, seconds=1.0))
    assert path.parent == tmp_path / "claims"
    assert path.name.startswith("a-claim-")
    trials.write(trial({"x": {1: 5.0, 2: 2.5}}, seconds=2.0))
    held = trials.read(claim, {"steps": 3})
    assert held.columns == {"x": {0: 1.0, 1: 5.0, 2: 2.5}}
    assert (held.seconds, held.seeds) == (3.0, {0, 1, 2})


def test_failures_are_replaced_by_values(claim, tmp_path):
    trials = Trials(tmp_path)
    trials.write(trial({}, failures={0: "boom", 1: "boom"}))
    trials.write(trial({"x": {0: 1.0}}))
    held = trials.read(claim, {"steps": 3})
    assert held.failures == {1: "boom"}
    assert held.columns == {"x": {0: 1.0}}


def test_options_and_versions_have_files_of_their_own(claim, tmp_path):
    trials = Trials(tmp_path)
    newer = Claim("a_claim", lambda e: [], "s.", "s", "w", experiment=experiment, version=2)
    places = {
        trials.path(claim, {"steps": 3}),
        trials.path(claim, {"steps": 4}),
        trials.path(newer, {"steps": 3}),
    }
    assert len(places) == 3


def test_a_changed_number_breaks_the_seal(claim, tmp_path):
    trials = Trials(tmp_path)
    path = trials.write(trial({"x": {0: 1.0}}))
    assert validate(Store(tmp_path)) == (0, [])
    raw = json.loads(path.read_text())
    raw["columns"]["x"]["0"] = 2.0
    path.write_text(json.dumps(raw))
    assert trials.read(claim, {"steps": 3}) is None
    (finding,) = validate(Store(tmp_path))[1]
    assert finding.bad
    assert "seal" in finding.problem
    trials.write(trial({"x": {1: 3.0}}))
    assert trials.read(claim, {"steps": 3}).columns == {"x": {1: 3.0}}
    assert [f.kind for f in validate(Store(tmp_path))[1]] == ["set aside"]
