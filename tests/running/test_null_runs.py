"""The null rows that claims need: which they are, that they are run, and that no claim's terms name them."""

from dataclasses import replace

import pytest
from claim_records import write

from genbench.core.claim import CLAIMS, Claim, Run
from genbench.core.effect import Effect
from genbench.core.metric import METRICS
from genbench.report.cards import Card
from genbench.running.claim_cells import specs_of
from genbench.running.claim_terms import list_terms
from genbench.running.claims import run_claims
from genbench.running.evidence import EXPERIMENT
from genbench.running.null_runs import can_be_checked, make_null_runs
from genbench.running.registration import find_standing, register
from genbench.running.scale import Scale
from genbench.running.suites import RunOptions
from genbench.store import Store
from genbench.store.registrations import hash_terms, read_registrations

RUN = Run("gan", "ring", ("modes", "prdc"), {"hidden": [8]}, steps=5, batch=8, samples=200)


def make_claim(columns=("modes",), run=RUN, **about):
    def effects(evidence):
        rows = [Effect(column, evidence.scores(run, column)) for column in columns]
        return [*rows, Effect("beside", evidence.scores(run, "recall"), judged=False)]

    return Claim("planted", effects, "s.", "x", "y", runs=(run,), **about)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def planted(monkeypatch):
    def call(claim):
        monkeypatch.setitem(CLAIMS._objects, "planted", claim)
        return claim

    return call


def test_noise_and_a_gaussian_are_asked_for_what_is_judged_as_the_claim_asks_it(store):
    runs = make_null_runs(make_claim(), Scale(), store)
    assert [run.model for run in runs] == ["gaussian", "uniform"]
    for run in runs:
        assert (run.metrics, run.samples, run.seeds) == (("modes",), 200, 8)
        assert (run.options, run.tuned) == ({}, False)
        assert (run.steps, run.batch) == (5, 8)
    assert {run.seeds for run in make_null_runs(make_claim(), Scale("quick"), store)} == {6}
    assert {run.steps for run in make_null_runs(make_claim(), Scale("double"), store)} == {5}


def test_rounds_of_cells_that_are_there_are_kept_and_no_run_is_asked_twice(store):
    write(store, Run("uniform", "ring", ("modes",), steps=6000), modes=3.0)
    claim = make_claim(("modes", "modes_strict"))
    gaussian, uniform = make_null_runs(claim, Scale(), store)
    assert (uniform.steps, uniform.batch) == (6000, 256)
    assert (gaussian.steps, gaussian.batch) == (5, 8)


def test_what_no_null_row_can_have_or_the_claim_exempts_is_not_asked_for(store):
    exempt = make_claim(null_exemptions={"modes": "a count"})
    assert make_null_runs(exempt, Scale(), store) == []
    timed = replace(RUN, metrics=("latency", "prdc"))
    assert make_null_runs(make_claim(("latency_1_p50_ms",), timed), Scale(), store) == []
    assert not can_be_checked(METRICS.get("nll"), "nll")
    assert can_be_checked(METRICS.get("fid"), "fid")
    assert make_null_runs(make_claim(("unknown",)), Scale(), store) == []


def test_a_pass_over_a_claim_runs_them_and_the_gate_is_checked(store, planted):
    claim = planted(make_claim())
    write(store, RUN, modes=8.0)
    before = Card(claim, store)
    assert before.unchecked
    options = RunOptions(root=store.root, device="cpu")
    dry = run_claims(["planted"], options, dry_run=True)
    assert sum(plan.pending for plan in dry.plans) == 16
    run_claims(["planted"], options)
    nulls = make_null_runs(claim, Scale(), store)
    assert all(store.read(spec) is not None for run in nulls for spec in specs_of(run))
    card = Card(claim, store)
    assert card.gates["ring", "modes"].rows == 2
    again = run_claims(["planted"], options, dry_run=True)
    assert sum(plan.pending for plan in again.plans) == 0
    assert card.missing == before.missing == {}


def test_only_named_models_or_data_sets_are_run(store, planted):
    planted(make_claim())
    options = RunOptions(root=store.root, device="cpu")
    plans = run_claims(["planted"], options, models=["uniform"], dry_run=True).plans
    assert {cell.model for plan in plans for cell in plan.cells} == {"uniform"}
    plans = run_claims(["planted"], options, datasets=["grid"], dry_run=True).plans
    assert sum(plan.pending for plan in plans) == 0


def test_they_are_no_terms_of_the_claim():
    for claim in (make_claim(), CLAIMS.get("thin_manifold")):
        terms = list_terms(claim)
        assert {about["model"] for about in terms["runs"].values()}.isdisjoint(
            {"uniform", "gaussian"}
        )
        assert list_terms(replace(claim, digits_alone="so")) == terms


def test_what_a_claim_exempts_is_among_the_terms_of_the_parts_that_read_it(tmp_path):
    claim = make_claim(("modes", "precision"))
    about = {"modes": "a count", EXPERIMENT: "so"}
    exempt = replace(claim, null_exemptions=about)
    assert [part["exempted"] for part in list_terms(exempt)["parts"]] == [["modes"], []]
    assert list_terms(replace(claim, null_exemptions=about | {"modes": "x"})) == list_terms(exempt)
    unread = replace(claim, null_exemptions={"density": "so"})
    assert [part["exempted"] for part in list_terms(unread)["parts"]] == [["density"]] * 2


def test_an_exemption_after_the_first_score_is_exploratory_and_unknown_to_older_registrations(
    tmp_path, store
):
    path, claim = tmp_path / "registrations.json", make_claim()
    exempt = replace(claim, null_exemptions={"modes": "a count"})
    register({"planted": claim}, path, date="2026-01-01T00:00:00+00:00")
    write(store, RUN, modes=8.0)
    for record in store.of("ring", "gan"):
        store.write(record.model_copy(update={"started": "2026-01-02T00:00:00+00:00"}))
    known = read_registrations(path)
    assert not find_standing(claim, store, known).exploratory
    assert find_standing(exempt, store, known).reasons == (
        "changed since it was registered: part 1.exempted: [], now ['modes']",
    )
    register({"planted": exempt}, path, date="2026-01-03T00:00:00+00:00")
    reasons = find_standing(exempt, store, read_registrations(path)).reasons
    assert "changed by that registration: part 1.exempted: [], now ['modes']" in reasons
    (own,) = known.claims["planted"]
    parts = [{k: v for k, v in part.items() if k != "exempted"} for part in own.terms["parts"]]
    terms = own.terms | {"parts": parts}
    old = own.model_copy(update={"terms": terms, "hash": hash_terms(terms, own.rule)}).sealed()
    before = known.model_copy(update={"claims": {"planted": [old]}})
    assert not find_standing(exempt, store, before).exploratory


def test_the_gate_of_an_exempted_column_is_open_whatever_null_rows_a_folder_has(store):
    claim = make_claim(("precision",))
    for run in (RUN, *make_null_runs(claim, Scale(), store)):
        write(store, run, precision=0.9)
    for record in store.of("ring", "gan"):
        rows = [m.model_copy(update={"floor": 0.9}) for m in record.metrics]
        store.write(record.model_copy(update={"metrics": rows}))
    assert not Card(claim, store).effects[0].judged
    card = Card(replace(claim, null_exemptions={"precision": "so"}), store)
    assert card.effects[0].judged
    assert card.withheld == card.unchecked == []
