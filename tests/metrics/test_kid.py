"""KID against its definition, torch-fidelity and its own sampling distribution."""

import math

import numpy
import pytest
import torch

from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.metrics import _cubic
from genbench.metrics.kid import kid
from genbench.points.pairwise import clouds, together
from genbench.points.vision import torchvision

RNG = Rng([0])


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def naive(real, fake):
    """The definition, by whole kernel matrices."""

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    n, m = len(real), len(fake)
    own, other = kernel(real, real), kernel(fake, fake)
    within = (own.sum() - own.trace()) / (n * (n - 1))
    within += (other.sum() - other.trace()) / (m * (m - 1))
    return (within - 2 * kernel(real, fake).mean()).item()


@pytest.mark.parametrize(
    ("n", "m", "size"), [(2, 3, 1), (500, 420, 2), (700, 700, 20), (400, 390, 300)]
)
def test_both_routes_are_the_definition(n, m, size):
    real, fake = draws(n, size), draws(m, size, seed=1) * 1.1 + 0.2
    exact = naive(real, fake)
    assert kid(real, fake, rng=RNG, subsets=0)["kid"].value == pytest.approx(exact, rel=1e-9)
    sums = _cubic.sums_by_tiles(*clouds(real, fake), _cubic.subsets_of((n, m), 3, 2, 0))
    tiles = torch.stack(together([sums])[0][0])
    assert tiles.shape == (3, 4)
    moments = _cubic.sums_by_moments(
        *([_cubic.lift(p) for p in x.split(50)] for x in (real, fake))
    )
    torch.testing.assert_close(moments, tiles[:, 0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("size", "at_once"), [(3, False), (200, True)])
def test_subsets_are_torch_fidelitys_own(size, at_once):
    real, fake = draws(600, size).relu(), draws(500, size, seed=1).relu() + 0.1
    chosen = _cubic.subsets_of((600, 500), 10, 100, 2020)
    assert _cubic.together_is_cheaper(600, 500, size, chosen) is at_once
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torchvision()
        from torch_fidelity.metric_kid import kid_features_to_metric
    options = {"kid_subsets": 10, "kid_subset_size": 100, "rng_seed": 2020, "verbose": False}
    peer = kid_features_to_metric(fake, real, **options)
    scores = kid(real, fake, rng=RNG, subsets=10, subset_size=100)
    found = scores["kid_subsets"]
    assert found.value == pytest.approx(peer["kernel_inception_distance_mean"], rel=1e-9)
    assert found.protocol == {"subset_size": 100, "subsets": 10}
    spread = peer["kernel_inception_distance_std"]
    assert scores["kid_subsets_std"].value == pytest.approx(spread, rel=1e-7)
    exact = math.hypot(spread * math.sqrt(100 / 400), spread / math.sqrt(10))
    assert found.stderr == pytest.approx(exact, rel=1e-7)


def test_subset_size_shrinks_and_says_so():
    found = kid(draws(60, 2), draws(50, 2, seed=1), rng=RNG)["kid_subsets"]
    assert found.protocol["subset_size"] == 25
    assert kid(draws(2, 2), draws(2, 2, seed=1), rng=RNG)["kid_subsets"].stderr is None


def test_sign_is_kept_and_the_mean_is_unbiased():
    found = [
        kid(draws(100, 2, seed=2 * k), draws(100, 2, seed=2 * k + 1), rng=RNG, subsets=0)["kid"]
        for k in range(200)
    ]
    values = numpy.array([score.value for score in found])
    assert (values < 0).mean() > 0.3
    assert abs(values.mean()) < 3 * values.std() / math.sqrt(len(values))


def test_standard_error_is_that_of_repeated_samples():
    found = [
        kid(draws(400, 2, seed=2 * k), draws(400, 2, seed=2 * k + 1) + 1, rng=RNG, subsets=20)[
            "kid"
        ]
        for k in range(60)
    ]
    spread = numpy.std([score.value for score in found])
    assert numpy.mean([score.stderr for score in found]) == pytest.approx(spread, rel=0.35)


def test_options_are_checked():
    with pytest.raises(SpecError, match="'subset_size' needs a whole number of 2 or more, got 1"):
        kid(draws(9, 2), draws(9, 2), rng=RNG, subsets=5, subset_size=1)
