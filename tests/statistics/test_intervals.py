import itertools
import math
import warnings

import numpy as np
import pytest
from paired import paired_difference
from scipy import stats

from genbench.statistics.intervals import RESAMPLES, _list_resamples, holm, mean_interval

RNG = np.random.default_rng(3)


def by_seed(values):
    return dict(enumerate(values))


@pytest.mark.parametrize("n", [5, 8, 20])
def test_interval_is_the_studentized_bootstraps(n):
    values = np.random.default_rng(n).gamma(4.0, size=n)
    found = mean_interval(values)
    assert found.method == "bootstrap-t"
    assert found.mean == pytest.approx(values.mean())
    again = np.random.default_rng(5).choice(values, (20_000, n))
    with np.errstate(divide="ignore"):
        ratios = (again.mean(1) - values.mean()) / stats.sem(again, axis=1)
    arm = stats.t.ppf(0.975, n - 1)
    below, above = np.abs(np.quantile(ratios, [0.025, 0.975])).clip(0.9 * arm, 4 * arm)
    lower, upper = (
        values.mean() - above * stats.sem(values),
        values.mean() + below * stats.sem(values),
    )
    # two bootstraps with other draws agree to some percent of the width
    assert found.low == pytest.approx(lower, abs=0.1 * (upper - lower))
    assert found.high == pytest.approx(upper, abs=0.1 * (upper - lower))


@pytest.mark.parametrize("n", [5, 8, 9, 12])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_interval_is_the_same_whatever_the_order_and_mirrored_by_the_sign(n, scale):
    values = np.random.default_rng(n).gamma(2.0, size=n)
    found = mean_interval(values, scale=scale)
    for k in range(5):
        assert mean_interval(np.random.default_rng(k).permutation(values), scale=scale) == found
    if n <= 9 and scale == "linear":
        mirrored = mean_interval(-values)
        assert (-mirrored.high, -mirrored.low) == pytest.approx((found.low, found.high))


def test_of_few_values_every_resample_counts():
    values = np.array([0.3, 1.0, 1.1, 4.0, 7.0])
    found = mean_interval(values, level=0.8)
    again = values[np.array(list(itertools.product(range(5), repeat=5)))]
    spread = again.std(axis=1, ddof=1)
    with np.errstate(divide="ignore"):
        ratios = np.sort((again.mean(axis=1) - values.mean()) / spread * math.sqrt(5))
    tail = math.ceil(0.1 * len(ratios)) - 1
    arm = stats.t.ppf(0.9, 4)
    below, above = np.clip([-ratios[tail], ratios[-1 - tail]], 0.9 * arm, 4 * arm)
    low, high = (values.mean() + way * stats.sem(values) for way in (-above, below))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_of_many_values_the_drawn_resamples_are_shares():
    shares, chances = _list_resamples(40)
    rows = np.random.default_rng(0).integers(0, 40, (RESAMPLES, 40))
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert shares[:50, 7] == pytest.approx((rows[:50] == 7).mean(axis=1))
    assert chances.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("values", [[1.0, 2.0], [8.0] * 7 + [7.0], [1.0, 2.0, 4.0]])
def test_values_too_few_or_too_alike_get_students_interval(values):
    found = mean_interval(values)
    theirs = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    assert found.method == "t"
    assert (found.low, found.high) == pytest.approx(theirs)


@pytest.mark.parametrize("n", [5, 8, 16])
def test_interval_covers_the_true_mean_as_often_as_it_says(n):
    draws = RNG.normal(3.0, 2.0, size=(600, n))
    covered = [(e := mean_interval(row)).low <= 3.0 <= e.high for row in draws]
    assert 0.92 < np.mean(covered) < 0.98


def test_interval_is_the_same_at_every_call():
    assert mean_interval([1.0, 2.0, 4.0]) == mean_interval((1.0, 2.0, 4.0))


def test_degenerate_values_are_told_honestly():
    assert mean_interval([]).mean is None
    one = mean_interval([2.0])
    assert (one.mean, one.low, one.method) == (2.0, None, "none")
    same = mean_interval([8.0] * 6)
    assert (same.low, same.high, same.half, same.method) == (8.0, 8.0, 0.0, "constant")
    assert mean_interval([1.0, math.nan, math.inf, 3.0]).n == 2


def test_huge_values_of_diverging_models_do_not_overflow():
    found = mean_interval([1e308, 1.5e308, 1.2e308])
    assert found.mean == pytest.approx(1.2333e308, rel=1e-4)
    assert found.low < found.mean < found.high
    assert math.isfinite(found.mean)
    assert (
        paired_difference(by_seed([1e300 * k for k in range(1, 7)]), by_seed([0.0] * 6)).p < 0.05
    )


@pytest.mark.parametrize("scale", ["linear", "log", "logit"])
def test_tiny_values_such_as_a_p_do_not_vanish(scale):
    """Whose squares have no number; of some beside large ones no more than their smallness is told."""
    row = [3e-223, 1e-274, 2e-240, 5e-230, 1e-223, 4e-260, 2e-223, 1e-223]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = mean_interval(row, scale=scale)
        near = mean_interval([v * 1e220 for v in row])
        mixed = mean_interval([1e-200, 1e-220, 1e-250, 1e-190, 1e-240, 0.3, 0.2, 0.1], scale=scale)
    assert found.mean == pytest.approx(near.mean * 1e-220)
    assert found.low <= found.mean <= found.high < 1e-221
    own = near if scale == "linear" else mean_interval([v * 1e220 for v in row], scale="log")
    assert found.high == pytest.approx(own.high * 1e-220)
    assert mixed.mean == pytest.approx(0.075)
    assert mixed.low <= mixed.mean <= mixed.high


def test_fewer_than_five_seeds_are_too_few():
    assert mean_interval([1.0, 2.0, 3.0, 4.0]).too_few
    assert not mean_interval([1.0, 2.0, 3.0, 4.0, 5.0]).too_few


def test_paired_difference_uses_common_seeds_and_the_paired_t_test():
    a, noise = RNG.normal(size=9), RNG.normal(size=9)
    b = a + 0.5 + 0.1 * noise
    found = paired_difference({**by_seed(a), 100: 50.0}, {**by_seed(b), 200: -50.0})
    assert found.estimate.n == 9
    assert found.estimate.mean == pytest.approx((a - b).mean())
    assert found.estimate.low < -0.5 + 0.1 * -noise.mean() < found.estimate.high
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue)


def test_paired_difference_of_too_few_or_equal_values():
    assert paired_difference(by_seed([1.0, 2.0]), by_seed([0.0, 0.0])).p is None
    assert paired_difference(by_seed([8.0] * 6), by_seed([8.0] * 6)).p == 1.0
    assert paired_difference(by_seed([8.0] * 6), by_seed([5.0] * 6)).p == 1.0


def test_holm_agrees_with_a_worked_example():
    # R: p.adjust(c(0.03, 0.01, 0.04, 0.005), "holm")
    assert holm([0.03, 0.01, 0.04, 0.005]) == pytest.approx([0.06, 0.03, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
