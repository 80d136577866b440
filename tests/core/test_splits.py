"""Splits of a user's data set that break its contract are refused before anything is scored by them."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from genbench.core.dataset import Dataset, DataSpec, ImageDataset
from genbench.core.errors import ContractError
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.evaluation.validation import WithoutTest

SIZES = {"train": 90, "validation": 30, "test": 60}
FLAT = DataSpec("planted", (3,))
IMAGES = DataSpec("planted", (1, 2, 2))
NAMED = DataSpec("planted", (3,), classes=2)


class Planted(Dataset):
    """Normal points, but for what a test makes of them."""

    name = "planted"

    def __init__(self, spec=FLAT, change=lambda x, split: x, labels=lambda x: None):
        super().__init__()
        self.spec, self.change, self.named = spec, change, labels

    def points(self, split):
        x = Rng([0]).fork("dataset", self.name, split).normal(SIZES[split], *self.spec.event)[0]
        return self.change(x, split)

    def labels(self, split):
        return self.named(self.points(split))


def holed(split):
    """Puts a NaN into one split."""
    return lambda x, at: (
        torch.where(torch.arange(len(x)).unsqueeze(1) == 3, torch.nan, x) if at == split else x
    )


BROKEN = {
    "integers": (FLAT, lambda x, split: x.to(torch.uint8), "needs torch.float32, got torch.uint8"),
    "doubles": (FLAT, lambda x, split: x.double(), "needs torch.float32, got torch.float64"),
    "an array": (FLAT, lambda x, split: x.numpy(), "needs to be a tensor of points, got ndarray"),
    "another shape": (FLAT, lambda x, split: x[:, :2], r"needs shape \(90, 3\), got \(90, 2\)"),
    "a gradient": (FLAT, lambda x, split: x.requires_grad_(), r"return x.detach\(\)"),
    "a hole in training": (FLAT, holed("train"), r"points\('train'\) needs finite values"),
    "a hole in validation": (FLAT, holed("validation"), r"points\('validation'\) needs finite"),
    "a hole in the test": (FLAT, holed("test"), r"points\('test'\) needs finite values"),
    "no test": (
        FLAT,
        lambda x, split: x[: 0 if split == "test" else None],
        "'test'. needs points, got none",
    ),
    "no training": (
        FLAT,
        lambda x, split: x[: 0 if split == "train" else None],
        "'train'. needs points",
    ),
    "chance": (FLAT, lambda x, split: torch.randn(x.shape), "needs the same points at each call"),
    "one for all": (
        FLAT,
        lambda x, split: torch.arange(90.0).view(30, 3),
        "need to share no points",
    ),
    "some in two": (
        FLAT,
        lambda x, split: torch.cat([x, torch.eye(3)]),
        "need to share no points",
    ),
    "pixels to 255": (IMAGES, lambda x, split: x.abs() * 255, r"images, need \[0, 1\]"),
    "pixels from -1": (IMAGES, lambda x, split: x.tanh(), r"images, need \[0, 1\]"),
    "out of range": (
        replace(FLAT, range=(0.0, 1.0)),
        lambda x, split: x,
        "needs values in spec.range",
    ),
    "no bits": (replace(FLAT, kind="binary"), lambda x, split: x, "need to be 0 or 1"),
    "no such token": (
        replace(FLAT, kind="tokens", tokens=4),
        lambda x, split: x.sign().long() + 3,
        "need tokens from 0 to 3, got 2 to 4",
    ),
}
MISNAMED = {
    "too few": (NAMED, lambda x: (x[:10, 0] > 0).long(), r"needs shape \(90,\), got \(10,\)"),
    "no integers": (
        NAMED,
        lambda x: (x[:, 0] > 0).float(),
        "needs torch.int64, got torch.float32",
    ),
    "too high": (NAMED, lambda x: 5 * (x[:, 0] > 0).long(), "need to be from 0 to 1, got 0 to 5"),
    "negative": (NAMED, lambda x: (x[:, 0] > 0).long() - 1, "need to be from 0 to 1, got -1 to 0"),
    "none": (NAMED, lambda x: None, "need each other; declare both"),
    "undeclared": (FLAT, lambda x: (x[:, 0] > 0).long(), "need each other; declare both"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_points_that_break_the_contract_are_refused(case):
    spec, change, said = BROKEN[case]
    with pytest.raises(ContractError, match=said):
        _ = Planted(spec, change).hashes


@pytest.mark.parametrize("case", MISNAMED)
def test_labels_that_break_the_contract_are_refused(case):
    spec, labels, said = MISNAMED[case]
    with pytest.raises(ContractError, match=said):
        _ = Planted(spec, labels=labels).hashes


def test_a_map_to_model_space_that_does_not_lead_back_is_refused():
    data = Planted()
    data.to_model = lambda x, rng=None: 2 * x
    with pytest.raises(ContractError, match="let to_data undo to_model"):
        _ = data.hashes


class Pixels(ImageDataset):
    """Images of levels."""

    name = "planted"
    spec = DataSpec("planted", (1, 2, 2), levels=256)
    change: Any = None

    def load(self):
        rng = Rng([0]).fork("dataset", self.name)
        pixels = {k: rng.fork(k).integers(256, n, 1, 2, 2)[0] for k, n in SIZES.items()}
        return {k: (type(self).change(x), torch.zeros(len(x)).long()) for k, x in pixels.items()}

    def labels(self, split):
        return None


@pytest.mark.parametrize(
    ("levels", "change", "said"),
    [
        (256, lambda x: x.to(torch.uint8), None),
        (256, lambda x: x / 255, "to_data undo to_model"),
        (17, lambda x: x // 16, "levels and spec.levels need to be one number, got 256 and 17"),
    ],
)
def test_images_that_are_loaded_need_to_be_levels(levels, change, said):
    cls = type(
        "Planted",
        (Pixels,),
        {"spec": replace(Pixels.spec, levels=levels), "change": staticmethod(change)},
    )
    if said is None:
        assert len(cls().hashes) == 3
        return
    with pytest.raises(ContractError, match=said):
        _ = cls().hashes


def test_sources_need_one_row_a_point():
    data = Planted(replace(FLAT, source=FLAT))
    data.given, data.truth = Planted(FLAT, lambda x, split: x[:20]), Truth()
    with pytest.raises(
        ContractError, match=r"given.points\('train'\) needs a source for each of 90 points"
    ):
        _ = data.hashes


def test_tuning_refuses_them_too_and_leaves_the_test_split_alone():
    with pytest.raises(ContractError, match=r"points\('train'\) needs finite values"):
        WithoutTest(Planted(FLAT, holed("train")))
    seen = WithoutTest(Planted(FLAT, holed("test"))).points("test")
    assert seen.isfinite().all()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_points_of_any_size_without_validation_are_taken(scale):
    data = Planted(
        NAMED,
        lambda x, split: scale * x[: 0 if split == "validation" else None],
        lambda x: (x[:, 0] > 0).long(),
    )
    assert set(data.hashes) == {"train", "test"}
