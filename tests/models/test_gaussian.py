import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import MODELS, Batch, build
from genbench.core.rng import Rng

SPEC = DataSpec("space", (3,))
MIX = torch.tensor([[2.0, 0, 0], [1, 0.5, 0], [-1, 0.3, 0.1]], dtype=torch.float64)


@pytest.fixture
def fitted():
    rng = Rng([0, 1], dtype=torch.float64)
    x = rng.fork("data").normal(400, 3) @ MIX.T + torch.tensor([5.0, -2, 0]).double()
    model = build("gaussian", SPEC, rng)
    model.prepare(Batch(x), rng.fork("prepare"))
    return model, x, rng


def test_density_is_scipys_for_numpys_covariance(fitted):
    model, x, rng = fitted
    log_p = model.log_prob(x, rng)
    for k in range(2):
        points = x[k].numpy()
        covariance = np.cov(points.T, bias=True)
        covariance += 1e-6 * np.trace(covariance) / 3 * np.eye(3)
        distribution = multivariate_normal(points.mean(0), covariance)
        assert np.allclose(log_p[k].numpy(), distribution.logpdf(points), atol=1e-8)


def test_samples_have_the_fitted_moments(fitted):
    model, x, rng = fitted
    fake = model.sample(100_000, rng.fork("sample"))
    for k in range(2):
        real = np.cov(x[k].numpy().T)
        assert np.abs(np.cov(fake[k].numpy().T) - real).max() < 0.02 * np.trace(real)
        error = fake[k].mean(0) - x[k].mean(0)
        assert (error.abs() < 5 * x[k].std(0) / 100_000**0.5).all()


def test_a_shared_training_set_is_fitted_once():
    rng = Rng([0, 1, 2])
    x = rng.only(0).normal(50, 3).expand(3, -1, -1)
    model = build("gaussian", SPEC, rng)
    model.prepare(Batch(x), rng)
    assert model.factor.stride(0) == 0
    assert model.sample(4, rng.fork("sample")).shape == (3, 4, 3)


def test_constant_coordinates_and_bounded_data():
    spec = DataSpec("image", (1, 2, 2), range=(0.0, 1.0))
    rng = Rng([0])
    x = rng.fork("data").uniform(300, 1, 2, 2)
    x[..., 0, 0] = 0.0
    model = build("gaussian", spec, rng)
    model.prepare(Batch(x), rng)
    fake = model.sample(1000, rng)
    assert fake.min() >= 0
    assert fake.max() <= 1
    assert fake[..., 0, 0].max() < 0.01
    assert model.log_prob(x, rng).isfinite().all()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gaussian", {}),
        ("gaussian_mixture", {"covariance": "full"}),
        ("gaussian_mixture", {"covariance": "diag"}),
    ],
)
def test_a_ridge_that_rounding_swallows_is_refused_in_one_sentence(name, options):
    """It ended in an error of torch's or scikit-learn's."""
    rng = Rng([0, 1])
    x = rng.normal(200, 3)
    x[..., 0], x[..., 2] = 0.7, x[..., 1]
    model = build(name, SPEC, rng, {"ridge": 1e-300, **options})
    with pytest.raises(SpecError, match=f"{name} needs a ridge .*, got ridge=1e-300 on points"):
        model.prepare(Batch(x), rng.fork("prepare"))


def test_bits_are_refused():
    cls = MODELS.get("gaussian")
    assert "continuous" in cls.refuses(DataSpec("bits", (3,), kind="binary"))
    assert cls.refuses(SPEC) is None
