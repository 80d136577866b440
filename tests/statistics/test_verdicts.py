"""Verdicts on planted effects: each when it should, and wrong in one case of twenty at most."""

import math

import numpy as np
import pytest

from genbench.core.effect import Effect, compare_best, difference
from genbench.report.claim_tables import needed_text, says
from genbench.statistics.contests import LEAST, estimate
from genbench.statistics.decisions import holm_outcomes, outcome_of
from genbench.statistics.leave_one_out import leave_one_out
from genbench.statistics.verdicts import judge

SPREAD = 0.02 * np.array([-1.3, -0.6, -0.2, 0.1, 0.3, 0.5, 0.4, 0.8])


def planted(mean, bar=0.1, wanted="above", seeds=8, **given):
    values = dict(enumerate(mean + SPREAD[:seeds]))
    return Effect("planted", values, bar, wanted, **given)


@pytest.mark.parametrize(
    ("mean", "wanted", "outcome"),
    [
        (0.3, "above", "supported"),
        (0.0, "above", "refuted"),
        (-0.4, "above", "refuted"),
        (0.1, "above", "inconclusive"),
        (0.0, "below", "supported"),
        (0.3, "below", "refuted"),
        (0.1, "below", "inconclusive"),
    ],
)
def test_one_effect_says_what_its_interval_says(mean, wanted, outcome):
    assert outcome_of(planted(mean, wanted=wanted)) == outcome
    assert judge([planted(mean, wanted=wanted)]).outcome == outcome


@pytest.mark.parametrize(
    ("means", "outcome"),
    [
        ((0.3, 0.4), "supported"),
        ((0.0, -0.2), "refuted"),
        ((0.3, 0.0), "mixed"),
        ((0.3, 0.1), "inconclusive"),
        ((0.0, 0.1), "inconclusive"),
        ((0.3, 0.1, 0.0), "mixed"),
    ],
)
def test_parts_make_a_verdict(means, outcome):
    verdict = judge([planted(mean) for mean in means])
    assert verdict.outcome == outcome
    assert len(verdict.parts) == len(means)


@pytest.mark.parametrize(
    ("means", "outcome", "because"),
    [
        ((0.3, 0.4), "supported", "all 2 parts are supported"),
        ((0.3, 0.0), "inconclusive", "parts: 1 inconclusive, 1 supported; 1 on the wrong side"),
        ((0.0, -0.2), "inconclusive", "nothing is supported; 2 on the wrong side"),
        ((0.1, 0.1), "inconclusive", "no interval, at the level"),
    ],
)
def test_a_quick_pass_refutes_nothing(means, outcome, because):
    verdict = judge([planted(mean) for mean in means], refutes=False)
    assert verdict.outcome == outcome
    assert verdict.because.startswith(because)
    assert {part.outcome for part in verdict.parts} <= {"supported", "inconclusive"}


def test_effects_that_are_not_judged_decide_nothing():
    verdict = judge([planted(0.3), planted(0.0, judged=False)])
    assert verdict.outcome == "supported"
    assert len(verdict.parts) == 2


def test_few_seeds_and_none_decide_nothing():
    few = planted(5.0, seeds=LEAST - 1)
    assert judge([few]).outcome == "inconclusive"
    assert "fewer than 6" in judge([few]).because
    assert judge([planted(5.0, seeds=LEAST)]).outcome == "supported"
    nothing = judge([Effect("none", {})])
    part = judge([planted(0.1), Effect("gap", {}, 0)])
    assert (part.outcome, part.because) == ("inconclusive", "1 of 2 parts have not been measured")
    both = judge([planted(0.1, seeds=LEAST - 1), Effect("gap", {}, 0)])
    assert both.because == "fewer than 6 seeds have been measured"
    assert (nothing.outcome, nothing.because) == ("inconclusive", "nothing has been measured yet")
    assert judge([]).outcome == "inconclusive"


def test_an_exact_effect_needs_one_seed():
    assert judge([Effect("count", {0: 3.0}, 2.0, exact=True)]).outcome == "supported"
    assert judge([Effect("count", {0: 3.0}, 4.0, exact=True)]).outcome == "refuted"
    assert judge([Effect("count", {0: 3.0}, 3.0, exact=True)]).outcome == "inconclusive"
    assert judge([Effect("draw", {0: 3.0}, 2.0)]).outcome == "inconclusive"


def test_holm_asks_more_of_many_parts_and_less_as_they_are_decided():
    close = next(
        planted(0.1 + k / 1000)
        for k in range(99)
        if outcome_of(planted(0.1 + k / 1000)) == "supported"
    )
    assert outcome_of(close) == "supported"
    assert holm_outcomes([close, *[planted(0.1)] * 9])[0] == "inconclusive"
    assert set(holm_outcomes([close, *[planted(0.5)] * 9])) == {"supported"}


@pytest.mark.parametrize("law", ["normal", "lognormal"])
def test_wrong_verdicts_are_rare_under_the_null(law):
    """Two equal models whose scores are drawn alike: neither direction may be told in over 5 %."""
    rng, trials = np.random.default_rng(1), 1500
    draws = getattr(rng, law)(size=(trials, 2, 8))
    said = [
        judge([Effect("gap", difference(dict(enumerate(a)), dict(enumerate(b))))]).outcome
        for a, b in draws
    ]
    assert 1 - said.count("inconclusive") / trials <= 0.05 + 2 * (0.05 * 0.95 / trials) ** 0.5


def rows_of(rng, names, shift=0.0):
    return {name: dict(enumerate(rng.normal(size=8) + shift)) for name in names}


def gap(rng, ours, theirs, shift=0.0, bar=0.0):
    found = compare_best(rows_of(rng, ours, shift), rows_of(rng, theirs), "higher")
    return Effect("gap", found.values, bar, contest=found)


def test_wrong_verdicts_are_rare_for_several_parts_and_for_the_best_of_many():
    """Three parts, each the best of four against the best of two others, all drawn alike."""
    rng, trials = np.random.default_rng(2), 300
    wrong = sum(
        set(holm_outcomes([gap(rng, "abcd", "ef") for _ in range(3)])) != {"inconclusive"}
        for _ in range(trials)
    )
    assert wrong / trials <= 0.05


@pytest.mark.parametrize(("shift", "outcome"), [(4.0, "supported"), (-4.0, "refuted")])
def test_a_contest_is_told_where_one_side_is_better(shift, outcome):
    rng = np.random.default_rng(3)
    said = [judge([gap(rng, "abc", "de", shift)]).outcome for _ in range(20)]
    assert said.count(outcome) >= 18


def test_a_contest_needs_every_rival_at_enough_seeds():
    rng = np.random.default_rng(4)
    ours, theirs = rows_of(rng, "a", 9.0), rows_of(rng, "bc")
    whole = compare_best(ours, theirs, "higher")
    assert judge([Effect("gap", whole.values, contest=whole)]).outcome == "supported"
    theirs["c"] = {0: 0.0, 1: 0.0}
    part = compare_best(ours, theirs, "higher")
    assert judge([Effect("gap", part.values, contest=part)]).outcome == "inconclusive"


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_contest_waits_for_entrants_without_any_value(side):
    rng = np.random.default_rng(5)
    rows = {"ours": rows_of(rng, "ab", shift=-9), "theirs": rows_of(rng, "cd")}
    clear = compare_best(rows["ours"], rows["theirs"], "lower")
    assert judge([Effect("gap", clear.values, 0, contest=clear)]).outcome == "supported"
    rows[side] |= {"absent": {}}
    contest = compare_best(rows["ours"], rows["theirs"], "lower")
    verdict = judge([Effect("gap", contest.values, 0, contest=contest)])
    assert (verdict.outcome, verdict.because) == ("inconclusive", "not measured yet: absent")
    assert says(verdict.parts[0]) == "inconclusive: waits for absent"
    assert needed_text(verdict.parts[0]) == ""


def test_a_contest_of_nobody_waits_for_nobody():
    contest = compare_best({"a": {}}, {"b": {}}, "lower")
    assert contest.absent == ()
    because = judge([Effect("gap", contest.values, 0, contest=contest)]).because
    assert because == "nothing has been measured yet"


def test_a_verdict_that_hangs_on_one_seed_is_shown_so():
    assert set(leave_one_out([planted(0.3)]).values()) == {"supported"}
    values = {**planted(0.3).values, 8: -0.5}
    assert judge([Effect("x", values, 0.1)]).outcome == "inconclusive"
    without = leave_one_out([Effect("x", values, 0.1)])
    assert [seed for seed, said in without.items() if said == "supported"] == [8]


def test_a_seed_is_left_out_of_all_pairs_of_a_contest():
    rng = np.random.default_rng(5)
    found = compare_best(rows_of(rng, "ab", 9.0), rows_of(rng, "c"), "higher")
    effect = Effect("gap", found.values, contest=found)
    assert leave_one_out([effect]) == dict.fromkeys(range(8), "supported")
    assert leave_one_out([planted(0.3, seeds=LEAST)]) == {}


@pytest.mark.parametrize("wanted", ["above", "below"])
def test_what_is_not_a_number_is_no_value_and_no_failure(wanted):
    """It was counted as the lowest value that completed, by claims that want low ones too."""
    values = [1.0, 1.1, 0.9, 1.2, 0.8, 1.05, 0.95, 5.0]
    gone = Effect("e", dict(enumerate([*values, math.nan])), wanted=wanted)
    assert estimate(gone) == estimate(Effect("e", dict(enumerate(values)), wanted=wanted))
    few = Effect("e", dict(enumerate([*values[:5], math.nan, math.nan])), wanted="above")
    assert judge([few]).outcome == "inconclusive"
