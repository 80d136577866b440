"""Patches of photographs, and their super-resolution."""

import pytest
import torch

from genbench.core.dataset import open_named
from genbench.core.errors import AbsentData
from genbench.datasets.photographs import SIDE, TEST, TRAIN, Picture, cut, read, turn

pytest.importorskip("skimage")


@pytest.fixture(scope="module")
def photographs():
    return open_named("photographs")


def test_splits_are_of_other_pictures_or_of_other_columns(photographs):
    sizes = {split: len(photographs.points(split)) for split in ("train", "validation", "test")}
    assert sizes == {"train": 15835, "validation": 516, "test": 1434}
    assert {p.file for p in TRAIN}.isdisjoint(p.file for p in TEST)
    assert photographs.labels("train") is None
    train, validation, test = (
        {x.numpy().tobytes() for x in photographs.points(split)} for split in sizes
    )
    assert train.isdisjoint(validation)
    assert test.isdisjoint(train | validation)


def test_patches_are_cut_row_by_row():
    x = torch.arange(3 * 64 * 48).view(3, 64, 48)
    patches = cut(x)
    assert patches.shape == (3 * 2, 3, SIDE, SIDE)
    assert torch.equal(patches[1], x[:, :32, 16:])
    assert torch.equal(patches[2], x[:, 16:48, :32])


def test_training_patches_are_laid_in_all_eight_ways():
    x = torch.rand(16, 3, SIDE, SIDE)
    turned = turn(x)
    assert torch.equal(turned[8], x[8])
    assert torch.equal(turned[9], x[9].rot90(1, (1, 2)))
    assert torch.equal(turned[12], x[12].flip(2))
    assert len({y.numpy().tobytes() for y in turn(x[:1].repeat(8, 1, 1, 1))}) == 8


def test_licences_are_free():
    assert {p.licence for p in (*TRAIN, *TEST)} == {"public domain", "CC0", "CC BY 2.0"}


def test_a_picture_that_is_not_here_says_how_to_get_it():
    for package, file in (("skimage", "data/none.png"), ("no_such_package", "x.png")):
        with pytest.raises(AbsentData, match=r"pip install genbench\[photographs\]"):
            read(Picture(package, file, "", "", ""))


def test_they_are_enlarged_without_labels(photographs):
    data = open_named("super_resolution", of="photographs", scale=4)
    assert data.labels("train") is None
    assert data.given.points("test").shape == (1434, 3, 8, 8)
    assert torch.equal(data.points("test"), photographs.points("test"))
