"""Divergences to a known law against the closed forms of two Gaussians."""

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
from genbench.metrics.kl_to_truth import kl_to_truth

sys.path.insert(0, str(Path(__file__).parent))
from gaussian_model import Normal, Shifted, ShiftedDensity


def scores(model, dataset, seed=0, **options):
    trained = Trained(model, dataset)
    with torch.no_grad():
        return kl_to_truth(trained, dataset.points("test"), rng=Rng([seed]), **options)


def closed(mean, std, size):
    """KL(N(0, I) || N(a, s² I)) and the other way round."""
    forward = size * (math.log(std) + (1 + mean**2) / (2 * std**2) - 0.5)
    backward = size * (-math.log(std) + (std**2 + mean**2) / 2 - 0.5)
    return forward, backward


@pytest.mark.parametrize(("mean", "std", "size"), [(0.0, 1.0, 2), (0.7, 1.0, 1), (0.3, 0.6, 3)])
def test_two_gaussians(mean, std, size):
    data = Normal(size)
    found = scores(ShiftedDensity(data, Rng([0]), mean=mean, std=std), data)
    forward, backward = closed(mean, std, size)
    for name, exact in (("kl_to_truth", forward), ("reverse_kl_to_truth", backward)):
        assert found[name].value == pytest.approx(exact, abs=4 * found[name].stderr + 1e-5), name
    near = found["reverse_kl_neighbours"]
    assert near.value == pytest.approx(backward, abs=4 * near.stderr + 0.02 * size)


def test_js_by_density_is_the_integral():
    data, mean = Normal(1), 1.5
    x = torch.linspace(-10, 12, 20001, dtype=torch.float64)
    p, q = (torch.exp(-0.5 * (x - m) ** 2) / math.sqrt(2 * math.pi) for m in (0, mean))
    middle = (p + q) / 2
    kl = [torch.special.xlogy(a, a / middle).nan_to_num().sum() * (x[1] - x[0]) for a in (p, q)]
    found = scores(ShiftedDensity(data, Rng([0]), mean=mean), data)["js_by_density"]
    assert found.value == pytest.approx(float(sum(kl)) / 2, abs=4 * found.stderr)
    far = scores(ShiftedDensity(data, Rng([0]), mean=50.0), data)["js_by_density"]
    assert far.value == pytest.approx(math.log(2))


def test_without_a_density_neighbours_alone_tell():
    data = Normal(2)
    found = scores(Shifted(data, Rng([0]), mean=1.0), data)
    assert found["kl_to_truth"].reason == "shifted has no density"
    near = found["reverse_kl_neighbours"]
    assert near.value == pytest.approx(1.0, abs=4 * near.stderr + 0.03)


def test_what_is_infinite_has_a_reason_and_no_value():
    data = Normal(2)
    collapsed = scores(Shifted(data, Rng([0]), std=0.0), data)["reverse_kl_neighbours"]
    assert collapsed.value is None
    assert "5000 of 5000 samples repeat others" in collapsed.reason


def test_a_sample_far_out_makes_no_repeats_of_the_others():
    class OneFarOut(Shifted):
        def sample(self, n, rng):
            x = super().sample(n, rng)
            x[:, 0] = 4e5
            return x

    data = Normal(2)
    near = scores(OneFarOut(data, Rng([0])), data)["reverse_kl_neighbours"]
    assert near.reason is None
    assert near.value == pytest.approx(2e5**2 / 5000, rel=0.01)


def test_discrete_laws_are_compared_by_mass_alone():
    bars = DATASETS.get("bars_and_stripes")()
    made = build("resample", bars.spec, Rng([0]))
    found = scores(made, bars, points=100)
    assert "differential entropy" in found["reverse_kl_neighbours"].reason
    made = build("rbm", bars.spec, Rng([0]), {"hidden": 4, "gibbs_steps": 2})
    found = scores(made, bars, points=500)
    assert found["kl_to_truth"].value > 0
    assert "infinite" in found["reverse_kl_to_truth"].reason
    assert 0.5 < found["js_by_density"].value <= math.log(2)


def test_options_are_checked():
    data = Normal(1)
    with pytest.raises(SpecError, match="kl_to_truth needs fewer neighbours than points"):
        scores(Shifted(data, Rng([0])), data, points=5, neighbours=5)
