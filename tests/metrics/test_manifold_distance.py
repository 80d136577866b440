"""Distances to a circle, whose closed form is known."""

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, SpecError
from genbench.core.rng import Rng
from genbench.metrics.manifold_distance import manifold_distance

RNG = Rng([0])
CIRCLE = DATASETS.get("circle")()


def test_rings_of_known_radius():
    x = CIRCLE.draw(1000, RNG)[0].double()
    radii = torch.ones(1000, 1).double()
    radii[:300] = 1.2
    radii[300:305] = 3.0
    found = {k: s.value for k, s in manifold_distance(x * radii, CIRCLE.truth, rng=RNG).items()}
    assert found["manifold_distance"] == pytest.approx(0, abs=1e-6)
    assert found["manifold_distance_p99"] == pytest.approx(0.2, abs=1e-6)
    assert found["off_manifold"] == pytest.approx(0.305)
    wide = manifold_distance(x * radii, CIRCLE.truth, rng=RNG, tolerance=0.5)["off_manifold"]
    assert wide.value == pytest.approx(0.005)
    assert wide.stderr == pytest.approx((0.005 * 0.995 / 1000) ** 0.5)


@pytest.mark.parametrize("name", ["circle", "spiral", "swiss_roll"])
def test_true_points_are_on_it(name):
    data = DATASETS.get(name)()
    found = manifold_distance(data.points("test")[:500], data.truth, rng=RNG)
    assert found["manifold_distance_p99"].value < 1e-5
    assert found["off_manifold"].value == 0


def test_laws_without_a_manifold_and_bad_input():
    ring = DATASETS.get("ring")()
    found = manifold_distance(ring.points("test")[:9], ring.truth, rng=RNG)
    assert all("not known to lie" in score.reason for score in found.values())
    with pytest.raises(DataError, match="manifold_distance needs finite fake points"):
        manifold_distance(torch.full((3, 2), torch.inf), CIRCLE.truth, rng=RNG)
    with pytest.raises(SpecError, match="'tolerance' needs a number above 0 and at most 1, got 0"):
        manifold_distance(torch.zeros(3, 2), CIRCLE.truth, rng=RNG, tolerance=0)
