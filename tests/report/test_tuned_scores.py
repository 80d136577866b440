"""What tuning gained: planted trials, and cells of default and tuned options."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from genbench.cli import cli
from genbench.core.model import MODELS
from genbench.core.spec import Budget, Criteria, Part, Tuning
from genbench.report.sheet import to_markdown
from genbench.report.site.site import make_site
from genbench.report.site.tuning_page import make_files
from genbench.report.tables import make_leaderboards
from genbench.report.tuned_scores import (
    NOTE,
    describe_unused,
    make_sheet,
    read_tuned_scores,
    to_rows,
)
from genbench.report.tuning_gains import make_sheet as count_gains
from genbench.report.tuning_readme import update_readme
from genbench.running.tuning_rule import make_rule, make_trial, specs_of_trial
from genbench.store import Measurement, Record, Store
from genbench.store.tuning import Rung, TuningResult
from genbench.store.tunings import Tunings

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


def write(store, like, level, *, steps=50, seeds=8, protocol="mmd, n=60", failing=(), spread=0.02):
    for seed in range(seeds):
        spec = like.model_copy(update={"seed": seed, "budget": Budget(steps=steps)})
        value = level * (1 + spread * (-1) ** seed)
        score = Measurement(id="mmd", metric="mmd", version=1, protocol=protocol, value=value)
        status, scores = ("diverged", []) if seed in failing else ("ok", [score])
        store.write(
            Record(cell=spec.cell, group=spec.group, status=status, spec=spec, metrics=scores)
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


@pytest.mark.parametrize(
    ("failing", "gain"),
    [(range(4), "better but fails more often"), (range(8), "worse"), ((), "better")],
    ids=["half", "all", "none"],
)
def test_tuned_options_that_diverge_are_not_called_better(store, failing, gain):
    write(store, DEFAULT, 0.5)
    write(store, TUNED, 0.2, failing=failing)
    (row,) = read_tuned_scores(store)
    assert (len(row.default), len(row.tuned), row.gain) == (8, 8, gain)
    (line,) = to_markdown(make_sheet([row]))[2:]
    assert (f"({len(failing)} of 8 failed)" in line) == bool(failing)
    nothing = sum(value is None for value in to_rows([row])[0]["test_tuned"].values())
    assert nothing == len(failing)


def test_options_that_are_worse_but_diverge_less_are_not_just_called_worse(store):
    write(store, DEFAULT, 0.2, failing=range(4))
    write(store, TUNED, 0.9)
    assert read_tuned_scores(store)[0].gain == "worse but fails less often"


def test_defaults_that_diverge_are_worse_than_tuned_options_that_do_not(store):
    write(store, DEFAULT, 0.2, failing=range(8))
    write(store, TUNED, 0.5)
    assert read_tuned_scores(store)[0].gain == "better"


def test_where_all_seeds_of_both_failed_the_table_says_so(store):
    write(store, DEFAULT, 0.2, failing=range(8))
    write(store, TUNED, 0.5, failing=range(8))
    (row,) = read_tuned_scores(store)
    assert (row.gain, row.budget) == ("all seeds failed", "50 steps, batch 16")


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


@pytest.mark.parametrize(
    "change",
    [
        {"dataset_version": 7},
        {"model_version": 7},
        {"precision": "float64"},
        {"autocast": "bf16"},
        {"compiled": "inductor"},
        {"labelled": 10},
    ],
    ids=str,
)
def test_other_versions_and_other_arithmetic_are_other_cells(store, change):
    write(store, DEFAULT, 0.5)
    write(store, TUNED.model_copy(update=change), 0.2)
    assert read_tuned_scores(store)[0].gain == "not run"
    write(store, TUNED, 0.9)
    assert read_tuned_scores(store)[0].gain == "worse"


DIGITS = PLAN.model_copy(update={"criteria": Criteria(samples=Part(name="fid"))})
LIKELY = PLAN.model_copy(
    update={"criteria": Criteria(samples=Part(name="mmd"), density=Part(name="nll"))}
)


@pytest.fixture
def two_choices(tmp_path):
    """A bracket of a model with a density: trial 1 is the best by samples, 2 by likelihood."""
    rule = make_rule("vae", "ring", LIKELY, "random")
    for k, (mmd, nll) in enumerate([(0.4, 3.0), (0.1, 2.5), (0.3, 1.0), (0.5, 3.5), (0.6, 4.0)]):
        trial = make_trial(rule, k)
        scores = {
            "samples": dict.fromkeys(trial.seeds, mmd),
            "density": dict.fromkeys(trial.seeds, nll),
        }
        for place in range(len(rule.rungs)):
            rung = Rung(step=8, examples=8, seconds=30.0, scoring=0.0, scores=scores)
            result = trial.model_copy(update={"rungs": [rung]})
            Tunings(tmp_path).add(TuningResult(rule=rule, trial=result, rung=place, floors={}))
    specs = [specs_of_trial(rule, make_trial(rule, k))[0] for k in range(3)]
    return Store(tmp_path), specs


def write_both(store, like, mmd, nll):
    for seed in range(8):
        spec = like.model_copy(update={"seed": seed, "budget": Budget(steps=50)})
        metrics = [
            Measurement(
                id=id, metric=id, version=1, protocol=id, value=level + 0.01 * (-1) ** seed
            )
            for id, level in (("mmd", mmd), ("nll", nll))
        ]
        store.write(
            Record(cell=spec.cell, group=spec.group, status="ok", spec=spec, metrics=metrics)
        )


def test_likelihood_is_read_of_the_options_that_it_chose_and_of_no_others(two_choices):
    """The model that was chosen by samples has a likelihood too, which is not that of the density choice."""
    store, (default, by_samples, by_likelihood) = two_choices
    write_both(store, default, 0.5, 4.0)
    write_both(store, by_samples, 0.2, 3.5)
    rows = {row.choice.column: row for row in read_tuned_scores(store)}
    assert (len(rows["nll"].tuned), rows["nll"].gain) == (0, "not run")
    write_both(store, by_likelihood, 0.4, 1.0)
    rows = {row.choice.column: row for row in read_tuned_scores(store)}
    assert (rows["mmd"].choice.trial, rows["nll"].choice.trial) == (1, 2)
    assert sum(rows["mmd"].tuned.values()) / 8 == pytest.approx(0.2)
    assert sum(rows["nll"].tuned.values()) / 8 == pytest.approx(1.0)
    assert sum(rows["nll"].default.values()) / 8 == pytest.approx(4.0)
    assert rows["nll"].gain == "better"
    lines = to_markdown(make_sheet(rows.values()))
    assert any("| vae | ring | nll | 3 → 1 |" in line for line in lines)


def test_models_and_data_sets_may_be_named(two_choices):
    store, _ = two_choices
    assert len(read_tuned_scores(store, ["vae"], ["ring"])) == 2
    assert read_tuned_scores(store, ["gan"]) == read_tuned_scores(store, [], ["grid"]) == []


def test_scores_that_are_all_equal_decide_nothing(store):
    """As in verdicts and in ranks: that seeds agree does not say how far another would be."""
    write(store, DEFAULT, 0.5, spread=0)
    write(store, TUNED, 0.2, spread=0)
    assert read_tuned_scores(store)[0].gain == "not distinguished"


def test_trials_of_another_version_are_left_out_and_named(two_choices, monkeypatch):
    """Else one old file would keep everything else from being shown."""
    store, _ = two_choices
    ((path, file, _),) = Tunings(store.root).scan()
    odd = file.trials[1].model_copy(update={"options": {"gone": 1}})
    edited = file.model_copy(update={"trials": [file.trials[0], odd, *file.trials[2:]]})
    Tunings(store.root).save(edited)
    assert read_tuned_scores(store) == []
    (sentence,) = describe_unused(store, ["vae"])
    assert f"tuning/{path.name}, model vae has no option 'gone'" in sentence
    assert describe_unused(store, ["gan"]) == []
    monkeypatch.setattr(MODELS.get("vae"), "version", 7)
    assert read_tuned_scores(store) == []
    assert "vae, which is at version 7" in describe_unused(store)[0]
    monkeypatch.undo()
    Tunings(store.root).save(file)
    assert (len(read_tuned_scores(store)), describe_unused(store)) == (2, [])


def test_curves_and_the_report_s_page_go_on_with_trials_of_another_version(
    two_choices, monkeypatch
):
    store, _ = two_choices
    monkeypatch.setattr(MODELS.get("vae"), "version", 7)
    result = CliRunner().invoke(cli, ["tune", "--curves", "-o", str(store.root)])
    assert result.exit_code == 0, result.exception
    assert "Left out of what tuning gained" in result.stdout
    site = make_site(store, [], [], "x")
    assert (len(site.searches), site.tuned_scores) == (2, ())
    assert b"Left out of what tuning gained" in make_files(site)["tuning.html"]


def add_elsewhere(store, like, failing):
    """Seeds of a later run that asked for another column, of which some fail."""
    for seed in range(100, 108):
        spec = like.model_copy(update={"seed": seed, "budget": Budget(steps=50)})
        other = Measurement(id="fid", metric="fid", version=1, protocol="fid", value=1.0)
        ok = seed not in failing
        record = Record(cell=spec.cell, group=spec.group, status="ok", spec=spec, metrics=[other])
        record.started = "2026-03-02T10:00:00"
        changed = {} if ok else {"status": "diverged", "metrics": []}
        store.write(record.model_copy(update=changed))


def test_a_seed_that_failed_where_the_column_was_not_asked_counts_nowhere_and_is_told(store):
    write(store, DEFAULT, 0.5)
    write(store, TUNED, 0.2)
    before = read_tuned_scores(store)[0]
    add_elsewhere(store, TUNED, {103})
    (row,) = read_tuned_scores(store)
    assert (dict(row.tuned), row.gain) == (dict(before.tuned), "better")
    (line,) = to_markdown(make_sheet([row]))[2:]
    assert "(1 of 16 failed elsewhere)" in line
    assert to_rows([row])[0]["failed_elsewhere"] == {"tuned": (103,)}
    assert to_rows([before])[0]["failed_elsewhere"] == {}


def test_where_all_seeds_of_a_run_failed_they_count(store):
    write(store, DEFAULT, 0.5)
    write(store, TUNED, 0.2)
    add_elsewhere(store, TUNED, range(100, 108))
    (row,) = read_tuned_scores(store)
    assert row.gain == "better but fails more often"
    assert "(8 of 16 failed)" in to_markdown(make_sheet([row]))[2]


def test_intervals_are_those_of_the_leaderboard(store):
    """On the column's own scale, with what test set and extractor leave uncertain."""
    digits = make_rule("gan", "digits", DIGITS, "random")
    like = specs_of_trial(digits, make_trial(digits, 0))[0]
    trial = make_trial(digits, 0)
    for place in range(len(digits.rungs)):
        scores = {"samples": dict.fromkeys(trial.seeds, 9.0)}
        rung = Rung(step=8, examples=8, seconds=30.0, scoring=0.0, scores=scores)
        result = trial.model_copy(update={"rungs": [rung]})
        Tunings(store.root).add(TuningResult(rule=digits, trial=result, rung=place, floors={}))
    for seed, value in enumerate((9.0, 8.0, 10.0, 9.5, 8.5, 9.1, 60.0, 9.2, 8.8, 9.7, 9.3, 8.1)):
        spec = like.model_copy(update={"seed": seed, "budget": Budget(steps=50)})
        score = Measurement(
            id="fid", metric="fid", version=1, protocol="classifier:digits@1", value=value
        )
        store.write(
            Record(cell=spec.cell, group=spec.group, status="ok", spec=spec, metrics=[score])
        )
    (table,) = make_leaderboards(store.of("digits", "gan"))
    (cell,) = table.cells.values()
    assert cell.error is not None
    assert cell.scale == "log"
    assert "[" in cell.text
    (row,) = read_tuned_scores(store, datasets=["digits"])
    assert [side.text for side in row.sides] == [cell.text, cell.text]


def test_the_note_says_that_verdicts_are_not_corrected_together(store):
    write(store, DEFAULT, 0.5)
    rows = read_tuned_scores(store)
    assert make_sheet(rows * 3).notes == [NOTE]
    write(store, TUNED, 0.2)
    rows = read_tuned_scores(store)
    assert make_sheet(rows).notes == [NOTE]
    assert "Each of the 3 verdicts" in make_sheet(rows * 3).notes[1]


@pytest.mark.parametrize(
    ("level", "failing", "counts", "told"),
    [
        (0.1, (), ["1", "0", "0", "0"], ""),
        (0.9, (), ["0", "0", "1", "0"], "gan worse"),
        (0.5, (), ["0", "1", "0", "0"], ""),
        (0.1, (0,), ["1", "0", "0", "0"], "gan better but fails more often"),
    ],
)
def test_choices_are_counted_by_what_test_points_say(store, level, failing, counts, told):
    write(store, DEFAULT, 0.5)
    write(store, TUNED, level, failing=failing)
    (row,) = count_gains(read_tuned_scores(store)).rows
    assert [entry.text for entry in row] == ["ring", "mmd", *counts, told]


def test_documents_count_what_tuning_gained(store, tmp_path):
    write(store, DEFAULT, 0.5)
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- gains:begin -->\n<!-- gains:end -->\nb\n")
    assert update_readme(page, [], store)
    assert "| ring | mmd | 0 | 0 | 0 | 1 |  |" in page.read_text()
