import math

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.rng import Rng

MIXTURES = {"ring": (8, 0.01), "grid": (25, 0.05)}


@pytest.fixture(params=MIXTURES, scope="module")
def mixture(request):
    return DATASETS.get(request.param)()


def test_centres_are_unique_and_as_published(mixture):
    modes, std = MIXTURES[mixture.name]
    centres = mixture.truth.centres
    assert centres.shape == (modes, 2)
    gaps = torch.cdist(centres, centres) + 10 * torch.eye(modes)
    spacing = 2 * math.sin(math.pi / 8) if mixture.name == "ring" else 2.0
    assert gaps.min().item() == pytest.approx(spacing, rel=1e-12)
    assert mixture.truth.std == std


def test_std_is_a_standard_deviation_and_modes_are_equally_likely(mixture):
    modes, std = MIXTURES[mixture.name]
    x = mixture.draw(100_000, Rng([3], dtype=torch.float64))[0]
    distance, nearest = torch.cdist(x, mixture.truth.centres).min(-1)
    measured = (distance.square().mean() / 2).sqrt().item()
    assert measured == pytest.approx(std, rel=4 / math.sqrt(4e5))
    counts = nearest.bincount(minlength=modes) / len(x)
    assert (counts - 1 / modes).abs().max() < 4 * math.sqrt(1 / modes / len(x))


def test_entropy_agrees_with_draws(mixture):
    x = mixture.draw(200_000, Rng([1], dtype=torch.float64))[0]
    nats = -mixture.truth.log_prob(x)
    assert abs(nats.mean().item() - mixture.truth.entropy) < 4 * nats.std().item() / len(x) ** 0.5


def test_density_integrates_to_one(mixture):
    low, high = mixture.truth.box
    step = mixture.truth.std / 3
    axis = torch.arange(low, high + step, step, dtype=torch.float64)
    mass = 0.0
    for rows in axis.split(256):
        mass += (
            mixture.truth.log_prob(torch.cartesian_prod(rows, axis)).exp().sum().item() * step**2
        )
    assert mass == pytest.approx(1.0, abs=1e-6)


def test_model_space_has_unit_scale_and_its_volume_is_the_jacobian(mixture):
    x = mixture.draw(50_000, Rng([0], dtype=torch.float64))
    y = mixture.to_model(x)
    assert y.square().mean().item() == pytest.approx(1.0, abs=0.01)
    assert torch.allclose(mixture.to_data(y), x, atol=1e-12)
    assert mixture.log_volume == pytest.approx(-2 * math.log(mixture.scale))


def test_splits_are_fixed_and_differ(mixture):
    again = DATASETS.get(mixture.name)()
    assert again.hashes == mixture.hashes
    assert len(set(mixture.hashes.values())) == 3
