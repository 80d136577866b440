"""Handwritten digits, 8×8, binarised once and for all."""

from __future__ import annotations

from functools import cached_property

from torch import Tensor

from genbench.core.dataset import Dataset, DataSpec, dataset
from genbench.core.quality import PICTURES
from genbench.core.rng import Rng
from genbench.datasets._digits import LEVELS, digit_splits


@dataset("binary_digits")
class BinaryDigits(Dataset):
    """The 1,797 digits of 8×8 pixels as bits, each pixel on with its grey value's probability.

    Every pixel is drawn once, by a generator of its own, and never again, as in the fixed
    binarisation of MNIST. Model space is data space, {0, 1}.

    References:
        | Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998), UCI repository
        | On the Quantitative Analysis of Deep Belief Networks (Salakhutdinov and Murray, 2008), section 5.2
    """

    quality = PICTURES
    paper = "Alpaydin and Kaynak, 1998"
    spec = DataSpec(
        "binary_digits",
        (1, 8, 8),
        kind="binary",
        range=(0.0, 1.0),
        classes=10,
        binarisation="fixed",
    )

    @cached_property
    def _splits(self) -> dict[str, tuple[Tensor, Tensor]]:
        return {
            split: (_binarised(pixels, split), labels)
            for split, (pixels, labels) in digit_splits().items()
        }

    def points(self, split: str) -> Tensor:
        """Returns a split's images in {0, 1}, float32, shape (N, 1, 8, 8)."""
        return self._splits[split][0]

    def labels(self, split: str) -> Tensor | None:
        """Returns a split's labels, int64, shape (N,)."""
        return self._splits[split][1]


def _binarised(pixels: Tensor, split: str) -> Tensor:
    rng = Rng([0]).fork("dataset", "binary_digits", split)
    return rng.bernoulli(pixels.unsqueeze(0).float() / (LEVELS - 1))[0]
