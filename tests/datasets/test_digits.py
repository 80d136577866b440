import math

import pytest
import torch
from sklearn.datasets import load_digits

from genbench.core.dataset import DATASETS
from genbench.core.rng import Rng


@pytest.fixture(scope="module")
def digits():
    return DATASETS.get("digits")()


def test_splits_are_pinned_and_hold_every_digit_once(digits):
    assert digits.hashes == {
        "train": "3bf2cdde41dd8b08",
        "validation": "3d0be0edfb2f1466",
        "test": "f27b243edf72165c",
    }
    assert [len(digits.points(split)) for split in digits.hashes] == [1097, 200, 500]
    x = torch.cat([digits.points(split) for split in digits.hashes]).flatten(1) * 16
    labels = torch.cat([digits.labels(split) for split in digits.hashes])
    ours = sorted(map(tuple, torch.cat([x.round().int(), labels.int().unsqueeze(1)], 1).tolist()))
    data = load_digits()
    theirs = sorted(
        (*map(int, row), int(y)) for row, y in zip(data.data, data.target, strict=True)
    )
    assert ours == theirs


def test_model_space_and_back_is_the_identity(digits):
    x = digits.points("test").expand(2, -1, -1, -1, -1)
    assert torch.equal(digits.to_data(digits.to_model(x, Rng([0, 1]))), x)
    assert torch.equal(digits.to_data(digits.to_model(x)), x)


def test_dequantisation_stays_in_its_cell_and_fills_it(digits):
    x = digits.points("train").double().unsqueeze(0)
    y = digits.to_model(x, Rng([0], dtype=torch.float64))
    place = y * 17 - (x * 16).round()
    assert place.min() >= 0
    assert place.max() < 1
    assert place.mean().item() == pytest.approx(0.5, abs=0.005)
    assert place.var().item() == pytest.approx(1 / 12, abs=0.001)
    other = digits.to_model(x, Rng([1], dtype=torch.float64))
    assert not torch.equal(y, other)


def test_to_data_clips_and_quantises(digits):
    y = torch.tensor([-3.0, 0.0, 0.5 / 17, 1.0 / 17, 0.999, 1.0, 7.0]).view(1, 7, 1, 1, 1)
    levels = (digits.to_data(y) * 16).flatten().tolist()
    assert levels == [0, 0, 0, 1, 16, 16, 16]


def test_log_volume_is_the_cells_volume(digits):
    assert digits.log_volume == pytest.approx(-64 * math.log(17))
