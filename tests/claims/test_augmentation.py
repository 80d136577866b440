"""Few real digits and what stands beside them."""

import pytest
import torch
from claim_records import PlantedColumns

from genbench.claims import augmentation
from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.core.rng import Rng
from genbench.statistics.verdicts import judge


@pytest.fixture(scope="module")
def digits():
    return DATASETS.get("digits")()


def test_a_seed_sees_as_many_points_of_every_class_and_its_own(digits):
    shots = augmentation.few(digits, 5, Rng([0, 1]))
    assert shots.shape == (2, 10, 5, 1, 8, 8)
    train, labels = digits.points("train"), digits.labels("train")
    for c in range(10):
        of_class = train[labels == c].flatten(1)
        distances = torch.cdist(shots[0, c].flatten(1), of_class)
        assert float(distances.min(1).values.max()) < 1e-4
        assert len(set(distances.argmin(1).tolist())) == 5
    assert not torch.equal(shots[0], shots[1])
    assert torch.equal(augmentation.few(digits, 5, Rng([1]))[0], shots[1])


def test_points_are_drawn_with_their_labels(digits):
    shots = torch.arange(10.0).view(1, 10, 1, 1).expand(2, 10, 3, 1)
    x, labels = augmentation.drawn(shots, 50, Rng([0, 1]))
    assert torch.equal(x.squeeze(-1), labels.float())
    assert labels.unique().tolist() == list(range(10))


def test_more_digits_help_and_wrong_ones_hurt(digits):
    shots = augmentation.few(digits, 5, Rng([0, 1]))
    more = augmentation.few(digits, 80, Rng([2, 3]))
    said = {
        name: augmentation.accuracy(digits, shots, extra, 150, Rng([0, 1]).fork("classifier"))
        for name, extra in {"none": shots, "more": more, "wrong": more.roll(1, 1)}.items()
    }
    assert float(said["none"].min()) > 0.6
    assert bool((said["more"] > said["none"] + 0.02).all())
    assert bool((said["wrong"] < said["none"] - 0.02).all())


def test_what_learns_a_class_alone_makes_that_class(digits):
    shots = augmentation.few(digits, 10, Rng([0, 1]))
    made = augmentation.apart("gaussian", digits, shots, 400, 0, Rng([0, 1]))
    assert made.shape == (2, 10, 400, 1, 8, 8)
    own = (made.mean(2) - shots.mean(2)).square().mean((2, 3, 4))
    others = (made.mean(2) - shots.mean(2).roll(1, 1)).square().mean((2, 3, 4))
    # samples are clamped to the grey values, which moves their means a little
    assert float(own.max()) < 0.005
    assert float(own.max()) < float(others.min())


@pytest.mark.parametrize("name", ["cgan", "realnvp"])
def test_samples_of_a_seed_are_its_own(digits, name):
    def made(seeds):
        rng = Rng(seeds)
        shots = augmentation.few(digits, 3, rng.fork("few"))
        if name == "cgan":
            return augmentation.conditional(name, digits, shots, 2, 3, rng.fork(name))
        return augmentation.apart(name, digits, shots, 2, 3, rng.fork(name))

    both, again, alone = made([4, 5]), made([4, 5]), made([5])
    assert torch.equal(both, again)
    assert both.shape == (2, 10, 2, 1, 8, 8)
    assert float((both[1] - alone[0]).abs().mean()) < 0.01


@pytest.mark.parametrize(("gain", "outcome"), [(0.03, "supported"), (0.0, "refuted")])
def test_augmentation(gain, outcome):
    claim = CLAIMS.get("augmentation")
    base = [0.85 + 0.002 * k for k in range(8)]
    names = (*augmentation.CONDITIONAL, *augmentation.APART, *augmentation.FITTED)
    columns = {name: base for name in (*names, augmentation.ALONE, augmentation.NOISE)}
    columns["cgan"] = [v + gain + 0.001 * (k % 3) for k, v in enumerate(base)]
    columns["acgan"] = [v - 0.05 for v in base]
    said = judge(claim.function(PlantedColumns(columns)))
    assert said.outcome == outcome
    assert "(cgan against real points alone)" in said.parts[0].effect.name
