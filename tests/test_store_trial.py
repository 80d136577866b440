"""Trials: written whole, joined by seed, and refused once damaged."""

import json
import math
import os

import pytest

from genbench.core.claim import Claim
from genbench.store import Store
from genbench.store.merge import merge
from genbench.store.merge_trials import differ_in_claims
from genbench.store.trial import Trial, Trials, examine, pack_columns, parse
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


def test_infinite_values_are_kept_apart_from_missing_ones_and_join(claim, tmp_path):
    trials = Trials(tmp_path)
    columns = {"x": {0: math.inf, 1: math.nan, 2: 1.0}, "y": dict.fromkeys(range(3), -math.inf)}
    trials.write(trial(**pack_columns(columns)))
    trials.write(trial(**pack_columns({"x": {0: 2.0, 3: math.inf}, "y": {0: 1.0, 3: 1.0}})))
    held = trials.read(claim, {"steps": 3})
    assert held.values("x") == {0: 2.0, 2: 1.0, 3: math.inf}
    assert held.values("y") == {0: 1.0, 1: -math.inf, 2: -math.inf, 3: 1.0}
    assert (held.values("z"), held.failed) == ({}, {1, 2, 3})


def test_a_trial_without_infinite_values_is_written_as_ever(claim, tmp_path):
    path = Trials(tmp_path).write(trial(**pack_columns({"x": {0: 1.0, 1: math.nan}})))
    assert "infinite" not in json.loads(path.read_text())


def test_copies_that_are_infinite_on_different_sides_disagree():
    one, other = (trial(**pack_columns({"x": {0: v}})) for v in (math.inf, -math.inf))
    assert differ_in_claims(one, other) == ["x, seed 0: inf | -inf"]
    assert differ_in_claims(one, one) == []


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


def find_wrong(folder):
    """What is wrong with a folder, but for that the planted claim is not installed."""
    findings = validate(Store(folder))[1]
    unknown = "claim 'a-claim' is not installed; name its file by --plugin"
    return [f for f in findings if (f.kind, f.problem) != ("unknown", unknown)]


def test_a_changed_number_breaks_the_seal(claim, tmp_path):
    trials = Trials(tmp_path)
    path = trials.write(trial({"x": {0: 1.0}}))
    assert find_wrong(tmp_path) == []
    raw = json.loads(path.read_text())
    raw["columns"]["x"]["0"] = 2.0
    path.write_text(json.dumps(raw))
    assert trials.read(claim, {"steps": 3}) is None
    (finding,) = find_wrong(tmp_path)
    assert finding.bad
    assert "seal" in finding.problem
    trials.write(trial({"x": {1: 3.0}}))
    assert trials.read(claim, {"steps": 3}).columns == {"x": {1: 3.0}}
    assert [f.kind for f in find_wrong(tmp_path)] == ["set aside"]


@pytest.mark.parametrize("name", ["a-claim-0123456789ab.json", "x.json"])
def test_a_trial_under_another_name_is_not_read_and_wrong(claim, tmp_path, name):
    trials = Trials(tmp_path)
    path = trials.write(trial({"x": {0: 1.0}}))
    other = path.with_name(name)
    path.rename(other)
    assert parse(other) is None
    (finding,) = find_wrong(tmp_path)
    assert (finding.kind, finding.bad, finding.path) == ("place", True, str(other))
    assert f"belongs in '{path.name}'" in finding.problem


def test_a_claim_whose_name_leads_elsewhere_is_not_written(tmp_path):
    one, to = Store(tmp_path / "one"), Store(tmp_path / "deep" / "to")
    planted = trial({"x": {0: 1.0}}).model_copy(update={"claim": "../../evil"})
    path = Trials(one.root).save(trial({"x": {0: 1.0}}))
    Trials(one.root).save(planted)
    (evil,) = tmp_path.glob("evil-*.json")
    evil.rename(one.root / "claims" / evil.name)
    result = merge([one], to)
    assert (result.trials, len(result.set_aside)) == (1, 1)
    assert [p.name for p in to.root.rglob("*.json")] == [path.name]
    assert not list(tmp_path.rglob("evil-*"))[1:]


@pytest.mark.parametrize("moment", ["yesterday", "0001-01-01T00:00:00+14:00", "x" * 300])
def test_a_time_that_is_none_is_refused(tmp_path, moment):
    path = Trials(tmp_path).save(trial({"x": {0: 1.0}}).model_copy(update={"started": moment}))
    _, problem = examine(path)
    assert "started: " in problem
    assert len(problem) < len(str(path)) + 300


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.write_text("x")])
@pytest.mark.parametrize("folder", ["claims", "tuning"])
def test_what_stands_in_the_place_of_the_folder_is_wrong(tmp_path, make, folder):
    make(tmp_path / folder)
    assert [f.problem for f in validate(Store(tmp_path))[1] if f.bad] == [
        f"{tmp_path / folder} is not a folder; trials are looked for there, move it away"
    ]


def test_a_link_in_the_place_of_a_trial_is_set_aside(claim, tmp_path):
    trials = Trials(tmp_path)
    path = trials.path(claim, {"steps": 3})
    path.parent.mkdir()
    path.symlink_to(tmp_path / "nowhere")
    trials.write(trial({"x": {0: 1.0}}))
    assert trials.read(claim, {"steps": 3}).columns == {"x": {0: 1.0}}
    assert [f.kind for f in find_wrong(tmp_path)] == ["set aside"]
