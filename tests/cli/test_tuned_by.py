"""Comparisons of one's own with the options that tuning chose."""

import pytest

from genbench import api
from genbench.core.errors import SpecError
from genbench.core.spec import Budget
from genbench.running.changed_suites import change_suite
from genbench.store.suites import find_suite
from genbench.store.tuned_options import find_tuned

BUDGET = find_suite("demo").budget


def cells_of(root, tuned_by):
    pairs = {"models": ["vae", "gaussian"], "datasets": "digits", "seeds": 1}
    result = api.run(**pairs, tuned_by=tuned_by, results=root, dry_run=True)
    return {spec.model: spec.cell for spec in result.plans[0].cells}


def test_models_take_what_tuning_chose_and_references_stay_as_they_are(tmp_path):
    own, samples, density = (cells_of(tmp_path, by) for by in (None, "samples", "density"))
    assert len({own["vae"], samples["vae"], density["vae"]}) == 3
    assert own["gaussian"] == samples["gaussian"] == density["gaussian"]


def test_python_trains_the_same_options():
    trained = api.train("gan:lr=0.004", "ring", steps=2, batch=8, tuned_by="samples")
    spec = trained.job.specs[0]
    options, training = find_tuned("gan", "ring", Budget(steps=2), 8, "samples")
    assert spec.options["hidden"] == tuple(options["hidden"])
    assert (spec.options["beta1"], spec.options["lr"]) == (options["beta1"], 0.004)
    assert spec.training == training


def test_a_suite_takes_them_in_every_cell():
    changed = change_suite(find_suite("ci"), tuned_by="density")
    assert {cells.tuned for cells in changed.cells} == {"density"}
    assert {cells.tuned for cells in change_suite(find_suite("toys_density")).cells} == {"density"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gan", "digits", "density"), "say tuned: true for it, or --tuned-by samples"),
        (("vae", "swiss_roll", "samples"), "nothing else was tuned there; give the data a plan"),
    ],
)
def test_what_was_not_tuned_is_refused_with_what_to_type(genbench, tmp_path, words, said):
    model, dataset, criterion = words
    code, _, err = genbench(
        *("run", "-m", model, "-d", dataset, "--tuned-by", criterion, "--steps", "2"),
        *("-o", str(tmp_path), "--dry-run"),
    )
    assert code == 2
    assert said in " ".join(err.split())


SUITE = """
suites:
  own:
    description: A roll
    cells: [{models: [vae], datasets: [swiss_roll], tuned: true}]
    metrics: [mmd]
    seeds: 1
    budget: {steps: 2}
    batch: 8
"""
PLAN = """
tuning:
  rolls: {dataset: swiss_roll, budget: {steps: 4}, batch: 8, criteria: {samples: mmd}, trials: 5}
"""


def test_what_to_type_names_the_file_of_the_plan(genbench, tmp_path):
    suites = tmp_path / "own.yaml"
    suites.write_text(SUITE)
    run = ("run", "own", "-c", suites, "-o", tmp_path / "runs", "--dry-run")
    code, _, err = genbench(*run)
    hint = f"genbench tune -o {tmp_path / 'runs'} --accept (with --config, where the plan is not"
    assert (code, hint in err) == (2, True)
    suites.write_text(SUITE + PLAN)
    code, _, err = genbench(*run)
    assert (code, f"genbench tune -c {suites} " in err, "with --config" in err) == (2, True, False)


def test_claims_say_it_themselves(genbench, tmp_path):
    code, _, err = genbench("run", "claims", "--tuned-by", "samples", "-o", str(tmp_path))
    assert code == 2
    assert "run claims takes no --tuned-by" in " ".join(err.split())


def test_another_word_is_refused():
    with pytest.raises(SpecError, match="tuned_by needs one of samples, density, got 'fid'"):
        change_suite(find_suite("demo"), tuned_by="fid")
