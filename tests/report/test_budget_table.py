"""How many verdicts hang on the budget, and that seeds which looks added are not asked for at others."""

from dataclasses import replace

import pytest
from claim_records import write

from genbench.core.claim import Claim, Run
from genbench.core.effect import Effect
from genbench.report.budget_table import compare_budgets, make_sheet, to_markdown
from genbench.report.cards import Card
from genbench.running.scale import Scale
from genbench.store import Store

RUN = Run("gan", "ring", ("mmd",), {"hidden": [8]}, 8, 10, 8, samples=100)


def make_card(store, name, run=RUN):
    about = dict.fromkeys(("statement", "source", "why"), "x")

    def effects(evidence):
        return [Effect("mmd", evidence.scores(run, "mmd"), 1.0)]

    exempt = {("ring", "mmd"): "planted"}
    return Card(Claim(name, effects, runs=(run,), null_exemptions=exempt, **about), store)


@pytest.fixture
def cards(tmp_path):
    """Claims by their mmd at budgets, supported above 1."""
    store = Store(tmp_path)
    plans = {
        "steady": {"default": 2.0, "half": 2.0, "double": 2.0},
        "opposite": {"default": 2.0, "double": 0.5},
        "open": {"default": 2.0, "half": 1.0},
        "alone": {"default": 0.5},
        "unmeasured": {"double": 2.0},
    }
    made = []
    for place, (name, means) in enumerate(plans.items()):
        run = Run("gan", "ring", ("mmd",), {"hidden": [8 + place]}, 8, 10, 8, samples=100)
        for budget, mean in means.items():
            write(store, run, Scale(budget), noise=0.01, mmd=mean)
        made.append(make_card(store, name, run))
    return made


def test_claims_are_compared_where_both_budgets_are_measured(cards):
    double, half = (compare_budgets(cards, budget) for budget in ("double", "half"))
    assert (double.same, double.changed) == (("steady",), ("opposite",))
    assert double.opposite == ("opposite",)
    assert double.open == ("open", "alone")
    assert (half.same, half.changed, half.opposite) == (("steady",), ("open",), ())
    assert double.sentence == (
        "At twice the rounds 1 of 2 claims say something else as a whole, 1 of them the opposite "
        "in a part or the whole; of the other 1 a part of none does; 2 are not measured in full there."
    )
    assert "none of them the opposite" in half.sentence


def test_the_table_has_the_claims_that_change_alone(cards):
    sheet = make_sheet(cards)
    assert [[entry.words for entry in row] for row in sheet.rows] == [
        ["opposite", "not in full", "supported (+1 -0 ?0)", "refuted (+0 -1 ?0)"],
        ["open", "inconclusive (+0 -0 ?1)", "supported (+1 -0 ?0)", "not in full"],
    ]
    text = to_markdown(cards)
    assert text.startswith("At twice the rounds")
    assert "| opposite |" in text
    assert "steady" not in text


def test_where_nothing_is_measured_it_says_so(tmp_path):
    text = to_markdown([make_card(Store(tmp_path), "empty")])
    assert text == (
        "No claim is measured in full at twice the rounds. "
        "No claim is measured in full at half the rounds.\n"
    )


def test_seeds_that_looks_added_are_not_asked_for_at_other_budgets(tmp_path):
    """Decided by 16 seeds at its own budget, it is measured in full by the planned 8 at half."""
    store = Store(tmp_path)
    write(store, replace(RUN, seeds=16), mmd=2.0)
    write(store, RUN, Scale("half"), mmd=2.0)
    card = make_card(store, "wide")
    wide = Card(card.claim, store, Scale(seeds=16))
    half = next(each for each in wide.budgets if each.name == "half")
    assert half.verdict is not None
    assert not half.missing
    assert "--seeds" not in half.command
    few = Card(card.claim, store, Scale(seeds=4))
    assert next(each for each in few.budgets if each.name == "half").command.endswith("--seeds 4")


def test_parts_that_turn_are_the_opposite_though_both_verdicts_are_mixed(tmp_path):
    store = Store(tmp_path)
    run = replace(RUN, metrics=("mmd", "fid"))
    for scale, mmd in (("default", 2.0), ("half", 0.5)):
        write(store, run, Scale(scale), mmd=mmd, fid=2.5 - mmd)

    def effects(evidence):
        return [Effect(name, evidence.scores(run, name), 1.0) for name in ("mmd", "fid")]

    exempt = {("ring", name): "planted" for name in ("mmd", "fid")}
    about = dict.fromkeys(("statement", "source", "why"), "x")
    card = Card(Claim("swaps", effects, runs=(run,), null_exemptions=exempt, **about), store)
    assert card.verdict.outcome == "mixed"
    half = compare_budgets([card], "half")
    assert (half.changed, half.opposite) == (("swaps",), ("swaps",))


def test_parts_that_say_something_else_under_the_same_verdict_are_told(tmp_path):
    """One part opens while the whole stays mixed."""
    store = Store(tmp_path)
    run = replace(RUN, metrics=("mmd", "fid", "kid"))
    for scale, kid in (("default", 2.0), ("half", 1.0)):
        write(store, run, Scale(scale), mmd=2.0, fid=0.5, kid=kid, noise=0.01)

    def effects(evidence):
        return [Effect(name, evidence.scores(run, name), 1.0) for name in run.metrics]

    exempt = {("ring", name): "planted" for name in run.metrics}
    about = dict.fromkeys(("statement", "source", "why"), "x")
    card = Card(Claim("wavers", effects, runs=(run,), null_exemptions=exempt, **about), store)
    assert card.verdict.outcome == "mixed"
    half = compare_budgets([card], "half")
    assert (half.same, half.changed, half.partly) == (("wavers",), (), ("wavers",))
    assert "of the other 1 a part of 1 (wavers) does" in half.sentence
