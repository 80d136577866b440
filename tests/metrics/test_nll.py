"""Likelihood in data space, against entropies and counts that are known exactly."""

import math

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, SpecError
from genbench.core.model import ConditionalDensity, Density, Model
from genbench.core.rng import Rng
from genbench.core.streams import MixtureDataset
from genbench.core.trained import Trained
from genbench.metrics.caption_nll import caption_nll
from genbench.metrics.nll import nll

RNG = Rng([0])


class Gaussian(MixtureDataset):
    """One Gaussian of standard deviation 0.25 about 0, so that model space is four times as wide."""

    name = "gaussian"
    centres = torch.zeros(1, 2, dtype=torch.float64)
    std = 0.25
    entropy = 1 + math.log(2 * math.pi * 0.25**2)


class Closed(Model, Density):
    """A density given as a function; nothing is trained."""

    name = "closed"
    taxonomy = "reference"

    def __init__(self, dataset, log_prob, bound="exact"):
        super().__init__(dataset.spec, Rng([0]))
        self.function, self.bound, self.sizes = log_prob, bound, []

    def players(self):
        return ()

    def sample(self, n, rng):
        return rng.normal(n, *self.spec.event)

    def log_prob(self, x, rng):
        self.sizes.append(x.shape[1])
        return self.function(x)


def normal(x):
    return -0.5 * x.square().sum(-1) - math.log(2 * math.pi)


def uniform(x):
    assert ((x >= 0) & (x < 1)).all()
    return torch.zeros(x.shape[:2])


def of(dataset, function, split="test", bound="exact", **options):
    model = Closed(dataset, function, bound)
    return nll(Trained(model, dataset), dataset.points(split), rng=RNG, **options), model


def test_the_true_density_scores_the_entropy_in_data_space():
    found, _ = of(Gaussian(), normal)
    score = found["nll"]
    assert score.floor == Gaussian.entropy
    assert score.value == pytest.approx(Gaussian.entropy, abs=4 * score.stderr)
    # a chi-squared over two has variance D / 2
    assert score.stderr == pytest.approx(1 / math.sqrt(10_000), rel=0.05)
    assert found["bits_per_dim"].value is None
    assert "gaussian has no grey levels" in found["bits_per_dim"].reason


def test_the_error_of_a_shared_normaliser_adds_to_that_over_points():
    data = Gaussian()
    plain, model = of(data, normal, bound="estimate")
    model.common_error = lambda rng: torch.tensor([0.3])
    found = nll(Trained(model, data), data.points("test"), rng=RNG)
    assert found["nll"].value == plain["nll"].value
    assert found["nll"].stderr == pytest.approx(math.hypot(plain["nll"].stderr, 0.3))


def test_equals_the_mean_of_the_exact_log_densities_point_by_point():
    data = Gaussian()
    score = of(data, normal, points=777)[0]["nll"]
    exact = -data.truth.log_prob(data.points("test")[:777].double())
    assert score.value == pytest.approx(exact.mean().item(), abs=1e-6)
    assert score.stderr == pytest.approx(exact.std().item() / math.sqrt(777), rel=1e-5)


def test_a_uniform_density_on_digits_costs_log_levels_bits():
    found, model = of(DATASETS.get("digits")(), uniform)
    assert found["nll"].value == pytest.approx(64 * math.log(17), rel=1e-12)
    assert found["bits_per_dim"].value == pytest.approx(math.log2(17), rel=1e-12)
    assert found["bits_per_dim"].protocol == {"dequantisation": "uniform"}
    assert sum(model.sizes) == 500


@pytest.mark.parametrize(
    ("bound", "kind"), [("exact", "exact"), ("lower", "bound"), ("estimate", "estimate")]
)
def test_kind_is_the_models(bound, kind):
    found, _ = of(DATASETS.get("digits")(), uniform, bound=bound)
    assert {found["nll"].kind, found["bits_per_dim"].kind} == {kind}


def test_batches_are_bounded_and_points_limit_the_number():
    _, model = of(Gaussian(), normal, points=1100)
    assert max(model.sizes) <= 512
    assert sum(model.sizes) == 1100


def test_a_density_of_zero_leaves_no_number_but_a_reason():
    found, _ = of(Gaussian(), lambda x: torch.where(x[..., 0] > 2, -torch.inf, normal(x)))
    assert found["nll"].value is None
    assert "log_prob is not finite on" in found["nll"].reason


def test_bad_input_is_refused():
    data = Gaussian()
    trained = Trained(Closed(data, normal), data)
    with pytest.raises(DataError, match=r"nll needs at least 2 test points of shape \(2,\), got"):
        nll(trained, torch.zeros(5, 3), rng=RNG)
    with pytest.raises(SpecError, match="'points' needs a whole number of 2 or more, got 1"):
        nll(trained, torch.zeros(5, 2), rng=RNG, points=1)


def test_images_given_sources_are_dequantised_by_noise_not_by_the_middles_of_their_cells():
    """A density of narrow peaks in the middles had as many nats as one liked."""

    class Peaks(Closed, ConditionalDensity):
        def log_prob_given(self, x, source, rng):
            off = (x * levels).frac() - 0.5
            return torch.where(off.abs() < 0.01, math.log(50), -100.0).flatten(2).sum(-1)

    data = DATASETS.get("super_resolution")()
    levels = data.spec.levels
    score = caption_nll(Trained(Peaks(data, None), data), data.points("test"), rng=RNG, points=50)
    assert score.value > data.spec.size * 80
