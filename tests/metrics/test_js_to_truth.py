"""The Jensen-Shannon divergence by histograms: closed forms, its limits, and where it has no sense."""

import math

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, SpecError
from genbench.core.rng import Rng
from genbench.core.streams import MixtureDataset
from genbench.core.truth import Truth
from genbench.metrics.js_to_truth import _masses, js_to_truth

RNG = Rng([0])
UNIFORM = Truth(lambda x: torch.zeros(x.shape[:-1], dtype=x.dtype), box=(0.0, 1.0))


def test_uniform_samples_of_half_the_box_have_a_closed_form():
    """JS of U(0, 1) and U(0, 1/2) is ln 2 - 3/4 ln 3 + 1/2 ln 2 over 2, exactly on an even grid."""
    x = ((torch.arange(10_000) + 0.5) / 20_000).unsqueeze(1)
    exact = 0.5 * math.log(2 / 1.5) + 0.5 * (0.5 * math.log(1 / 1.5) + 0.5 * math.log(2))
    assert js_to_truth(x, UNIFORM, rng=RNG).value == pytest.approx(exact, rel=1e-9)


def test_laws_that_never_meet_are_ln_2_apart_and_exact_samples_near_0():
    ring = DATASETS.get("ring")()
    far = torch.full((500, 2), 50.0)
    assert js_to_truth(far, ring.truth, rng=RNG).value == pytest.approx(math.log(2), abs=1e-6)
    few, many = (
        js_to_truth(ring.draw(n, RNG)[0], ring.truth, rng=RNG).value for n in (1000, 30000)
    )
    assert 0 < many < few / 8
    assert many < 0.01


@pytest.mark.parametrize("name", ["ring", "grid", "checkerboard"])
def test_the_truths_mass_is_all_in_its_box(name):
    truth = DATASETS.get(name)().truth
    mass = _masses(truth, 2, 50)
    assert float(mass.sum()) == pytest.approx(1, abs=5e-3)


def narrow(std, size):
    """Nine modes anywhere in [-4, 4]^D."""
    places = 8 * torch.rand(9, size, generator=torch.Generator().manual_seed(0)).double() - 4

    class Narrow(MixtureDataset):
        name, centres, entropy = "narrow", places, 0.0

    Narrow.std = std
    return Narrow()


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("std", [0.2, 0.01, 0.003])
def test_modes_narrower_than_cells_are_integrated_all_the_same(std, size):
    """Eight midpoints a cell would miss them, and exact samples be up to .44 nats away."""
    data = narrow(std, size)
    found = js_to_truth(data.draw(20_000, RNG)[0], data.truth, rng=RNG)
    assert 0 <= found.value < 0.005


def test_modes_that_no_midpoint_would_meet_are_refused():
    score = js_to_truth(torch.zeros(9, 2), narrow(1e-4, 2).truth, rng=RNG)
    assert score.value is None
    assert score.reason.startswith(
        "modes of standard deviation 0.0001 are too narrow for cells of 0.1"
    )


def test_where_there_is_no_density_on_a_grid_it_says_so():
    bars = DATASETS.get("bars_and_stripes")()
    score = js_to_truth(bars.points("test")[:50].flatten(1), bars.truth, rng=RNG)
    assert score.value is None
    assert score.reason == "no grid over 16 coordinates of known reach"
    peak = Truth(lambda x: torch.where(x[..., 0] == 0, 0.0, -math.inf), box=(0.0, 1.0))
    assert "no density in a box" in js_to_truth(torch.zeros(9, 1).long(), peak, rng=RNG).reason


def test_bad_input_is_refused():
    with pytest.raises(SpecError, match="'cells' needs a whole number from 2 to 1000, got 1"):
        js_to_truth(torch.zeros(9, 1), UNIFORM, rng=RNG, cells=1)
    with pytest.raises(DataError, match="js_to_truth needs finite fake points"):
        js_to_truth(torch.full((9, 1), torch.nan), UNIFORM, rng=RNG)
