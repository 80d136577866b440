"""Wasserstein, sliced Wasserstein and energy distances against scipy, naive sums and closed forms."""

import itertools
import math

import numpy
import pytest
import torch
from scipy import stats
from scipy.spatial.distance import cdist

from genbench.core.errors import DataError, SpecError
from genbench.core.rng import Rng
from genbench.metrics.energy_distance import energy_distance
from genbench.metrics.sliced_wasserstein import sliced_wasserstein, squares_along
from genbench.metrics.wasserstein import wasserstein

RNG = Rng([0])


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def exact(real, fake, **options):
    return {k: s.value for k, s in wasserstein(real, fake, rng=RNG, **options).items()}


def test_few_points_are_matched_as_by_trying_every_matching():
    real, fake = draws(6, 2), draws(6, 2, seed=1) + 0.5
    far = cdist(real, fake)
    best = {
        p: min(
            numpy.mean([far[i, j] ** p for i, j in enumerate(order)])
            for order in itertools.permutations(range(6))
        )
        for p in (1, 2)
    }
    found = exact(real, fake)
    assert found["wasserstein_1"] == pytest.approx(best[1], rel=1e-12)
    assert found["wasserstein_2"] == pytest.approx(best[2] ** 0.5, rel=1e-12)


def test_on_a_line_all_agree_with_scipy():
    real, fake = draws(400, 1), draws(400, 1, seed=1) * 2 + 1
    flat = [x.flatten().numpy() for x in (real, fake)]
    assert exact(real, fake)["wasserstein_1"] == pytest.approx(
        stats.wasserstein_distance(*flat), rel=1e-10
    )
    second = exact(real, fake)["wasserstein_2"]
    assert sliced_wasserstein(real, fake, rng=RNG).value == pytest.approx(second, rel=1e-10)
    for other in (fake, fake[:150], torch.cat([fake, fake[:1]])):
        peer = stats.energy_distance(flat[0], other.flatten().numpy()) ** 2
        assert energy(real, other, estimator="biased") == pytest.approx(peer, rel=1e-9)


def energy(real, fake, **options):
    return energy_distance(real, fake, rng=RNG, **options)


@pytest.mark.parametrize(("n", "m"), [(7, 7), (12, 8), (5, 13)])
def test_quantile_functions_of_unequal_sets_are_those_of_points_repeated(n, m):
    x, y = draws(n, 3), draws(m, 3, seed=1)
    repeated = squares_along(x.repeat_interleave(m, 0), y.repeat_interleave(n, 0))
    torch.testing.assert_close(squares_along(x, y), repeated, rtol=1e-10, atol=0)


def test_a_shift_is_its_length_exactly():
    x, shift = draws(300, 3), torch.tensor([1.0, -2.0, 0.5]).double()
    length = float(shift.norm())
    assert exact(x, x + shift) == pytest.approx({"wasserstein_1": length, "wasserstein_2": length})
    sliced = sliced_wasserstein(x, x + shift, rng=RNG)
    assert sliced.value == pytest.approx(length / math.sqrt(3), abs=4 * sliced.stderr)


def test_two_gaussians_approach_the_closed_form():
    """W_2 of N(0, I) and N(a, s² I) is sqrt(|a|² + D (s - 1)²); along a line a is projected."""
    spread, shift = 1.5, 3.0
    exact_2 = math.sqrt(2 * shift**2 + 2 * (spread - 1) ** 2)
    sliced = math.sqrt(shift**2 + (spread - 1) ** 2)
    pairs = [
        (draws(250, 2, seed=2 * k), draws(250, 2, seed=2 * k + 1) * spread + shift)
        for k in range(20)
    ]
    found = [exact(*pair)["wasserstein_2"] for pair in pairs]
    assert numpy.mean(found) == pytest.approx(exact_2, rel=0.03)
    slices = [sliced_wasserstein(*pair, rng=RNG).value for pair in pairs]
    assert numpy.mean(slices) == pytest.approx(sliced, rel=0.03)


@pytest.mark.parametrize(
    ("real", "fake"),
    [
        (draws(60, 4), draws(45, 4, seed=1) * 2),
        (draws(60, 3) + 1e3, draws(60, 3, seed=1) + 1e3),
        (draws(60, 2).round().long(), draws(45, 2).round().long()),
        (draws(30, 40), torch.zeros(20, 40)),
        (draws(400, 2), draws(500, 2, seed=1)),
    ],
    ids=["4-D", "far off", "integers", "collapse", "several tiles"],
)
def test_energy_distance_is_its_double_sum(real, fake):
    a, b = real.double().numpy(), fake.double().numpy()
    naive = 2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean()
    assert energy(real, fake, estimator="biased") == pytest.approx(naive, rel=1e-7, abs=1e-9)
    own, other = (cdist(x, x).sum() / (len(x) * (len(x) - 1)) for x in (a, b))
    assert energy(real, fake) == pytest.approx(
        2 * cdist(a, b).mean() - own - other, rel=1e-7, abs=1e-9
    )


def test_energy_distance_of_two_gaussians_on_a_line():
    """E|N(a, v)| = sqrt(2v/pi) exp(-a²/2v) + a (1 - 2 Phi(-a/sqrt v))."""

    def mean(a, v):
        return math.sqrt(2 * v / math.pi) * math.exp(-(a**2) / (2 * v)) + a * (
            1 - 2 * stats.norm.cdf(-a / math.sqrt(v))
        )

    law = 2 * mean(1.0, 2.0) - 2 * mean(0.0, 2.0)
    values = [
        energy(draws(800, 1, seed=2 * k), draws(800, 1, seed=2 * k + 1) + 1) for k in range(20)
    ]
    assert abs(numpy.mean(values) - law) < 4 * numpy.std(values) / 20**0.5


def test_energy_distance_of_few_points_has_no_bias():
    """Of equal distributions its mean is 0; each point beside itself adds E|x - x'| (1/n + 1/m)."""
    pairs = [(draws(8, 2, seed=2 * k), draws(12, 2, seed=2 * k + 1)) for k in range(400)]
    unbiased = [energy(*pair) for pair in pairs]
    biased = [energy(*pair, estimator="biased") for pair in pairs]
    errors = [numpy.std(values) / 20 for values in (unbiased, biased)]
    assert abs(numpy.mean(unbiased)) < 4 * errors[0]
    assert min(unbiased) < 0 <= min(biased)
    # E|x - x'| of the plane's standard Gaussian is sqrt(pi)
    bias = math.sqrt(math.pi) * (1 / 8 + 1 / 12)
    assert numpy.mean(biased) == pytest.approx(bias, abs=4 * errors[1])


def test_energy_distance_refuses_other_estimators_and_single_points():
    with pytest.raises(SpecError, match="'estimator' needs 'unbiased' or 'biased', got 'linear'"):
        energy(draws(5, 2), draws(5, 2), estimator="linear")
    with pytest.raises(DataError, match="energy_distance needs"):
        energy(draws(1, 2), draws(5, 2))


def test_equal_sets_are_at_zero_whatever_they_are():
    for x in (draws(300, 2), torch.zeros(50, 3), draws(10, 5).repeat(20, 1), draws(3, 8)):
        assert exact(x, x) == pytest.approx({"wasserstein_1": 0, "wasserstein_2": 0}, abs=1e-12)
        assert sliced_wasserstein(x, x, rng=RNG).value == 0
        assert energy(x, x, estimator="biased") == pytest.approx(0, abs=1e-8)


def test_how_many_points_counted_is_told():
    scores = wasserstein(draws(60, 2), draws(40, 2), rng=RNG, points=50)
    assert scores["wasserstein_1"].protocol == {"points": 40}
    assert scores["wasserstein_1"].kind == "estimate"
    assert wasserstein(draws(40, 2), draws(40, 2), rng=RNG)["wasserstein_2"].kind == "exact"
    with pytest.raises(SpecError, match="'points' needs a whole number of 1 or more, got 0"):
        exact(draws(9, 2), draws(9, 2), points=0)
    with pytest.raises(
        SpecError, match="'directions' needs a whole number from 2 to 100000, got 1"
    ):
        sliced_wasserstein(draws(9, 2), draws(9, 2), rng=RNG, directions=1)


def test_directions_are_the_same_in_every_run():
    real, fake = draws(50, 5), draws(50, 5, seed=1)
    one, two = (sliced_wasserstein(real, fake, rng=Rng([k])) for k in (1, 2))
    assert one == two
    other = sliced_wasserstein(real, fake, rng=RNG, direction_seed=1)
    assert other.value == pytest.approx(one.value, abs=5 * one.stderr)
    assert other.value != one.value
