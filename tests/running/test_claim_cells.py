"""From claims to suites and back: which cells are asked for, which are missing, what a trial becomes."""

import math
from dataclasses import replace

import pytest
from claim_records import make_trial
from small_suites import do

from genbench.core.claim import Claim, Run
from genbench.core.effect import Effect
from genbench.core.errors import ContractError
from genbench.core.metric import METRICS
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.running.claim_cells import (
    find_column,
    find_companions,
    keys_of,
    run_key,
    specs_of,
    suite_of,
)
from genbench.running.claim_terms import describe_run
from genbench.running.claims import make_rounds
from genbench.running.evidence import ClaimEvidence
from genbench.running.plan import Plan, merge_plans
from genbench.running.scale import Scale
from genbench.running.sorter import make_plan, make_settings
from genbench.store import Store
from genbench.store.trial import Trials

TINY = Run("gan", "ring", ("modes",), {"hidden": [8]}, seeds=2, steps=5, batch=8, samples=100)


def a_claim(**given):
    def effects(evidence):
        return [Effect("x", evidence.measured("x"))]

    return Claim("a_claim", effects, "It is so.", "someone", "because", **given)


def draws(rng, *, scale: float = 1.0):
    return {"x": (scale * rng.normal(1)[:, 0]).tolist(), "root": [math.inf] * len(rng)}


def test_runs_of_one_cell_are_asked_once_with_all_metrics():
    more = Run("gan", "ring", ("fid", "modes"), {"hidden": [8]}, 3, 5, 8, samples=100)
    ((suite,),) = make_rounds([TINY, more])
    assert suite.seeds == 3
    assert [part.name for part in suite.metrics] == ["modes", "fid"]
    assert len(suite.cells) == 1


def test_runs_whose_options_come_to_the_same_are_one():
    """As where both criteria of tuning chose one trial, or a run names a default."""
    other = replace(TINY, metrics=("fid",), options={"hidden": [8], "beta1": 0.5})
    ((suite,),) = make_rounds([TINY, other])
    assert [part.name for part in suite.metrics] == ["modes", "fid"]
    assert len(suite.cells) == 1
    rounds = make_rounds([TINY, replace(other, first_seed=100)])
    assert sorted(suite.seed_list for suite in rounds[0]) == [[0, 1], [100, 101]]


def test_runs_that_share_what_they_ask_share_a_suite():
    other = Run("vae", "ring", ("modes",), seeds=2, steps=7, batch=8, samples=100)
    ((suite,),) = make_rounds([TINY, other])
    assert [cells.budget.steps for cells in suite.cells] == [5, 7]
    assert make_rounds([]) == []


def test_other_sample_counts_are_a_round_of_their_own():
    rounds = make_rounds(
        [TINY, Run("gan", "ring", ("modes",), {"hidden": [8]}, 2, 5, 8, samples=50)]
    )
    assert [[suite.samples for suite in each] for each in rounds] == [[100], [50]]


def test_other_options_of_a_metric_are_other_measurements_of_the_same_cells(tmp_path):
    few = replace(TINY, metric_options={"modes": {"samples": 40}})
    assert specs_of(few) == specs_of(TINY)
    assert run_key(few) == run_key(TINY)
    assert not keys_of(few) & keys_of(TINY)
    rounds = make_rounds([TINY, few])
    assert [[suite.metrics for suite in each] for each in rounds] == [
        [[Part(name="modes")]],
        [[Part(name="modes", options={"samples": 40})]],
    ]
    claim = a_claim(runs=(TINY, few))
    do(suite_of(TINY), tmp_path)
    assert ClaimEvidence(claim, Store(tmp_path)).missing() == {str(TINY): [0, 1]}
    do(suite_of(few), tmp_path)
    held = ClaimEvidence(claim, Store(tmp_path))
    assert held.missing() == {}
    told = {m.protocol for r in held.records(few) for m in r.metrics if m.id == "modes"}
    assert "samples=40, within=3" in told
    assert "metric_options" not in describe_run(TINY)
    assert describe_run(few)["metric_options"] == {"modes": {"samples": 40}}


def test_the_cells_of_a_run_are_those_of_its_suite(tmp_path):
    store = Store(tmp_path)
    suite = suite_of(TINY)
    plans = [make_plan(suite, store, make_settings(suite, tmp_path, device="cpu"))]
    whole = merge_plans([*plans, Plan()])
    assert whole.cells == specs_of(TINY)
    assert whole.pending == 2


def test_what_is_trained_is_no_longer_missing_and_is_read(tmp_path):
    claim = a_claim(runs=(TINY,))
    held = ClaimEvidence(claim, Store(tmp_path))
    assert held.missing() == {str(TINY): [0, 1]}
    do(suite_of(TINY), tmp_path)
    held = ClaimEvidence(claim, Store(tmp_path))
    assert held.missing() == {}
    assert set(held.scores(TINY, "modes")) == {0, 1}
    with pytest.raises(ContractError, match="which its metrics do not fill: modes"):
        held.scores(TINY, "fid")
    other = Run("gan", "ring", ("modes",), {"hidden": [8]}, 2, 5, 8, samples=50)
    assert held.scores(other, "modes") == {}  # asked of other numbers of samples
    more = ClaimEvidence(claim, Store(tmp_path), Scale(seeds=3))
    assert more.missing() == {str(TINY): [2]}
    assert ClaimEvidence(claim, Store(tmp_path), Scale("double")).missing() == {str(TINY): [0, 1]}


def test_an_experiment_is_made_once_a_seed(tmp_path):
    claim = a_claim(experiment=draws)
    held = ClaimEvidence(claim, Store(tmp_path))
    assert held.missing() == {"its experiment": list(range(8))}
    make_trial(held, held.untried())
    held = ClaimEvidence(claim, Store(tmp_path))
    first = held.measured("x")
    assert set(first) == set(range(8))
    assert held.measured("root") == dict.fromkeys(range(8), math.inf)  # what diverged
    assert held.missing() == {}
    more = ClaimEvidence(claim, Store(tmp_path), Scale(seeds=10))
    assert more.untried() == [8, 9]
    make_trial(more, more.untried())
    again = ClaimEvidence(claim, Store(tmp_path), Scale(seeds=10)).measured("x")
    assert {s: again[s] for s in first} == first
    assert set(ClaimEvidence(claim, Store(tmp_path), Scale(seeds=6)).measured("x")) == set(
        range(6)
    )


def test_a_seed_of_an_experiment_does_not_depend_on_the_others():
    whole = a_claim(experiment=draws).measure(Rng(range(4)))["x"]
    alone = a_claim(experiment=draws).measure(Rng([2]))["x"]
    assert alone == {2: whole[2]}


def test_a_quick_pass_has_options_of_its_own(tmp_path):
    claim = a_claim(experiment=draws, quick={"scale": 100.0})
    quick = ClaimEvidence(claim, Store(tmp_path), Scale("quick"))
    make_trial(quick, quick.untried())
    assert len(quick.measured("x")) == 6
    assert ClaimEvidence(claim, Store(tmp_path)).measured("x") == {}
    kept = Trials(tmp_path).read(claim, {"scale": 100.0})
    assert kept.environment["device"] == "cpu"


def test_an_experiment_that_raises_is_a_failure_and_no_crash(tmp_path):
    def raises(rng):
        raise ZeroDivisionError("planted")

    held = ClaimEvidence(a_claim(experiment=raises), Store(tmp_path))
    trial = make_trial(held, [0, 1])
    assert trial.failures == dict.fromkeys((0, 1), "ZeroDivisionError: planted")
    assert ClaimEvidence(held.claim, Store(tmp_path)).missing() == {
        "its experiment": list(range(2, 8))
    }


def test_an_experiment_must_give_a_value_a_seed():
    with pytest.raises(ContractError, match="one value per seed in 'x', got 1 for 2 seeds"):
        a_claim(experiment=lambda rng: {"x": [1.0]}).measure(Rng([0, 1]))
    with pytest.raises(ContractError, match="needs an experiment"):
        a_claim(runs=(TINY,)).measure(Rng([0]))


def scales(root):
    return {record.scale for record in Store(root).records()}


def test_cells_tell_the_scale_that_they_were_made_for_until_they_are_asked_for_as_they_are(
    tmp_path,
):
    suite = suite_of(TINY)
    do(suite, tmp_path, scale="quick")
    assert scales(tmp_path) == {"quick"}
    do(suite, tmp_path, scale="half")
    assert scales(tmp_path) == {"quick"}
    made, records = do(suite, tmp_path)
    assert (len(made.done), records) == (2, [])
    assert scales(tmp_path) == {None}
    do(suite, tmp_path, scale="quick", redo="all")
    assert scales(tmp_path) == {None}


def test_a_quick_pass_of_a_dear_run_has_rounds_of_its_own():
    run = Run("gan", "ring", ("modes",), steps=400, quick_steps=20)
    steps = {name: Scale(name).run(run).steps for name in ("quick", "half", "default", "double")}
    assert steps == {"quick": 20, "half": 200, "default": 400, "double": 800}
    assert run_key(run) == run_key(replace(run, quick_steps=None))


def test_a_column_is_known_with_those_beside_which_it_must_be_read():
    """PSNR brings FID, which no run need name."""
    run = Run("copy", "edges", ("psnr", "class_kept"))
    assert find_companions(run, "psnr") == ["fid"]
    assert find_companions(run, "class_kept") == ["class_kept_spread"]
    assert find_companions(run, "fid") == []
    assert find_column(run, "fid") is METRICS.get("fid").columns["fid"]
    assert find_column(run, "kid") is None
