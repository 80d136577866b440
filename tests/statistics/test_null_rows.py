"""Bars that count as good, and gates that close where a row that has learned nothing reaches them."""

import pytest

from genbench.statistics.null_rows import Bar, Gate, check_nulls, make_bar


@pytest.mark.parametrize(
    ("better", "ideal", "floor", "bar"),
    [
        ("higher", 1.0, 0.936, ">= 0.842"),  # nine tenths of what real points score
        ("higher", 1.0, None, ">= 0.9"),  # of the ideal, where they were not measured
        ("higher", None, 25.0, ">= 22.5"),
        ("lower", 0.0, 0.5, "<= 1"),  # twice their distance
        ("none", 1.0, 1.01, "0.9 to 1.11"),
    ],
)
def test_what_counts_as_good(better, ideal, floor, bar):
    assert str(make_bar(better, ideal, floor)) == bar


@pytest.mark.parametrize(
    ("better", "ideal", "floor"),
    [
        ("lower", None, 20.6),
        ("lower", 0.0, None),
        ("lower", 0.0, -0.001),
        ("lower", 0.0, 0.0),
        ("higher", None, None),
        ("none", None, 2.0),
    ],
    ids=["nats", "unmeasured", "unbiased", "zero", "unknown", "spread"],
)
def test_numbers_without_a_true_zero_or_real_points_have_no_bar(better, ideal, floor):
    bar = make_bar(better, ideal, floor)
    assert bar is None
    gate = check_nulls({"uniform": [0.0, 0.0]}, bar)
    assert not gate.closed
    assert not gate.checked
    assert "no score of real points" in gate.reason
    assert Gate({}, 2, None, why="because").reason == "because"


@pytest.mark.parametrize(
    ("floor", "error", "bar"),
    [
        (-0.001, 0.0005, "<= 0.001"),  # an unbiased distance may be below 0: two errors beyond it
        (0.0, 0.02, "<= 0.04"),
        (0.01, 0.02, "<= 0.05"),
        (0.5, 0.02, "<= 1"),  # twice their distance, where that is farther
    ],
)
def test_a_floor_near_zero_has_a_bar_by_its_error(floor, error, bar):
    assert str(make_bar("lower", 0.0, floor, error=error)) == bar


def test_a_share_without_a_failure_is_known_as_far_as_points_were_counted():
    bar = make_bar("lower", 0.0, 0.0, "share", points=10_000)
    assert str(bar) == "<= 0.0002"
    assert make_bar("lower", 0.0, 0.0, "distance", points=10_000) is None
    assert check_nulls({"uniform": [0.0, 0.0001, 0.0002]}, bar).closed, "noise is as near as data"
    far = check_nulls({"uniform": [0.3, 0.31, 0.29]}, bar)
    assert far.checked
    assert not far.closed
    few = make_bar("lower", 0.0, 0.0, "share", points=10)
    assert few is not None
    assert few.high == pytest.approx(2 * (11 / 12 * 1 / 12 / 10) ** 0.5)


def test_shares_of_logarithms_mean_nothing_but_a_divergence_has_a_zero():
    assert make_bar("higher", None, 21.4, "nats") is None
    assert str(make_bar("lower", 0.0, 0.001, "nats")) == "<= 0.002"


def test_a_null_row_that_passes_closes_the_gate_and_others_do_not():
    """Fashion-MNIST: precision of uniform noise is .875 where real clothes have .936."""
    bar = make_bar("higher", 1.0, 0.936)
    gate = check_nulls({"uniform": [0.874, 0.876, 0.875], "gaussian": [0.5, 0.51, 0.49]}, bar)
    assert gate.closed
    assert set(gate.passed) == {"uniform"}
    assert gate.reason == "a null row passes as good (>= 0.842): uniform with 0.875"
    digits = check_nulls({"uniform": [0.2, 0.21, 0.19], "gaussian": [0.69, 0.7, 0.71]}, bar)
    assert digits.checked
    assert not digits.closed
    assert digits.reason == ""


def test_a_row_must_be_clearly_worse_than_the_bar():
    bar = make_bar("lower", 0.0, 0.01)
    clear, blurred = [0.05, 0.051, 0.049, 0.05], [0.05, -0.09, 0.12, 0.02]
    assert not check_nulls({"uniform": clear}, bar).closed
    assert check_nulls({"uniform": blurred}, bar).closed
    modes = check_nulls(
        {"uniform": [17, 21, 22, 20, 21, 24, 23, 17]}, make_bar("higher", None, 25.0)
    )
    assert (
        modes.reason
        == "a null row may, given the seeds, pass as good (>= 22.5): uniform with 20.6"
    )
    assert check_nulls({"uniform": [0.015]}, bar).closed  # one seed: its value
    assert not check_nulls({"uniform": [0.05]}, bar).closed


def test_ratios_are_good_around_their_ideal():
    bar = make_bar("none", 1.0, None)
    assert check_nulls({"gaussian": [1.05, 1.04, 1.06]}, bar).closed
    for far in ([5.1, 5.2, 5.15], [0.75, 0.76, 0.74]):
        assert not check_nulls({"uniform": far}, bar).closed


def test_without_null_rows_nothing_is_checked():
    gate = check_nulls({"uniform": []}, make_bar("higher", 1.0, 0.9))
    assert (gate.closed, gate.checked, gate.rows) == (False, False, 0)
    assert gate.reason == "no null row has it"


def test_large_numbers_are_written_out():
    assert str(Bar(900.0, None)) == ">= 900"
    assert str(Bar(None, 12345.6)) == "<= 12,300"
    assert str(Bar(1234.0, 5678.0)) == "1,230 to 5,680"
    gate = check_nulls({"gaussian": [999.7, 999.8, 999.9]}, Bar(900.0, None))
    assert gate.reason == "a null row passes as good (>= 900): gaussian with 1,000"
