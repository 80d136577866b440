import math

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.rng import Rng
from genbench.metrics.modes import modes

RNG = Rng([0])


@pytest.fixture(scope="module")
def grid():
    return DATASETS.get("grid_1200d")()


def test_noise_is_in_the_first_700_coordinates_alone(grid):
    x = grid.draw(1000, Rng([0, 1]))
    assert x.shape == (2, 1000, 1200)
    level = x[..., -1:]
    assert torch.equal(x[..., 700:], level.expand(-1, -1, 500))
    noise = x[..., :700] - level
    assert noise.mean().abs() < 5e-3
    assert noise.std() == pytest.approx(1.0, abs=2e-3)
    shares = torch.stack([(level == value).double().mean() for value in grid.truth.centres[:, 0]])
    assert (shares - 0.1).abs().max() < 0.04
    y = grid.to_model(x)
    assert y.square().mean() == pytest.approx(1.0, abs=0.05)
    torch.testing.assert_close(grid.to_data(y), x)


def test_distances_are_to_the_spaces_that_hold_the_data(grid):
    x = grid.draw(50, RNG)
    assert grid.truth.distance(x).max() == 0
    assert grid.truth.log_prob is None
    away = x.clone()
    away[..., 900] += 0.125
    torch.testing.assert_close(grid.truth.distance(away), torch.full((1, 50), 0.125))


def test_exact_samples_cover_ten_modes_at_full_quality(grid):
    actual = modes(grid.points("test"), grid.truth, rng=RNG)
    assert actual["modes"].value == actual["modes_strict"].value == 10
    assert actual["high_quality"].value == 1.0
    assert actual["high_quality"].floor == pytest.approx(1.0, abs=1e-12)
    assert abs(actual["reverse_kl_corrected"].value) < 0.005
    assert actual["modes"].protocol["within"] == f"{math.sqrt(700) + 10:.4g}"


def test_the_published_rule_would_leave_out_every_exact_sample(grid):
    x = grid.points("test")[:500].double()
    away = torch.cdist(x, grid.truth.centres).amin(1)
    assert away.min() > 20
    assert away.mean() == pytest.approx(math.sqrt(700 - 0.5), abs=0.2)


def test_noise_of_twice_the_width_is_of_low_quality(grid):
    x = grid.draw(300, RNG)[0]
    wide = x + 3**0.5 * RNG.fork("more").normal(300, 1200)[0]
    assert modes(wide, grid.truth, rng=RNG)["high_quality"].value == 0
