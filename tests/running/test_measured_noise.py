"""What lies between two models' scores beside their seeds: as measured, or by standard errors over points."""

import importlib
import math
import statistics
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from claim_records import write

from genbench.core.claim import Claim, Run
from genbench.core.dataset import open_named
from genbench.core.effect import Effect, difference
from genbench.report.caveats import find_without_test_set
from genbench.running.claim_cells import suite_of
from genbench.running.claim_terms import describe_run
from genbench.running.evidence import ClaimEvidence
from genbench.running.measured_noise import digest_errors, find_error, find_noise, name_data
from genbench.running.registration import find_standing, register
from genbench.store import Store
from genbench.store.measurement_error import FILE, read_measurement_errors
from genbench.store.record import Measurement
from genbench.store.registrations import Declared, Registrations, read_registrations

RUN = Run("gan", "digits", ("fid", "accuracy"), steps=400)
SPREAD = {"own": 4.0, "plain": 3.0, "own_log": 0.2, "log": 0.1}


@pytest.fixture
def errors(plant_baseline):
    return plant_baseline(FILE, "errors")


def rows(column, values, stderr=None):
    return [
        Measurement(id=column, metric=column, version=1, protocol="", value=v, stderr=stderr)
        for v in values
    ]


def test_what_was_measured_stands_before_standard_errors(errors):
    errors({"digits": {"accuracy": {"test": SPREAD}}})
    noise = find_noise(RUN, "accuracy", rows("accuracy", [0.5, 0.7], 0.01))
    assert (noise.plain, noise.log) == (3.0, 0.1)


def test_without_it_two_models_count_as_if_they_were_scored_on_points_of_their_own(errors):
    errors({})
    noise = find_noise(RUN, "accuracy", rows("accuracy", [0.5, 0.7], 0.01))
    assert noise.plain == pytest.approx(math.sqrt(2) * 0.01)
    assert noise.log == pytest.approx(math.sqrt(2) * 0.01 / 0.6)
    nothing = find_noise(RUN, "accuracy", rows("accuracy", [0.5, 0.7]))
    assert (nothing.plain, nothing.log) == (0.0, 0.0)
    some = [*rows("accuracy", [0.5], 0.01), *rows("accuracy", [0.5])]
    assert find_noise(RUN, "accuracy", some).plain == 0, "of one seed it is not known"


def test_a_known_truth_has_no_test_set(errors):
    errors({})
    toy = Run("gan", "ring", ("modes",), steps=400)
    assert find_noise(toy, "high_quality", rows("high_quality", [0.9], 0.01)).plain == 0


def test_features_of_another_data_set_have_its_errors_and_pixels_their_own(errors):
    enlarged = Run("srgan", "super_resolution", ("fid", "psnr"), steps=400)
    errors({"digits": {"fid": {"test": SPREAD}, "psnr": {"test": SPREAD}}})
    assert find_error(enlarged, "fid").test.log == 0.1
    assert find_error(enlarged, "psnr") is None
    clothes = replace(enlarged, dataset_options={"of": "fashion_mnist", "scale": 4})
    assert find_error(clothes, "fid") is None
    assert name_data(RUN) == "digits"
    errors({name_data(clothes): {"psnr": {"test": SPREAD | {"plain": 7.0}}}})
    assert find_error(clothes, "psnr").test.plain == 7.0
    assert find_error(enlarged, "psnr") is None, "those of digits were not measured"


def test_a_part_between_models_says_whether_it_holds_the_test_set(errors, tmp_path):
    errors({})
    other = replace(RUN, model="vae")

    def effects(evidence):
        gap = difference(evidence.scores(RUN, "fid"), evidence.scores(other, "fid"))
        return [Effect("gap", gap, 1.0)]

    claim = Claim("planted", effects, runs=(RUN, other), statement="s.", source="x", why="y")
    store = Store(tmp_path / "results")
    for run, value in ((RUN, 20.0), (other, 50.0)):
        write(store, run, fid=value, accuracy=0.5)
    assert find_without_test_set(claim, effects(ClaimEvidence(claim, store))) == ["gap"]
    errors({"digits": {"fid": {"test": SPREAD, "unbounded": True}}})
    assert find_without_test_set(claim, effects(ClaimEvidence(claim, store))) == []


def test_errors_that_changed_after_the_first_score_make_a_verdict_exploratory(errors, tmp_path):
    def effects(evidence):
        return [Effect("fid", evidence.scores(RUN, "fid"), 30.0, "below")]

    claim = Claim("planted", effects, runs=(RUN,), statement="s.", source="x", why="y")
    path, store = tmp_path / "registrations.json", Store(tmp_path / "results")
    errors({"digits": {"fid": {"test": SPREAD}}})
    assert describe_run(RUN)["errors"] == digest_errors(RUN) != "none"
    register({"planted": claim}, path, date="2026-01-01T00:00:00+00:00")
    write(store, RUN, fid=20.0, accuracy=0.5)
    assert not find_standing(claim, store, read_registrations(path)).reasons
    errors({"digits": {"fid": {"test": SPREAD | {"plain": 2.0}}}})
    reasons = find_standing(claim, store, read_registrations(path)).reasons
    assert [r for r in reasons if "other measured errors of test set and extractor" in r]
    errors({"digits": {"kid": {"test": SPREAD}}})
    assert digest_errors(RUN) == "none"
    reasons = find_standing(claim, store, read_registrations(path)).reasons
    assert [r for r in reasons if "other measured errors of test set and extractor" in r]


def test_a_declared_change_may_end():
    about = {"field": "tuned_options", "why": "x", "date": "2026-01-01T00:00:00+00:00"}
    known = Registrations(declared=[Declared(until="2026-01-03T00:00:00+00:00", **about)])
    assert known.allows("tuned_options", {}, "2026-01-02T00:00:00+00:00")
    assert not known.allows("tuned_options", {}, "2026-01-04T00:00:00+00:00")
    assert Registrations(declared=[Declared(**about)]).allows(
        "tuned_options", {}, "2027-01-01T00:00:00+00:00"
    )


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "proof"))
    yield importlib.import_module("claim_measurement_error")
    for name in ("claim_measurement_error", "measurement_error"):
        sys.modules.pop(name, None)


def test_half_of_a_data_set_has_the_same_rows_of_points_labels_and_sources(script):
    data = open_named("super_resolution")
    rows = torch.tensor([1, 4, 5])
    half = script.halve(data, rows)
    for own, whole in ((half, data), (half.given, data.given)):
        assert torch.equal(own.points("test"), whole.points("test")[rows])
        assert torch.equal(own.points("train"), whole.points("train"))
    assert torch.equal(half.labels("test"), data.labels("test")[rows])
    assert len(data.points("test")) > 3, "the whole is as it was"


def test_halves_tell_how_far_another_test_set_would_move_a_score_and_a_difference(
    script, monkeypatch
):
    monkeypatch.setattr(script, "suite_of", lambda run: suite_of(replace(run, seeds=1)))
    scores = {}
    for model in ("nearest", "bicubic"):
        run = Run(model, "super_resolution", ("psnr",), steps=1, samples=400)
        scores[model] = script.score_halves(run, {"psnr": run}, 12)["psnr"]
        assert len(set(scores[model])) == 12
    needed = {("super_resolution", "psnr"): dict.fromkeys(scores)}
    error = script.find_spreads(needed, {m: {"psnr": s} for m, s in scores.items()})
    (spread,) = (columns["psnr"]["test"] for columns in error.values())
    own = [statistics.stdev(s) for s in scores.values()]
    between = statistics.stdev(a - b for a, b in zip(*scores.values(), strict=True))
    assert spread["own"] == pytest.approx(math.sqrt(sum(s**2 for s in own) / 2), rel=0.01)
    assert spread["plain"] == pytest.approx(between, rel=0.01)
    assert spread["plain"] < math.hypot(*own) / 2, "both are high and low on the same points"


def test_every_column_that_claims_compare_on_test_points_has_measured_errors(script):
    known = read_measurement_errors()
    for (data, column), runs in script.list_needed().items():
        one = next(iter(runs.values()))
        if len(runs) == 1:  # compared with a run on other sources: standard errors stand in
            assert data.startswith("holes(exemplar=wrong"), data
            continue
        assert find_error(one, column) is not None, f"{column} on {data}: make measurement-error"
    assert len(known.errors) > 2
