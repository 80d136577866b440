"""Merging folders keeps the trials of claims and of tuning, seed by seed, and shows what disagrees."""

from __future__ import annotations

import pytest

from genbench.core.spec import Budget
from genbench.store import Store, tunings
from genbench.store import trial as claim_trials
from genbench.store.merge import merge
from genbench.store.trial import Trial, Trials
from genbench.store.tuning import Criterion, Rung, TuningFile, TuningRule, TuningTrial
from genbench.store.tunings import Tunings

LOW, HIGH, OTHER = {1: 0.5, 2: 0.6}, {1: 0.3, 2: 0.4}, {1: 0.1, 2: 0.2}


def measured(values, failures=(), **about):
    columns = {"error": dict(values)}
    return Trial(claim="turns", version=1, columns=columns, failures=dict(failures), **about)


def searched(*trials, sampler="random"):
    rule = TuningRule(
        model="vae",
        model_version=1,
        dataset="ring",
        dataset_version=1,
        space={},
        sampler=sampler,
        budget=Budget(steps=8),
        batch=4,
        criteria={"samples": Criterion(column="mmd", metric="mmd", version=1)},
        samples=50,
        seeds=2,
        bracket=4,
        rungs=[0.5, 1.0],
        keep=0.5,
    )
    rows = []
    for k, scores in trials:
        rungs = [
            Rung(step=4, examples=16, seconds=1.0, scoring=0.1, scores={"samples": by})
            for by in scores
        ]
        rows.append(TuningTrial(k=k, hash=f"{k:016x}", seeds=[1, 2], rungs=rungs))
    return TuningFile(rule=rule, trials=rows)


def test_seeds_of_claims_are_united_and_a_repetition_adds_nothing(tmp_path):
    one, two, to = (Store(tmp_path / name) for name in ("one", "two", "to"))
    Trials(one.root).save(measured({0: 1.0, 1: None}, seconds=3.0))
    path = Trials(two.root).save(measured({1: None, 2: 5.0}, {3: "it broke"}, seconds=4.0))
    result = merge([one, two], to)
    assert (result.trials, result.conflicts, result.set_aside) == (1, [], [])
    whole = claim_trials.parse(to.root / "claims" / path.name)
    assert whole is not None
    assert whole.columns == {"error": {0: 1.0, 1: None, 2: 5.0}}
    assert whole.failures == {3: "it broke"}
    again = merge([one, two], to)
    assert again.same == 2
    assert claim_trials.parse(to.root / "claims" / path.name) == whole


@pytest.mark.parametrize(("keep", "value"), [("first", 1.0), ("last", 2.0), ("newest", 2.0)])
def test_trials_that_disagree_are_a_conflict(tmp_path, keep, value):
    one, two, to = (Store(tmp_path / name) for name in ("one", "two", "to"))
    Trials(one.root).save(measured({0: 1.0}, finished="2026-01-01"))
    path = Trials(two.root).save(measured({0: 2.0}, finished="2026-01-02"))
    stuck = merge([one, two], to)
    assert [c.differences for c in stuck.conflicts] == [["error, seed 0: 1.0 | 2.0"]]
    assert not to.root.exists()
    merge([one, two], to, keep=keep)
    whole = claim_trials.parse(to.root / "claims" / path.name)
    assert whole is not None
    assert whole.columns["error"] == {0: value}


def test_trials_of_tuning_are_united_by_number_and_rung(tmp_path):
    one, two, to = (Store(tmp_path / name) for name in ("one", "two", "to"))
    Tunings(one.root).save(searched((0, [LOW]), (1, [LOW, HIGH])))
    path = Tunings(two.root).save(searched((0, [LOW, HIGH]), (2, [LOW])))
    result = merge([one, two], to)
    assert (result.trials, result.conflicts) == (1, [])
    whole = tunings.parse(to.root / "tuning" / path.name)
    assert whole is not None
    assert {t.k: len(t.rungs) for t in whole.trials} == {0: 2, 1: 2, 2: 1}
    Tunings(two.root).save(searched((0, [HIGH])))
    (conflict,) = merge([one, two], Store(tmp_path / "third")).conflicts
    assert conflict.differences[0] == "trial 0, rung 0, samples, seed 1: 0.5 | 0.3"


def changed(file, k, **about):
    """A file of trials one of which is another."""
    trials = [t.model_copy(update=about) if t.k == k else t for t in file.trials]
    return file.model_copy(update={"trials": trials})


@pytest.mark.parametrize(
    ("about", "line"),
    [
        ({"hash": "f" * 16}, f"trial 1, hash: {1:016x} | {'f' * 16}"),
        ({"options": {"lr": 0.5}}, "trial 1, options: {} | {'lr': 0.5}"),
        ({"training": {"share": 0.5}}, "trial 1, training: {} | {'share': 0.5}"),
    ],
)
@pytest.mark.parametrize("keep", ["first", "last"])
def test_another_choice_of_the_same_number_is_a_conflict_and_is_taken_whole(
    tmp_path, about, line, keep
):
    """Its scores may be equal: rungs of one set of options are never joined to another."""
    one, two, to = (Store(tmp_path / name) for name in ("one", "two", "to"))
    finished = searched((0, [LOW]), (1, [LOW, HIGH]))
    cut = changed(searched((1, [LOW]), (2, [LOW])), 1, **about)
    path = Tunings(one.root).save(finished)
    Tunings(two.root).save(cut)
    assert [c.differences for c in merge([one, two], to).conflicts] == [[line]]
    assert not to.root.exists()
    merge([one, two], to, keep=keep)
    whole = tunings.parse(to.root / "tuning" / path.name)
    assert whole is not None
    assert sorted(whole.by_number) == [0, 1, 2]
    assert whole.by_number[1] == (finished if keep == "first" else cut).by_number[1]


def test_a_trial_that_scored_otherwise_elsewhere_is_taken_whole(tmp_path):
    one, two, to = (Store(tmp_path / name) for name in ("one", "two", "to"))
    path = Tunings(one.root).save(searched((1, [LOW, HIGH])))
    Tunings(two.root).save(searched((1, [OTHER])))
    merge([one, two], to, keep="last")
    whole = tunings.parse(to.root / "tuning" / path.name)
    assert whole is not None
    assert [rung.scores["samples"] for rung in whole.trials[0].rungs] == [OTHER]


def test_proposed_trials_are_not_mixed_with_those_that_other_scores_proposed(tmp_path):
    one, two, to = (Store(tmp_path / name) for name in ("one", "two", "to"))
    path = Tunings(one.root).save(searched((0, [LOW]), (1, [LOW]), (2, [LOW]), sampler="tpe"))
    kept = searched((0, [LOW]), (1, [OTHER]), sampler="tpe")
    Tunings(two.root).save(kept)
    merge([one, two], to, keep="last")
    whole = tunings.parse(to.root / "tuning" / path.name)
    assert whole is not None
    assert whole.trials == kept.trials


def test_damaged_trials_are_named(tmp_path):
    one = Store(tmp_path / "one")
    path = Trials(one.root).save(measured({0: 1.0}))
    path.write_text(path.read_text().replace("1.0", "2.0"))
    result = merge([one], Store(tmp_path / "to"))
    assert result.trials == 0
    assert result.set_aside == [f"{path} is not a trial as it was written (its seal is broken)"]
