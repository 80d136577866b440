"""Handwritten digits, 8×8, from scikit-learn's own package."""

from __future__ import annotations

from torch import Tensor

from genbench.core.dataset import DataSpec, ImageDataset, dataset
from genbench.datasets._digits import LEVELS, digit_splits


@dataset("digits")
class Digits(ImageDataset):
    """1,797 real handwritten digits of 8×8 pixels in 17 grey levels (1,097 / 200 / 500).

    References:
        | Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998), UCI repository
    """

    paper = "Alpaydin and Kaynak, 1998"
    levels = LEVELS
    spec = DataSpec(
        "digits", (1, 8, 8), range=(0.0, 1.0), levels=LEVELS, classes=10, dequantisation="uniform"
    )

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns scikit-learn's digits in a fixed random order, split."""
        return digit_splits()
