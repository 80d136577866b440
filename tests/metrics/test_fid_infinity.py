"""The extrapolated Frechet distance: nearer to the law's own than the plain one, and unbiased."""

import numpy
import pytest
import torch

from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.metrics.fid import fid
from genbench.metrics.fid_infinity import fid_infinity


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_it_is_nearer_to_the_closed_form_of_two_gaussians_than_the_plain_distance():
    shift, spread = 0.05, 1.1
    exact = 16 * (shift**2 + (spread - 1) ** 2)
    plain, better = [], []
    for k in range(20):
        real, fake = draws(600, 16, seed=2 * k), draws(600, 16, seed=2 * k + 1) * spread + shift
        plain.append(fid(real, fake, rng=Rng([k])))
        better.append(fid_infinity(real, fake, rng=Rng([k])).value)
    assert numpy.mean(plain) - exact > 0.1
    assert abs(numpy.mean(better) - exact) < 0.15 * (numpy.mean(plain) - exact)


def test_equal_laws_are_at_zero_on_average_and_equal_sets_below():
    values = [
        fid_infinity(draws(400, 8, seed=2 * k), draws(400, 8, seed=2 * k + 1), rng=Rng([k])).value
        for k in range(20)
    ]
    assert abs(numpy.mean(values)) < 4 * numpy.std(values) / 20**0.5
    assert min(values) < 0 < max(values)


def test_fewer_points_than_a_line_needs_give_a_reason():
    score = fid_infinity(draws(60, 16), draws(500, 16), rng=Rng([0]))
    assert score.value is None
    assert "96 points of each kind would do, 60 are too few" in score.reason
    assert fid_infinity(draws(96, 16), draws(96, 16), rng=Rng([0])).protocol == {"pieces": 3}


def test_collapse_and_options():
    point = torch.zeros(300, 4)
    value = fid_infinity(draws(300, 4), point, rng=Rng([0])).value
    assert value == pytest.approx(fid(draws(300, 4), point, rng=Rng([0])), rel=0.05)
    with pytest.raises(SpecError, match="'pieces' needs a whole number of 3 or more, got 2"):
        fid_infinity(point, point, rng=Rng([0]), pieces=2)
