"""Intervals on the logarithmic and the logit scale: within what is possible, and covering as they say."""

import numpy as np
import pytest

from genbench.core.metric import Column
from genbench.statistics.intervals import mean_interval, widen

OUTLIER = [20.0, 22.0, 18.0, 25.0, 21.0, 19.0, 23.0, 1080.0]


def test_a_positive_quantity_has_a_positive_interval():
    wild = mean_interval(OUTLIER)
    own = mean_interval(OUTLIER, scale="log")
    assert wild.low < 0 < own.low < own.mean < own.high
    assert own.mean == wild.mean
    assert own.high < 30 * own.mean
    assert own.lopsided
    assert not wild.lopsided


def test_a_share_stays_one():
    e = mean_interval([0.0, 0.0, 0.9, 0.0, 0.01, 0.0], scale="logit")
    assert 0 < e.low < e.mean < e.high < 1


def test_well_behaved_values_have_about_the_same_interval_on_every_scale():
    values = [0.50, 0.51, 0.49, 0.505, 0.495, 0.50, 0.51, 0.49]
    linear = mean_interval(values)
    for scale in ("log", "logit"):
        e = mean_interval(values, scale=scale)
        assert (e.low, e.high) == pytest.approx((linear.low, linear.high), rel=0.01)
        assert not e.lopsided


@pytest.mark.parametrize(
    ("values", "scale"),
    [([-1.0, 2.0, 3.0], "log"), ([0.2, 1.3, 0.4], "logit"), ([0.0, 0.0, 0.0], "log")],
)
def test_values_outside_a_scale_are_on_the_linear_one(values, scale):
    assert mean_interval(values, scale=scale) == mean_interval(values)


def test_an_error_that_more_seeds_do_not_reduce_widens_on_the_same_scale():
    e = mean_interval(OUTLIER[:7], scale="log")
    wider = widen(e, 30.0)
    assert 0 < wider.low < e.low < e.high < wider.high


def test_an_error_that_reaches_the_end_of_a_share_does_not_reach_the_other():
    """A recall of .003 whose test set leaves .034 open had an interval up to 1, and passed any bar."""
    few = [0.0, 0.0052, 0.0068, 0.0008, 0.002, 0.0052, 0.0012, 0.0012]
    wider = widen(mean_interval(few, scale="logit"), 0.034)
    assert 0 < wider.low < 0.001
    assert wider.high == pytest.approx(0.0028 + 1.96 * 0.034, rel=0.01)
    most = widen(mean_interval([1 - v for v in few], scale="logit"), 0.034)
    assert (1 - most.high, 1 - most.low) == pytest.approx((wider.low, wider.high), abs=1e-6)
    usual = widen(mean_interval([0.4, 0.5, 0.6, 0.45, 0.55], scale="logit"), 0.034)
    assert (usual.low, usual.high) == pytest.approx((0.38, 0.62), abs=0.03)


@pytest.mark.parametrize(
    ("draw", "mean", "scale"),
    [
        (lambda rng: rng.lognormal(0, 0.5, 8), np.exp(0.125), "log"),
        (lambda rng: rng.exponential(1.0, 8), 1.0, "log"),
        (lambda rng: rng.beta(9, 1, 8), 0.9, "logit"),
        (lambda rng: rng.beta(2, 2, 8), 0.5, "logit"),
    ],
)
def test_they_cover_about_as_they_say(draw, mean, scale):
    rng = np.random.default_rng(0)
    ends = [mean_interval(list(draw(rng)), scale=scale) for _ in range(400)]
    assert np.mean([e.low <= mean <= e.high for e in ends]) > 0.9


@pytest.mark.parametrize(
    ("column", "scale"),
    [
        (Column("lower", "squared feature distance", 0.0), "log"),
        (Column("higher", "share", 1.0), "logit"),
        (Column("lower", "share", 0.5), "logit"),
        (Column("lower", "ms"), "log"),
        (Column("lower", "nats"), "linear"),
        (Column("higher", "share", 1.0, scale="linear"), "linear"),
    ],
)
def test_a_column_says_its_scale(column, scale):
    assert column.interval_scale == scale
