"""The MMD against a naive float64 computation, and where it is slow or sick."""

import itertools
import math
import time

import numpy
import pytest
import torch
from scipy.spatial.distance import cdist, pdist

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError
from genbench.core.rng import Rng
from genbench.metrics import mmd as home
from genbench.metrics.mmd import median_distance, mmd

RNG = Rng([0])


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def naive(real, fake):
    real, fake = real.double().numpy(), fake.double().numpy()
    width = numpy.median(pdist(real))

    def kernel(distance):
        widths = [factor * width for factor in (0.25, 0.5, 1, 2, 4)]
        return sum(numpy.exp(-(distance**2) / (2 * w**2)) for w in widths) / 5

    within = kernel(pdist(real)).mean() + kernel(pdist(fake)).mean()
    return within - 2 * kernel(cdist(real, fake)).mean()


def test_a_loop_over_pairs_of_a_handful_of_points():
    real, fake = [0.0, 1.0, 3.0], [0.5, 2.0]
    width = 2.0  # of the distances 1, 2 and 3

    def kernel(x, y):
        return sum(math.exp(-((x - y) ** 2) / (2 * (c * width) ** 2)) for c in home.FACTORS) / 5

    exact = sum(kernel(*p) for p in itertools.permutations(real, 2)) / 6
    exact += sum(kernel(*p) for p in itertools.permutations(fake, 2)) / 2
    exact -= 2 * sum(kernel(*p) for p in itertools.product(real, fake)) / 6
    found = mmd(torch.tensor(real).view(-1, 1), torch.tensor(fake).view(-1, 1), rng=RNG)
    assert found.value == pytest.approx(exact, rel=1e-12)
    assert found.protocol == {"bandwidth": 2.0}


GRID = DATASETS.get("grid")()
CASES = {
    "grid": (GRID.draw(900, RNG.fork(1))[0], GRID.draw(700, RNG.fork(2))[0] + 0.03),
    "ring": (DATASETS.get("ring")().points("test")[:800], torch.zeros(500, 2)),
    "far off": (draws(300, 2) + 1e3, draws(300, 2, seed=1) * 50),
    "64-D": (draws(500, 64).float(), draws(400, 64, seed=1).float() * 1.1),
    "integers": ((draws(400, 3) * 2).round().long(), (draws(400, 3, seed=1) * 2).round().long()),
    "two points": (draws(2, 2), draws(2, 2, seed=1)),
}


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_naive_float64(case):
    real, fake = CASES[case]
    assert mmd(real, fake, rng=RNG).value == pytest.approx(naive(real, fake), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("held", [0, 100, 10**9])
@pytest.mark.parametrize(
    "x",
    [
        draws(333, 2),
        draws(150, 7).float().double(),
        (draws(301, 1) * 2).round(),
        torch.cat([torch.zeros(200, 2).double(), draws(100, 2)]),
        torch.cat([draws(200, 2) * 1e-9, draws(10, 2)]),
    ],
    ids=["normal", "7-D", "ties", "mostly zero", "wide range"],
)
def test_median_distance_is_numpys_in_little_memory_too(x, held, monkeypatch):
    monkeypatch.setattr(home, "HELD", held)
    exact = numpy.median(pdist(x.numpy()))
    assert median_distance(x) == pytest.approx(exact, rel=1e-6, abs=1e-6)


def test_bandwidth_does_not_move_with_the_model():
    real = draws(200, 2)
    protocols = [mmd(real, k * draws(200, 2, seed=1), rng=RNG).protocol for k in (1, 30)]
    assert protocols[0] == protocols[1]


def test_collapse_is_measured_and_a_reference_of_one_point_is_refused():
    assert mmd(draws(200, 2), torch.zeros(100, 2), rng=RNG).value > 0.1
    with pytest.raises(DataError, match="mmd needs real points of which most differ, got 100"):
        mmd(torch.zeros(100, 2), draws(200, 2), rng=RNG)


def test_unbiased_under_equality():
    values = numpy.array(
        [
            mmd(draws(60, 2, seed=2 * k), draws(60, 2, seed=2 * k + 1), rng=RNG).value
            for k in range(200)
        ]
    )
    assert (values < 0).mean() > 0.3
    assert abs(values.mean()) < 3 * values.std() / math.sqrt(len(values))


def test_distant_modes_do_not_slow_it_down():
    """Exponentials that underflow cost 10 to 100 times as much unless they are held back."""
    near, far = draws(1500, 2), GRID.draw(1500, RNG)[0].double() * 1e3 + draws(1500, 2)
    narrow = 1e-3

    def seconds(x, width):
        start = time.process_time()
        home.squared_mmd(x, x, width)
        return time.process_time() - start

    seconds(near, 1.0)
    assert min(seconds(far, narrow) for _ in range(3)) < 4 * min(
        seconds(near, 1.0) for _ in range(3)
    )


def test_median_between_two_great_ties_is_their_mean(monkeypatch):
    monkeypatch.setattr(home, "HELD", 2)
    x = torch.tensor([[0.0], [0], [0], [4], [4], [4], [4]]).double()
    exact = numpy.median(pdist(x.numpy()))
    assert median_distance(x) == pytest.approx(exact, abs=1e-6)
    y = torch.tensor([[0.0], [0], [0], [4]]).double()
    assert numpy.median(pdist(y.numpy())) == 2
    assert median_distance(y) == pytest.approx(2, abs=1e-6)
