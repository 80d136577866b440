"""Few real digits and what is added to them."""

import pytest
import torch
from claim_records import PlantedColumns

from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.core.rng import Rng
from genbench.experiments import augmentation
from genbench.statistics.verdicts import judge


@pytest.fixture(scope="module")
def digits():
    return DATASETS.get("digits")()


def test_a_seed_sees_as_many_points_of_every_class_and_its_own(digits):
    shots = augmentation.choose_few(digits, 5, Rng([0, 1]))
    assert shots.shape == (2, 10, 5, 1, 8, 8)
    train, labels = digits.points("train"), digits.labels("train")
    for c in range(10):
        of_class = train[labels == c].flatten(1)
        distances = torch.cdist(shots[0, c].flatten(1), of_class)
        assert float(distances.min(1).values.max()) < 1e-4
        assert len(set(distances.argmin(1).tolist())) == 5
    assert not torch.equal(shots[0], shots[1])
    assert torch.equal(augmentation.choose_few(digits, 5, Rng([1]))[0], shots[1])


def test_points_are_drawn_with_their_labels(digits):
    shots = torch.arange(10.0).view(1, 10, 1, 1).expand(2, 10, 3, 1)
    x, labels = augmentation.draw(shots, 50, Rng([0, 1]))
    assert torch.equal(x.squeeze(-1), labels.float())
    assert labels.unique().tolist() == list(range(10))


def test_more_digits_help_and_wrong_ones_hurt(digits):
    shots = augmentation.choose_few(digits, 5, Rng([0, 1]))
    more = augmentation.choose_few(digits, 80, Rng([2, 3]))
    scores = {
        name: augmentation.measure_accuracy(
            digits, shots, extra, 150, Rng([0, 1]).fork("classifier")
        )
        for name, extra in {"none": shots, "more": more, "wrong": more.roll(1, 1)}.items()
    }
    assert float(scores["none"].min()) > 0.6
    assert bool((scores["more"] > scores["none"] + 0.02).all())
    assert bool((scores["wrong"] < scores["none"] - 0.02).all())


def test_what_learns_a_class_alone_makes_that_class(digits):
    shots = augmentation.choose_few(digits, 10, Rng([0, 1]))
    samples = augmentation.generate_by_class("gaussian", digits, shots, 400, 0, Rng([0, 1]))
    assert samples.shape == (2, 10, 400, 1, 8, 8)
    own = (samples.mean(2) - shots.mean(2)).square().mean((2, 3, 4))
    others = (samples.mean(2) - shots.mean(2).roll(1, 1)).square().mean((2, 3, 4))
    # samples are clamped to the grey values, which moves their means a little
    assert float(own.max()) < 0.005
    assert float(own.max()) < float(others.min())


@pytest.mark.parametrize("name", ["cgan", "realnvp"])
def test_samples_of_a_seed_are_its_own(digits, name):
    def generate(seeds):
        rng = Rng(seeds)
        shots = augmentation.choose_few(digits, 3, rng.fork("few"))
        if name == "cgan":
            return augmentation.generate_by_label(name, digits, shots, 2, 3, rng.fork(name))
        return augmentation.generate_by_class(name, digits, shots, 2, 3, rng.fork(name))

    both, again, alone = generate([4, 5]), generate([4, 5]), generate([5])
    assert torch.equal(both, again)
    assert both.shape == (2, 10, 2, 1, 8, 8)
    assert float((both[1] - alone[0]).abs().mean()) < 0.01


@pytest.mark.parametrize(("gain", "outcome"), [(0.03, "supported"), (0.0, "refuted")])
def test_augmentation(gain, outcome):
    claim = CLAIMS.get("augmentation")
    base = [0.85 + 0.002 * k for k in range(8)]
    names = (*augmentation.CONDITIONAL, *augmentation.APART, *augmentation.FITTED)
    columns = {augmentation.ALONE: base}
    for j, name in enumerate((*names, augmentation.NOISE)):
        columns[name] = [v + 0.0001 * ((k + j) % 3) for k, v in enumerate(base)]
    columns["cgan"] = [v + gain + 0.001 * (k % 3) for k, v in enumerate(base)]
    columns["acgan"] = [v - 0.05 for v in columns["acgan"]]
    verdict = judge(claim.function(PlantedColumns(columns)))
    assert verdict.outcome == outcome
    assert "(cgan against real points alone)" in verdict.parts[0].effect.name
