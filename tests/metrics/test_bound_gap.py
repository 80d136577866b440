"""The gap of a bound whose exact value is known, and of models that have none."""

import math
import sys
from pathlib import Path

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.errors import SpecError
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics.bound_gap import bound_gap

sys.path.insert(0, str(Path(__file__).parent))
from gaussian_model import Bound, Normal, ShiftedDensity


def score(model, dataset, **options):
    return bound_gap(Trained(model, dataset), dataset.points("test"), rng=Rng([0]), **options)


@pytest.mark.parametrize("variance", [0.5, 0.25, 0.9])
def test_it_is_the_divergence_of_the_posterior(variance):
    """The true posterior is N(x/2, 1/2), so the gap is KL(N(0, v) || N(0, 1/2)) for every x."""
    exact = 0.5 * (2 * variance - 1 - math.log(2 * variance))
    model = Bound(Normal(1), Rng([0]), variance=variance)
    found = score(model, Normal(1), repeats=100)
    assert found.value == pytest.approx(exact, abs=4 * found.stderr + 2e-3)
    assert found.kind == "bound"
    assert model.importance == 64


def test_only_lower_bounds_have_a_gap():
    data = Normal(1)
    found = score(ShiftedDensity(data, Rng([0])), data)
    assert found.reason == "log_prob of shifted is no lower bound"
    fixed = Bound(data, Rng([0]))
    fixed.importance = None
    assert score(fixed, data).reason == "bound has no number of draws to raise"


@pytest.mark.parametrize("name", ["vae", "iwae", "beta_vae"])
def test_registered_bounds_rise_with_draws(name):
    ring = DATASETS.get("ring")()
    model = build(name, ring.spec, Rng([0]))
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2)
    found = score(model, ring, draws=128, points=64)
    assert found.value > 3 * found.stderr > 0
    assert model.importance == 64


def test_options_are_checked():
    with pytest.raises(SpecError, match="'draws' needs a whole number of 2 or more, got 1"):
        score(Bound(Normal(1), Rng([0])), Normal(1), draws=1)
