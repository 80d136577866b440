"""The MMD against a naive float64 computation, and where it is slow or sick."""

import itertools
import math
import time

import numpy
import pytest
import torch
from scipy.spatial.distance import cdist, pdist

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, SpecError
from genbench.core.rng import Rng
from genbench.metrics import _fourier
from genbench.metrics import _median as home
from genbench.metrics._kernels import FACTORS, Kernel
from genbench.metrics._median import median_distance
from genbench.metrics.mmd import _linear_time, mmd, squared_mmd
from genbench.points.pairwise import clouds, together

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
        return sum(math.exp(-((x - y) ** 2) / (2 * (c * width) ** 2)) for c in FACTORS) / 5

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


def all_pairs(x, y, function):
    """A double loop in plain Python floats."""
    return [[function(a, b) for b in y.tolist()] for a in x.tolist()]


def apart(a, b):
    return sum((s - t) ** 2 for s, t in zip(a, b, strict=True))


def inner(a, b):
    return sum(s * t for s, t in zip(a, b, strict=True))


def definitions(width, size):
    def rational(a, b):
        square = apart(a, b) / width**2
        return sum((1 + square / (2 * c)) ** -c for c in (0.2, 0.5, 1, 2, 5)) / 5

    def gaussian(a, b):
        square = apart(a, b) / width**2
        return sum(math.exp(-square / (2 * c * c)) for c in FACTORS) / 5

    return {
        "rbf": gaussian,
        "rational_quadratic": rational,
        "linear": inner,
        "polynomial": lambda a, b: (inner(a, b) / size + 1) ** 3,
    }


@pytest.mark.parametrize("kind", ["rbf", "rational_quadratic", "linear", "polynomial"])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_kernel_is_its_double_loop(kind, size):
    real, fake = draws(45, size), draws(38, size, seed=1) * 1.2 + 0.3
    of = definitions(numpy.median(pdist(real.numpy())), size)[kind]
    own, other, across = (
        numpy.array(all_pairs(*p, of)) for p in ((real, real), (fake, fake), (real, fake))
    )
    n, m = len(real), len(fake)
    within = (own.sum() - own.trace()) / (n * n - n) + (other.sum() - other.trace()) / (m * m - m)
    found = mmd(real, fake, rng=RNG, kernel=kind).value
    assert found == pytest.approx(within - 2 * across.mean(), rel=1e-10, abs=1e-13)
    biased = mmd(real, fake, rng=RNG, kernel=kind, estimator="biased").value
    assert biased == pytest.approx(
        own.mean() + other.mean() - 2 * across.mean(), rel=1e-10, abs=1e-13
    )


@pytest.mark.parametrize("kind", ["rbf", "rational_quadratic", "linear", "polynomial"])
def test_the_linear_time_estimator_is_unbiased_and_knows_its_error(kind):
    real, fake, kernel = draws(400, 2), draws(400, 2, seed=1) + 0.4, Kernel(kind, 1.5)
    whole = squared_mmd(real, fake, kernel)
    found = [_linear_time(*clouds(real, fake), kernel, Rng([k])) for k in range(60)]
    values, errors = numpy.array(found).T
    assert abs(values.mean() - whole) < 4 * values.std() / math.sqrt(len(values))
    assert errors.mean() == pytest.approx(values.std(), rel=0.4)


@pytest.mark.parametrize(
    ("real", "fake"),
    [
        (
            GRID.draw(2100, RNG.fork(1))[0].double(),
            GRID.draw(1900, RNG.fork(2))[0].double() + 0.01,
        ),
        (draws(2000, 1), draws(2000, 1, seed=1) * 3 + 1),
        (draws(2000, 2) * torch.tensor([1.0, 1e-3]).double(), torch.zeros(1500, 2).double()),
        (draws(2000, 2), torch.cat([draws(1999, 2, seed=1), torch.full((1, 2), 60.0).double()])),
    ],
    ids=["grid", "one axis", "a line and a point", "an outlier"],
)
def test_fourier_series_give_the_sums_of_tiles(real, fake, monkeypatch):
    width = median_distance(real)
    widths = [factor * width for factor in FACTORS]
    found = _fourier.sums(real, fake, widths).tolist()
    monkeypatch.setattr(_fourier, "seconds", lambda *_: math.inf)
    tiles = together([Kernel("rbf", width).sums(*clouds(real, fake))])[0][0]
    assert found == pytest.approx(tiles, rel=1e-12)


def test_fourier_series_serve_large_sets_in_the_plane_and_no_others():
    widths = [0.25, 4.0]
    plane = _fourier.seconds(draws(20000, 2), draws(20000, 2), widths)
    assert plane < 1
    assert _fourier.seconds(draws(200, 3), draws(200, 3), widths) == math.inf
    assert _fourier.seconds(draws(200, 2), draws(200, 2) * 1e5, widths) == math.inf


def test_closed_form_of_two_gaussians_in_two_dimensions():
    """E k = s²/(s² + v) exp(-|a|²/2(s² + v)) for a difference of mean a and variance v."""
    shift, spread, width = torch.tensor([0.6, -0.2]).double(), 1.5, 1.0

    def mean(variance, square):
        scales = [(c * width) ** 2 for c in FACTORS]
        return (
            sum(s / (s + variance) * math.exp(-square / (2 * (s + variance))) for s in scales) / 5
        )

    exact = mean(2, 0) + mean(2 * spread**2, 0) - 2 * mean(1 + spread**2, float(shift @ shift))
    values = [
        squared_mmd(
            draws(2000, 2, seed=2 * k),
            draws(2000, 2, seed=2 * k + 1) * spread + shift,
            Kernel("rbf", width),
        )
        for k in range(20)
    ]
    assert abs(numpy.mean(values) - exact) < 4 * numpy.std(values) / math.sqrt(20)
    assert numpy.mean(values) == pytest.approx(exact, rel=0.03)


def test_options_are_checked():
    with pytest.raises(SpecError, match=r"'kernel' needs 'rbf', .*, got 'cubic'"):
        mmd(draws(9, 2), draws(9, 2), rng=RNG, kernel="cubic")
    with pytest.raises(SpecError, match=r"'estimator' needs 'unbiased', .*, got 'quick'"):
        mmd(draws(9, 2), draws(9, 2), rng=RNG, estimator="quick")


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
        squared_mmd(x, x, Kernel("rbf", width))
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
