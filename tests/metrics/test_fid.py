"""The Frechet distance against closed forms, peers and sick inputs."""

import sys

import numpy
import pytest
import torch

from genbench.core.rng import Rng
from genbench.metrics._moments import LARGE, add_outer, mirror, trace_norm
from genbench.metrics.fid import fid, frechet, statistics
from genbench.points.vision import torchvision

RNG = Rng([0])


def of(real, fake):
    return fid(real, fake, rng=RNG)


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariance(size, seed):
    root = draws(size, 2 * size, seed=seed)
    return root @ root.T / size


def test_frechet_of_diagonal_gaussians_has_a_closed_form():
    mean = [torch.tensor([0.0, 1.0, -2.0]).double(), torch.tensor([0.5, 0.0, 1.0]).double()]
    std = [torch.tensor([1.0, 2.0, 0.3]).double(), torch.tensor([0.7, 1.5, 3.0]).double()]
    exact = (mean[0] - mean[1]).square().sum() + (std[0] - std[1]).square().sum()
    found = frechet(mean[0], std[0].square().diag(), mean[1], std[1].square().diag())
    assert found == pytest.approx(exact.item(), rel=1e-12)


def test_frechet_of_rotated_gaussians_equals_that_of_commuting_ones():
    turn = torch.linalg.qr(draws(6, 6)).Q
    a, b = draws(6, seed=1).square() + 0.1, draws(6, seed=2).square() + 0.1
    exact = (a.sqrt() - b.sqrt()).square().sum().item()
    zero = torch.zeros(6).double()
    found = frechet(zero, turn @ a.diag() @ turn.T, zero, turn @ b.diag() @ turn.T)
    assert found == pytest.approx(exact, rel=1e-10)


def test_translation_adds_its_squared_length():
    x = draws(300, 8)
    step = draws(8, seed=5)
    assert of(x, x + step) == pytest.approx(step.square().sum().item(), rel=1e-10)
    assert of(x[:6], x[:6] + step) == pytest.approx(step.square().sum().item(), rel=1e-10)


def test_statistics_are_numpys():
    x = draws(5000, 4).float() + 100
    mean, cov = statistics(x)
    numpy.testing.assert_allclose(mean, x.double().numpy().mean(0), rtol=1e-12)
    numpy.testing.assert_allclose(cov, numpy.cov(x.double().numpy(), rowvar=False), rtol=1e-9)


@pytest.fixture(scope="module")
def peer():
    """Torch-fidelity's own formula, from its own statistics."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torchvision()
        from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    assert "torch_fidelity" in sys.modules

    def value(real, fake):
        stats = [fid_features_to_statistics(x.double()) for x in (real, fake)]
        return fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]

    return value


def ten_points(seed):
    return draws(10, 48, seed=seed).repeat(40, 1)


SICK = {
    "healthy": (draws(600, 48), 1.2 * draws(500, 48, seed=1) + 0.1),
    "correlated": (draws(900, 48) @ draws(48, 48, seed=3), draws(900, 48, seed=4)),
    "fewer points than dimensions": (draws(30, 48), draws(40, 48, seed=1) * 2),
    "few fakes": (draws(600, 48), draws(20, 48, seed=1)),
    "one point": (draws(600, 48), torch.ones(300, 48)),
    "ten points": (draws(600, 48), ten_points(1)),
    "ten points as reference": (ten_points(1), draws(600, 48)),
    "ten points both": (ten_points(1), ten_points(2)),
    "dead units": (
        draws(400, 48).relu() * (torch.arange(48) % 3 > 0),
        draws(400, 48, seed=1).relu(),
    ),
    "integers": ((draws(400, 48) * 3).round().long(), (draws(400, 48, seed=1) * 2).round().long()),
}


@pytest.mark.parametrize("case", SICK)
def test_agrees_with_torch_fidelity_where_that_is_right(case, peer):
    real, fake = SICK[case]
    assert of(real, fake) == pytest.approx(peer(real, fake), rel=2e-5, abs=1e-4)


@pytest.mark.parametrize("case", SICK)
def test_points_and_moments_agree(case):
    """Two independent routes: triangular factors of the points, and their covariances."""
    real, fake = SICK[case]
    by_moments = frechet(*statistics(real.double()), *statistics(fake.double()))
    assert of(real, fake) == pytest.approx(by_moments, rel=1e-7)


@pytest.mark.parametrize("n", [2, 20, 48, 49, 500])
def test_identical_sets_are_at_zero(n):
    x = draws(n, 48)
    assert 0 <= of(x, x.flip(0)) < 1e-10
    assert of(torch.ones(n, 3), torch.ones(n, 3)) == 0


def test_one_point_against_a_gaussian_is_its_second_moment_about_the_point():
    real = draws(200, 5)
    fake = torch.full((100, 5), 2.0)
    exact = (real.mean(0) - 2).square().sum() + real.var(0).sum()
    assert of(real, fake) == pytest.approx(exact.item(), rel=1e-12)


def test_two_samples_of_known_gaussians_approach_the_closed_form():
    a, b = covariance(4, 1), covariance(4, 2)
    exact = frechet(torch.zeros(4).double(), a, torch.ones(4).double(), b)
    real = draws(200_000, 4, seed=6) @ torch.linalg.cholesky(a).T
    fake = draws(200_000, 4, seed=7) @ torch.linalg.cholesky(b).T + 1
    assert of(real, fake) == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("size", [LARGE - 1, LARGE, 200])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_both_routes_to_the_eigenvalues_agree(size, scale, monkeypatch):
    real, fake = draws(3 * size, size), scale * draws(4 * size, size, seed=1)
    found = of(real, fake)
    monkeypatch.setattr("genbench.metrics._moments.LARGE", 10**9)
    assert of(real, fake) == pytest.approx(found, rel=1e-12)
    monkeypatch.setattr("genbench.metrics._moments.LARGE", 0)
    assert of(real, fake) == pytest.approx(found, rel=1e-12)


def test_moments_are_left_as_they_were():
    moments = [*statistics(draws(900, LARGE)), *statistics(draws(900, LARGE, seed=1))]
    kept = [m.clone() for m in moments]
    frechet(*moments)
    assert all(torch.equal(a, b) for a, b in zip(moments, kept, strict=True))


def test_many_dimensions_of_few_directions_have_no_factor_and_a_distance(peer):
    real = draws(900, 20) @ draws(20, LARGE, seed=3)
    fake = draws(900, LARGE, seed=4)
    assert of(real, fake) == pytest.approx(peer(real, fake), rel=1e-5)
    assert of(real, 2 * real) == pytest.approx(
        float((real.mean(0)).square().sum() + real.var(0).sum()), rel=1e-7
    )


@pytest.mark.parametrize("size", [1, 5, LARGE, 300])
def test_sums_of_outer_products(size):
    x, y = draws(700, size), draws(11, size, seed=1)
    total = torch.zeros(size, size).double()
    for part in (x, y):
        add_outer(total, part)
    exact = x.T @ x + y.T @ y
    torch.testing.assert_close(mirror(total), exact, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("shape", [(LARGE, 300), (300, LARGE), (200, 200)])
@pytest.mark.parametrize("rank", [10, None])
def test_trace_norm_is_the_sum_of_singular_values(shape, rank):
    x, y = (draws(n, 400, seed=n) for n in shape)
    if rank is not None:
        x = draws(shape[0], rank, seed=2) @ draws(rank, 400, seed=3)
    cross = (x - x.mean(0)) @ (y - y.mean(0)).T
    exact = torch.linalg.svdvals(cross).sum()
    assert float(trace_norm(cross)) == pytest.approx(float(exact), rel=1e-11)
