"""The arithmetic of effects: pairs by seed, and contests."""

import math

import pytest

from genbench.core.effect import (
    Effect,
    Scores,
    compare_best,
    difference,
    fill_failed,
    log_ratio,
    map_values,
)
from genbench.core.errors import ContractError
from genbench.statistics.verdicts import judge


def test_pairs_are_of_common_seeds():
    assert difference({0: 3.0, 1: 5.0, 2: 1.0}, {1: 2.0, 2: 4.0, 3: 9.0}) == {1: 3.0, 2: -3.0}
    ratio = log_ratio({0: math.e, 1: 1.0}, {0: 1.0, 1: 0.0})
    assert (ratio, ratio.beyond) == ({0: 1.0, 1: 0.0}, {(1, 1)})
    assert difference({0: math.nan}, {0: 1.0}) == {}
    assert map_values(abs, {4: -2.0}) == {4: 2.0}


def test_a_contest_is_between_the_best_of_both_sides():
    ours = {"a": {0: 1.0, 1: 1.0}, "b": {0: 2.0, 1: 4.0}, "none": {}}
    theirs = {"c": {0: 8.0, 1: 8.0}, "d": {0: 4.0, 1: 8.0, 2: 0.5}}
    lower = compare_best(ours, theirs, "lower")
    assert (lower.ours, lower.theirs) == ("a", "d")
    assert lower.values == {0: 3.0, 1: 7.0}
    assert set(lower.pairs) == {(x, y) for x in "ab" for y in "cd"}
    assert lower.who == " (a against d)"
    higher = compare_best(ours, theirs, "higher", log=True)
    assert (higher.ours, higher.theirs) == ("b", "c")
    assert higher.values == pytest.approx({0: math.log(2 / 8), 1: math.log(4 / 8)})


def test_a_contest_without_values_is_open():
    nobody = compare_best({"a": {}}, {"b": {0: 1.0}}, "lower")
    assert (nobody.values, nobody.who, nobody.pairs) == ({}, "", {})


FAILED = dict.fromkeys(range(3), math.inf)


def test_a_failed_seed_has_the_worst_value_of_the_whole_comparison():
    a, b = fill_failed({"a": {0: 1.0, 1: math.inf}}, {"b": {0: 2.0, 1: 5.0}, "none": {}})
    assert (a, b) == ({"a": {0: 1.0, 1: 5.0}}, {"b": {0: 2.0, 1: 5.0}})


def test_a_row_that_failed_throughout_has_the_worst_value_in_every_seed():
    rows = {"a": FAILED, "b": {0: 2.0, 1: 4.0, 2: 3.0}}
    assert fill_failed(rows)[0]["a"] == dict.fromkeys(range(3), 4.0)
    assert fill_failed({"a": FAILED}, {"b": FAILED}) == [{}, {}]


def test_a_side_that_failed_throughout_is_named_and_loses():
    gap = compare_best({"a": FAILED}, {"b": {0: 2.0, 1: 4.0, 2: 3.0}}, "lower")
    assert (gap.ours, gap.theirs) == ("a", "b")
    assert set(gap.values) == {0, 1, 2}
    assert max(gap.values.values()) <= 0.0
    both = compare_best({"a": FAILED}, {"b": FAILED}, "lower", log=True)
    assert (both.who, both.values) == (
        " (a against b)",
        dict.fromkeys(range(3), -math.inf),
    )


def test_pairs_that_share_seeds_count_failures_as_the_worst_of_either():
    steady = {0: 5.0, 1: 6.0, 2: 7.0}
    assert difference({0: 1.0, 1: math.inf, 2: 1.0}, steady) == {0: -4.0, 1: 1.0, 2: -6.0}
    assert log_ratio(FAILED, steady)[0] == pytest.approx(math.log(7 / 5))
    assert difference(FAILED, FAILED) == FAILED
    higher = {seed: -math.inf for seed in range(3)}
    assert difference(higher, steady) == {0: 0.0, 1: -1.0, 2: -2.0}


def test_independent_rows_keep_their_failures_for_the_interval_to_fill_in():
    a, b = (Scores(row, independent=True) for row in ({0: math.inf, 1: 1.0}, {0: 2.0, 1: 2.0}))
    assert difference(a, a) == {0: math.inf, 1: 0.0}
    gap = difference(a, b)
    assert gap == {0: math.inf, 1: -1.0}
    assert gap.sides == (a, b)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"wanted": "Above"}, "wanted = 'above' or 'below', got 'Above'"),
        ({"bar": None}, "a finite bar, got None"),
        ({"bar": math.nan}, "a finite bar, got nan"),
        ({"bar": -math.inf}, "a finite bar, got -inf"),
        ({"resolution": -1.0}, "a resolution of 0 or more, got -1.0"),
        ({"jump": "1"}, "a jump of 0 or more, got '1'"),
    ],
)
def test_a_misspelt_declaration_gives_no_verdict(about, message):
    """`wanted="Above"` was taken for below, and so refuted what it should support."""
    with pytest.raises(ContractError, match=f"effect 'e' needs {message}"):
        Effect("e", {0: 1.0}, **about)


def test_a_misspelt_direction_makes_no_contest():
    with pytest.raises(ContractError, match="better = 'lower' or 'higher', got 'high'"):
        compare_best({"a": {0: 1.0}}, {"b": {0: 2.0}}, "high")


@pytest.mark.parametrize("values", [[1.0, 2.0], {0: "1"}, {0: None}, None])
def test_values_that_are_not_numbers_by_seed_are_refused(values):
    with pytest.raises(ContractError, match="effect 'e' needs values by seed"):
        Effect("e", values)


def test_two_columns_of_one_run_are_compared_seed_by_seed():
    """A yardstick that is alike in all seeds has no spread of its own, and leaves that of the other."""
    values = {s: 2.0 + s / 10 for s in range(8)}
    for origin, alone in ((("run", "one"), True), (("run", "run"), False), ((None, None), True)):
        ours, theirs = (
            Scores(row, independent=True, origin=own)
            for row, own in zip((dict.fromkeys(values, 4.0), values), origin, strict=True)
        )
        for ratio in (log_ratio(ours, theirs), log_ratio(map_values(float, ours), theirs)):
            assert (ratio.sides is not None) == alone
        assert ratio == pytest.approx({s: math.log(4 / v) for s, v in values.items()})
        outcome = judge([Effect("e", log_ratio(ours, theirs), 0.0)]).outcome
        assert outcome == ("inconclusive" if alone else "supported")
