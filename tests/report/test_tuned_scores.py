"""What tuning gained: planted trials, and cells of default and tuned options."""

from __future__ import annotations

import pytest

from genbench.core.spec import Budget, Criteria, Part, Tuning
from genbench.report.sheet import to_markdown
from genbench.report.tuned_scores import make_sheet, read_tuned_scores, to_rows
from genbench.running.tuning_rule import make_rule, make_trial, specs_of_trial
from genbench.store import Measurement, Record, Store
from genbench.store.tuning import Rung, TuningResult, Tunings

PLAN = Tuning(
    budget=Budget(steps=8), batch=16, samples=60, criteria=Criteria(samples=Part(name="mmd"))
)
RULE = make_rule("gan", "ring", PLAN, "random")
DEFAULT, TUNED = (specs_of_trial(RULE, make_trial(RULE, k))[0] for k in (0, 1))


@pytest.fixture
def store(tmp_path):
    """Two trials that went to the end, of which the second is better on validation points."""
    for k, score in enumerate((0.4, 0.1)):
        trial = make_trial(RULE, k)
        for place in range(len(RULE.rungs)):
            scores = {"samples": dict.fromkeys(trial.seeds, score)}
            rung = Rung(step=8, examples=8, seconds=30.0, scoring=0.0, scores=scores)
            result = trial.model_copy(update={"rungs": [rung]})
            Tunings(tmp_path).add(TuningResult(rule=RULE, trial=result, rung=place, floors={}))
    return Store(tmp_path)


def write(store, like, level, *, steps=50, seeds=8, protocol="mmd, n=60"):
    for seed in range(seeds):
        spec = like.model_copy(update={"seed": seed, "budget": Budget(steps=steps)})
        value = level * (1 + 0.02 * (-1) ** seed)
        score = Measurement(id="mmd", metric="mmd", version=1, protocol=protocol, value=value)
        store.write(
            Record(cell=spec.cell, group=spec.group, status="ok", spec=spec, metrics=[score])
        )


def test_nothing_is_said_of_test_points_before_both_were_run(store):
    write(store, DEFAULT, 0.5)
    (row,) = read_tuned_scores(store)
    assert (row.choice.trial, row.choice.default, row.choice.validation) == (1, 0.4, 0.1)
    assert (len(row.default), len(row.tuned), row.gain) == (8, 0, "not run")


@pytest.mark.parametrize(
    ("level", "gain"), [(0.2, "better"), (0.9, "worse"), (0.501, "not distinguished")]
)
def test_the_gain_is_of_the_difference_of_test_scores(store, level, gain):
    write(store, DEFAULT, 0.5)
    write(store, TUNED, level)
    (row,) = read_tuned_scores(store)
    assert row.gain == gain
    (line,) = to_markdown(make_sheet([row]))[2:]
    assert "| 0.4 → 0.1 |" in line
    assert gain in line
    assert to_rows([row])[0]["test_tuned"] == dict(row.tuned)


def test_few_seeds_decide_nothing(store):
    write(store, DEFAULT, 0.5, seeds=3)
    write(store, TUNED, 0.2, seeds=3)
    assert read_tuned_scores(store)[0].gain == "few seeds"


def test_cells_of_one_budget_and_protocol_are_compared(store):
    write(store, DEFAULT, 0.5, steps=50)
    write(store, DEFAULT, 0.01, steps=900)
    write(store, TUNED, 0.2, steps=50)
    write(store, TUNED, 0.001, steps=400, protocol="mmd, n=10")
    (row,) = read_tuned_scores(store)
    assert (row.budget, row.gain) == ("50 steps, batch 16", "better")


def test_other_options_are_other_cells(store):
    write(store, DEFAULT, 0.5)
    write(store, TUNED.model_copy(update={"options": {**TUNED.options, "lr": 1.0}}), 0.2)
    assert read_tuned_scores(store)[0].gain == "not run"
