import math

import pytest
import torch
from scipy.stats import kstest
from sklearn.datasets import make_moons

from genbench.core.dataset import DATASETS
from genbench.core.rng import Rng

CURVES = ("circle", "spiral", "swiss_roll")
PLANES = (*CURVES, "moons", "checkerboard")
F64 = {"dtype": torch.float64}


def draws(name, n=100_000, seed=3):
    return DATASETS.get(name)().draw(n, Rng([seed], **F64))[0]


def arms(name, n=200_001):
    """The curve as a fine polyline, written down again from its published formula."""
    if name == "circle":
        t = torch.linspace(0, 2 * math.pi, n, dtype=torch.float64)
        return torch.stack([t.cos(), t.sin()], -1)
    low, high, unit = (0, 3 * math.pi, 3) if name == "spiral" else (4.712388980, 14.13716694, 7.5)
    t = torch.linspace(low, high, n, dtype=torch.float64)
    if name == "spiral":
        arm = torch.stack([-t * t.cos(), t * t.sin()], -1) / unit
        return torch.cat([arm, -arm])
    return torch.stack([t * t.cos(), t * t.sin()], -1) / unit


@pytest.mark.parametrize("name", PLANES)
def test_model_space_has_exactly_unit_scale_and_can_be_undone(name):
    data, x = DATASETS.get(name)(), draws(name)
    y = data.to_model(x)
    squares = y.square().mean(-1)
    error = 4 * squares.std().item() / len(x) ** 0.5
    assert squares.mean().item() == pytest.approx(1.0, abs=error + 1e-12)
    assert torch.allclose(data.to_data(y), x, atol=1e-12)
    assert data.log_volume == pytest.approx(-2 * math.log(data.scale))
    low, high = data.truth.box
    assert low <= x.min()
    assert x.max() <= high


@pytest.mark.parametrize("name", PLANES)
def test_splits_are_fixed_and_differ(name):
    data = DATASETS.get(name)()
    assert data.hashes == DATASETS.get(name)().hashes
    assert len(set(data.hashes.values())) == 3
    assert data.points("test").shape == (20_000, 2)


@pytest.mark.parametrize("name", PLANES)
def test_seeds_draw_apart_and_alone(name):
    data = DATASETS.get(name)()
    both = data.draw(50, Rng([4, 7]))
    assert not torch.equal(both[0], both[1])
    assert torch.equal(both[1:], data.draw(50, Rng([7])))
    assert both.dtype == torch.float32


@pytest.mark.parametrize("name", CURVES)
def test_distance_is_zero_on_the_curve_and_agrees_with_a_fine_polyline_off_it(name):
    truth = DATASETS.get(name)().truth
    assert truth.distance(draws(name, 5000)).max() < 1e-9
    x = 2.2 * Rng([1], **F64).normal(300, 2)[0]
    x = torch.cat([x, torch.tensor([[0.0, 0.0], [0.01, -0.02]], dtype=torch.float64)])
    nearest = torch.cdist(x, arms(name)).amin(-1)
    torch.testing.assert_close(truth.distance(x), nearest, rtol=0, atol=1e-5)
    assert truth.distance(x.view(2, -1, 2)).shape == (2, 151)
    assert truth.log_prob is None
    assert truth.entropy is None


def test_the_circle_is_uniform_in_its_angle():
    x = draws("circle", 20_000)
    angle = torch.atan2(x[:, 1], x[:, 0]) / (2 * math.pi) + 0.5
    assert kstest(angle.numpy(), "uniform").pvalue > 1e-3


def test_the_rolls_parameter_is_uniform_and_the_spirals_is_a_root():
    roll = (draws("swiss_roll", 20_000).norm(dim=-1) * 7.5 / math.pi - 1.5) / 3
    assert kstest(roll.numpy(), "uniform").pvalue > 1e-3
    x = draws("spiral", 20_000)
    assert kstest(((x.norm(dim=-1) / math.pi) ** 2).numpy(), "uniform").pvalue > 1e-3
    assert x.mean(0).abs().max() < 4 * math.pi / 2 / 20_000**0.5


def test_moons_are_scikit_learns():
    x = draws("moons", 4000).numpy()
    real, _ = make_moons(4000, noise=0.1, random_state=0)
    for way in ((1, 0), (0, 1), (0.6, 0.8), (-0.8, 0.6)):
        assert kstest(x @ way, real @ way).pvalue > 1e-3


def test_the_moons_density_integrates_to_one_and_to_its_entropy():
    truth = DATASETS.get("moons")().truth
    axis = torch.arange(-1.9, 2.9, 0.02, dtype=torch.float64)
    log_prob = truth.log_prob(torch.cartesian_prod(axis, axis))
    p = log_prob.exp() * 0.02**2
    assert p.sum().item() == pytest.approx(1.0, abs=1e-9)
    assert -(p * log_prob).sum().item() == pytest.approx(truth.entropy, abs=1e-9)
    nats = -truth.log_prob(draws("moons", 50_000))
    assert abs(nats.mean().item() - truth.entropy) < 4 * nats.std().item() / 50_000**0.5


def test_the_checkerboard_fills_eight_squares_alike():
    data, x = DATASETS.get("checkerboard")(), draws("checkerboard")
    log_prob = data.truth.log_prob(x)
    assert torch.equal(log_prob, torch.full_like(log_prob, -math.log(32)))
    assert data.truth.entropy == pytest.approx(math.log(32))
    cell = torch.floor((x + 4) / 2).long()
    counts = (4 * cell[:, 0] + cell[:, 1]).bincount(minlength=16).view(4, 4) / len(x)
    held = (torch.arange(4).unsqueeze(1) + torch.arange(4)) % 2 == 0
    assert (counts[~held] == 0).all()
    assert (counts[held] - 1 / 8).abs().max() < 4 * (1 / 8 / len(x)) ** 0.5
    inside = ((x + 4) % 2 / 2).numpy()
    assert kstest(inside[:, 0], "uniform").pvalue > 1e-3
    assert kstest(inside[:, 1], "uniform").pvalue > 1e-3


def test_the_checkerboards_density_integrates_to_one():
    truth = DATASETS.get("checkerboard")().truth
    axis = (torch.arange(100, dtype=torch.float64) + 0.5) / 10 - 5
    p = truth.log_prob(torch.cartesian_prod(axis, axis)).exp()
    assert p.sum().item() * 0.01 == pytest.approx(1.0)
