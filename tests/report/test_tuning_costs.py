"""What tuning took, by data set, and the tables of documents."""

from __future__ import annotations

import pytest

from genbench.core.errors import DataError
from genbench.core.spec import Budget, Criteria, Part, Tuning
from genbench.report.sheet import to_markdown
from genbench.report.tuning import read_searches
from genbench.report.tuning_costs import NOTE, make_sheet, sum_costs
from genbench.report.tuning_readme import update_readme
from genbench.running.tuning_rule import make_rule, make_trial
from genbench.store import Store
from genbench.store.tuning import Rung, TuningFile
from genbench.store.tunings import Tunings

CRITERIA = Criteria(samples=Part(name="mmd"), density=Part(name="nll", options={"points": 50}))
ABOUT = {"budget": Budget(steps=8), "batch": 16, "samples": 60, "criteria": CRITERIA}
PLAN = Tuning(**ABOUT, rungs=[1.0], bracket=2)


def plant(root, model, dataset, seconds):
    """Writes trials that took so many seconds to train, and a fifth of an hour to score; None: not yet."""
    rule = make_rule(model, dataset, PLAN, "random")
    trials = []
    for k, training in enumerate(seconds):
        trial = make_trial(rule, k)
        scores = {name: dict.fromkeys(trial.seeds, 1.0) for name in rule.criteria}
        about = {"step": 8, "examples": 8, "scoring": 720.0, "scores": scores}
        rung = Rung(seconds=training or 0.0, **about)
        trials.append(trial.model_copy(update={"rungs": [rung] * (training is not None)}))
    Tunings(root).save(TuningFile(rule=rule, trials=trials))


@pytest.fixture
def searches(tmp_path):
    plant(tmp_path, "vae", "ring", [1680.0] * 3)  # which has two criteria, and is paid for once
    plant(tmp_path, "gan", "ring", [6480.0])
    plant(tmp_path, "gan", "grid", [2880.0])
    return read_searches(tmp_path)


def test_trials_are_summed_by_data_set_once_whatever_their_criteria(searches):
    costs = {cost.dataset: cost for cost in sum_costs(searches)}
    assert [costs[name].seconds / 3600 for name in ("ring", "grid")] == pytest.approx([4.0, 1.0])
    assert (costs["ring"].models, costs["ring"].trials) == (2, 4)
    assert costs["grid"].budget == "8 steps, batch 16"
    table = to_markdown(make_sheet(sum_costs(searches)))
    assert table[-1].split("|")[1].strip() == "all"
    assert [cell.strip() for cell in table[-1].split("|")[-3:-1]] == ["5", "5"]


def test_searches_that_have_not_ended_are_told_apart(tmp_path):
    plant(tmp_path, "vae", "ring", [1680.0] * 3)
    plant(tmp_path, "gan", "ring", [6480.0, None, None])
    (cost,) = sum_costs(read_searches(tmp_path))
    assert (cost.models, cost.trials, dict(cost.unfinished)) == (1, 3, {"gan": 3})
    assert cost.seconds / 3600 == pytest.approx(4.0)
    assert (
        make_sheet([cost]).notes[1].endswith("hold those of others, too: gan on ring (3 trials).")
    )
    plant(tmp_path, "gan", "ring", [6480.0, 1.0, 1.0])
    (cost,) = sum_costs(read_searches(tmp_path))
    assert (cost.models, cost.trials, dict(cost.unfinished)) == (2, 6, {})
    assert make_sheet([cost]).notes == [NOTE]


def test_documents_get_both_tables_and_stay_where_nothing_changed(searches, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "a\n<!-- tuning:begin -->\n<!-- tuning:end -->\nb\n<!-- entrants:begin -->\n<!-- entrants:end -->\n"
    )
    assert update_readme(page, searches, Store(tmp_path))
    text = page.read_text()
    assert "| ring | 8 steps, batch 16 | 2 | 4 | 4 |" in text
    assert "| digits | variational | fid |" in text
    assert not update_readme(page, searches, Store(tmp_path))
    page.write_text("no markers")
    with pytest.raises(DataError, match="tuning:begin"):
        update_readme(page, searches, Store(tmp_path))
