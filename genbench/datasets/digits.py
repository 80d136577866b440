"""Handwritten digits, 8×8, from scikit-learn's own package."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec, ImageDataset, dataset
from genbench.core.rng import Rng

SIZES = {"train": 1097, "validation": 200, "test": 500}


def digit_splits() -> dict[str, tuple[Tensor, Tensor]]:
    """Returns the fixed splits of the 1,797 digits: {split: (uint8 (N, 1, 8, 8), int64 (N,))}."""
    from sklearn.datasets import load_digits

    data = load_digits()
    order = Rng([0]).fork("dataset", "digits").permutation(len(data.target))[0]
    pixels = torch.as_tensor(data.images).to(torch.uint8).unsqueeze(1)[order]
    labels = torch.as_tensor(data.target).long()[order]
    parts = zip(
        pixels.split(list(SIZES.values())), labels.split(list(SIZES.values())), strict=True
    )
    return dict(zip(SIZES, parts, strict=True))


@dataset("digits")
class Digits(ImageDataset):
    """1,797 real handwritten digits of 8×8 pixels in 17 grey levels (1,097 / 200 / 500).

    References:
        | Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998), UCI repository
    """

    paper = "Alpaydin and Kaynak, 1998"
    levels = 17
    spec = DataSpec(
        "digits", (1, 8, 8), range=(0.0, 1.0), levels=17, classes=10, dequantisation="uniform"
    )

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns scikit-learn's digits in a fixed random order, split."""
        return digit_splits()
