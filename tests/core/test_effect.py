"""The arithmetic of effects: pairs by seed, and contests."""

import math

import pytest

from genbench.core.effect import compare_best, difference, log_ratio, map_values


def test_pairs_are_of_common_seeds():
    assert difference({0: 3.0, 1: 5.0, 2: 1.0}, {1: 2.0, 2: 4.0, 3: 9.0}) == {1: 3.0, 2: -3.0}
    assert log_ratio({0: math.e, 1: 1.0}, {0: 1.0, 1: 0.0}) == {0: 1.0}
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
