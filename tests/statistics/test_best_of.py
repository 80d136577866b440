"""The expected best of k draws, against closed forms."""

from __future__ import annotations

import itertools
import math
import random
from statistics import fmean

import pytest

from genbench.statistics.best_of import expected_best, expected_best_curve, weights


@pytest.mark.parametrize("n", [1, 5, 21])
def test_one_draw_is_the_mean_and_all_draws_the_least(n):
    values = [float(v * v % 17) for v in range(n)]
    assert expected_best(values, 1) == pytest.approx(fmean(values))
    assert expected_best(values, n) == pytest.approx(min(values))


def test_it_is_the_mean_over_all_subsets():
    values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6]
    for k in range(1, 7):
        subsets = [min(some) for some in itertools.combinations(values, k)]
        assert expected_best(values, k) == pytest.approx(fmean(subsets))


def test_with_replacement_it_is_the_mean_over_all_tuples():
    values = [3.0, 1.0, 4.0, 1.5]
    for k in (1, 2, 3):
        tuples = [min(some) for some in itertools.product(values, repeat=k)]
        assert expected_best(values, k, replacement=True) == pytest.approx(fmean(tuples))


def test_of_the_numbers_1_to_n_it_is_n_plus_1_over_k_plus_1():
    for n, k in ((10, 3), (20, 7)):
        assert expected_best(range(1, n + 1), k) == pytest.approx((n + 1) / (k + 1))


def test_weights_sum_to_one():
    for replacement in (False, True):
        assert math.fsum(weights(9, 4, replacement=replacement)) == pytest.approx(1.0)


def test_it_does_not_err_on_uniform_draws_but_dodges_does():
    rng = random.Random(0)
    samples = [[rng.random() for _ in range(6)] for _ in range(4000)]
    true = 1 / (4 + 1)  # of the least of 4 uniform draws
    assert fmean(expected_best(s, 4) for s in samples) == pytest.approx(true, abs=0.008)
    assert fmean(expected_best(s, 4, replacement=True) for s in samples) > true + 0.02


def test_the_curve_falls_and_its_interval_holds_the_truth_as_often_as_it_says():
    rng = random.Random(1)
    hits = 0
    for _ in range(60):
        values = [rng.random() for _ in range(20)]
        curve = expected_best_curve(values, [1, 2, 4])
        assert [one.value for one in curve] == sorted((one.value for one in curve), reverse=True)
        hits += curve[1].low <= 1 / 3 <= curve[1].high
    assert hits >= 51  # 95 % of 60 is 57; below 51 happens once in 500


def test_more_draws_than_values_are_refused_or_left_out():
    with pytest.raises(ValueError, match="1 … 3"):
        expected_best([1.0, 2.0, 3.0], 4)
    assert [one.k for one in expected_best_curve([1.0, 2.0, 3.0], [1, 2, 4])] == [1, 2]


def test_the_curve_is_the_same_whatever_the_order_of_trials():
    draw = random.Random(4)
    values = [draw.expovariate(1.0) for _ in range(21)]
    curves = [expected_best_curve(row, [1, 5, 21]) for row in (values, values[::-1])]
    assert curves[0] == curves[1]
