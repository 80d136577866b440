"""Rare events that rows of seeds may have, through the arithmetic of effects."""

import math

import pytest

from genbench.core.effect import Noise, Scores, compare_best, difference, log_ratio, map_values
from genbench.core.rare import RareEvent, log_size, rare_of

UP = RareEvent(share=0.05, plain=10.0, log=0.5, side=1)


def row(*values, rare=(UP,), **about):
    return Scores(dict(enumerate(values)), rare=rare, independent=True, **about)


def test_a_contest_turns_them_to_where_rows_are_worse_and_takes_the_size_on_its_scale():
    lower = compare_best({"a": row(1.0, 2.0)}, {"b": row(3.0, 4.0)}, "lower", log=True)
    assert [rare_of(side[n]) for side, n in zip(lower.sides, "ab", strict=True)] == [
        (RareEvent(0.05, 0.5, 0.5, -1),)
    ] * 2
    higher = compare_best({"a": row(1.0, 2.0)}, {"b": row(3.0, 4.0)}, "higher")
    assert rare_of(higher.sides[0]["a"]) == (UP,)


def test_a_difference_has_those_of_both_rows_the_second_s_turned():
    gap = difference(row(1.0, 2.0), row(3.0, 4.0))
    assert [e.side for e in rare_of(gap)] == [1, -1]
    assert [e.side for e in rare_of(gap.sides[1])] == [1], "the row itself is as it is"
    assert {e.plain for e in rare_of(log_ratio(row(1.0, 2.0), row(3.0, 4.0)))} == {0.5}
    assert rare_of({0: 1.0}) == ()


def test_of_a_difference_whose_logarithm_is_taken_they_have_the_size_beside_its_level():
    gap = difference(row(30.0, 30.0), row(25.0, 25.0, rare=()))
    (event,) = rare_of(gap)
    assert (event.plain, event.log) == (10.0, pytest.approx(math.log(15 / 5)))
    ahead = compare_best({"a": gap}, {"b": row(1.0, 1.0)}, "lower", log=True)
    assert rare_of(ahead.sides[0]["a"])[0].plain == pytest.approx(math.log(3))


@pytest.mark.parametrize(
    ("function", "side", "plain"),
    [
        (lambda v: 2 * v, 1, 20.0),
        (lambda v: -v, -1, 10.0),
        (lambda v: min(v, 5.0), 1, 3.5),  # from 1 and 2 to 5
        (lambda v: -max(v, 5.0), -1, 6.5),  # all alike, until an event
        (lambda v: abs(v - 6.75), 0, 1.0),  # from 5.75 to 4.25, from 4.75 to 5.25
        (lambda v: 5.0, 0, 0.0),
    ],
)
def test_functions_of_values_move_as_far_as_they_move_at_those_values(function, side, plain):
    (event,) = rare_of(map_values(function, row(1.0, 2.0)))
    assert (event.side, event.plain) == (side, pytest.approx(plain))


def test_where_a_function_has_no_number_the_event_keeps_its_size():
    down = RareEvent(0.05, 10.0, 0.5, -1)
    (event,) = rare_of(map_values(math.log, row(1.0, 2.0, rare=[down])))
    assert event == down


def test_the_size_of_a_logarithm():
    assert log_size(2.0, 6.0) == pytest.approx(math.log(3))
    assert log_size(6.0, 2.0) == pytest.approx(math.log(3))
    assert log_size(2.0, -2.0) == pytest.approx(math.log(3)), "a move of twice the value"
    assert log_size(0.0, 1.0) == 0.0


def test_noise_of_a_difference_counts_in_shares_once_logarithms_are_taken():
    error, spread = (Scores(dict.fromkeys(range(4), v), Noise(0.2, 0.1)) for v in (6.0, 2.0))
    gap = compare_best({"a": difference(error, spread)}, {"b": error}, "lower", log=True)
    assert gap.sides[0]["a"].noise == pytest.approx(0.2 / 4.0)
    assert gap.sides[1]["b"].noise == 0.1
    same = compare_best({"a": difference(error, spread)}, {"b": error}, "lower")
    assert same.sides[0]["a"].noise == 0.2


@pytest.mark.parametrize(
    ("function", "plain", "log"),
    [
        (lambda v: 100 * v, 20.0, 0.1),
        (lambda v: v - 5, 0.2, 0.1 * 10 / 5),
        (lambda v: -v, 0.2, 0.1),
        (lambda v: min(v, 5.0), 0.2, 0.1),  # flat there: as it was
        (lambda v: v**2, 4.0, 0.2),
        (lambda v: math.sqrt(v - 10), math.sqrt(0.2), None),  # a number above alone
    ],
)
def test_noise_of_a_function_moves_as_that_does_at_its_values(function, plain, log):
    mapped = map_values(function, row(10.0, 10.0, noise=Noise(0.2, 0.1)))
    assert mapped.noise.plain == pytest.approx(plain, rel=0.02)
    assert log is None or mapped.noise.log == pytest.approx(log, rel=0.06)


def test_noise_that_is_a_number_on_the_scale_is_mapped_likewise():
    gap = log_ratio(row(4.0, 4.0, noise=Noise(0.2, 0.1)), row(2.0, 2.0, noise=Noise(0.2, 0.1)))
    assert gap.noise == 0.1
    assert map_values(math.exp, gap).noise == pytest.approx(2 * 0.1, rel=0.06)
    assert map_values(abs, row(1.0)).noise == 0.0


def test_numbers_out_of_the_ordinary_break_nothing():
    tiny = log_ratio({0: 5e-324, 1: 5e-324}, {0: 1.0, 1: 1.0})
    assert tiny[0] == pytest.approx(-744.4, abs=0.1)
    assert log_size(1e300, 1e-300) == log_size(1e-300, 1e300) == pytest.approx(600 * math.log(10))
    down = RareEvent(0.05, 10.0, 0.5, -1)
    for function in (lambda v: v**0.5, {1.0: 1.0, 2.0: 3.0}.__getitem__, lambda v: math.exp(-v)):
        (event,) = rare_of(map_values(function, row(1.0, 2.0, rare=[down])))
        assert math.isfinite(event.plain)


def test_a_fall_of_a_difference_is_larger_in_its_logarithm_than_a_rise():
    down = RareEvent(0.05, 4.9, 0.5, -1)
    (event,) = rare_of(difference(row(30.0, 30.0, rare=[down]), row(25.0, 25.0, rare=())))
    assert event.log == pytest.approx(math.log(5 / 0.1))
    beyond = RareEvent(0.05, 9.0, 0.5, -1)
    (event,) = rare_of(difference(row(30.0, 30.0, rare=[beyond]), row(25.0, 25.0, rare=())))
    assert event.log == pytest.approx(math.log1p(9 / 5)), "there is no logarithm there"
