"""Precision, recall, density and coverage against the authors' package, and where that is wrong."""

import pytest
import torch
from prdc import compute_prdc

from genbench.core.errors import DataError, SpecError
from genbench.core.rng import Rng
from genbench.metrics.prdc import prdc
from genbench.points import pairwise

RNG = Rng([0])


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def values(real, fake, **options):
    return {name: score.value for name, score in prdc(real, fake, rng=RNG, **options).items()}


@pytest.mark.parametrize("neighbours", [1, 3, 5])
@pytest.mark.parametrize(
    ("real", "fake"),
    [
        (draws(600, 2), draws(500, 2, seed=1) * 1.3),
        (draws(300, 64), draws(400, 64, seed=1) + 0.1),
        (draws(300, 3) + 1e3, draws(300, 3, seed=1) * 0.2 + 1e3),
    ],
    ids=["2-D", "64-D", "far from 0"],
)
def test_agrees_with_the_authors_package_on_continuous_data(real, fake, neighbours):
    peer = compute_prdc(real.numpy(), fake.numpy(), nearest_k=neighbours)
    assert values(real, fake, neighbours=neighbours) == pytest.approx(
        {name: float(value) for name, value in peer.items()}, abs=1e-12
    )


def test_blocks_do_not_change_the_numbers(monkeypatch):
    real, fake = draws(200, 2), draws(150, 2, seed=1)
    whole = prdc(real, fake, rng=RNG)
    monkeypatch.setattr(pairwise, "BLOCK", 70)
    monkeypatch.setattr(pairwise, "STRIP", 30)
    monkeypatch.setattr(pairwise, "WHOLE", 0)
    assert prdc(real, fake, rng=RNG) == whole


@pytest.mark.parametrize("side", ["real", "fake"])
def test_a_point_far_out_leaves_the_balls_of_the_others_as_they_are(side):
    """Rounding at one point of 10^7 is no reason to widen the balls of points near 0."""
    real, fake = draws(600, 2), 0.3 * draws(600, 2, seed=1) + 0.5
    (real if side == "real" else fake)[0] = 1e7
    found = prdc(real, fake, rng=RNG)
    wanted = compute_prdc(real.numpy(), fake.numpy(), nearest_k=5)
    assert {name: score.value for name, score in found.items()} == pytest.approx(wanted, abs=2e-3)
    assert found["recall"].protocol["ties"] < 0.01


def test_repeated_points_score_one_and_not_zero():
    point = torch.tensor([[0.1, 0.7, -3.3]]).repeat(60, 1)
    found = values(point, point)
    assert found["precision"] == found["recall"] == found["coverage"] == 1
    assert values(draws(10, 3).repeat(30, 1), draws(10, 3).repeat(20, 1))["recall"] == 1


def test_rounded_data_are_compared_by_closed_balls_and_ties_are_told():
    real, fake = draws(1000, 2).round(), draws(1000, 2, seed=1).round()
    scores = prdc(real.long(), fake.long(), rng=RNG)
    assert all(scores[name].value > 0.9 for name in ("precision", "recall", "coverage"))
    assert scores["precision"].protocol["ties"] > 0.9
    assert prdc(draws(500, 2), fake, rng=RNG)["recall"].protocol["ties"] == 0


def test_collapse_is_precise_and_covers_nothing():
    found = values(draws(500, 2), torch.zeros(300, 2) + 0.01)
    assert found["precision"] == 1
    assert found["recall"] < 0.01
    assert found["coverage"] < 0.05


def test_too_few_points_and_bad_ranks_are_refused():
    with pytest.raises(DataError, match="prdc needs more than 5 points of each kind, got 9 real"):
        prdc(draws(9, 2), draws(5, 2), rng=RNG)
    with pytest.raises(SpecError, match="'neighbours' needs a whole number of 1 or more, got 0"):
        prdc(draws(9, 2), draws(9, 2), rng=RNG, neighbours=0)
    assert values(draws(6, 2), draws(6, 2))["precision"] == 1
