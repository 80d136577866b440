"""The fixed splits of scikit-learn's digits, which several data sets start from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genbench.core.rng import Rng

SIZES = {"train": 1097, "validation": 200, "test": 500}
#: pixels are integers in {0, …, LEVELS - 1}
LEVELS = 17


def digit_splits() -> dict[str, tuple[Tensor, Tensor]]:
    """Returns the fixed splits of the 1,797 digits: {split: (uint8 (N, 1, 8, 8), int64 (N,))}."""
    from sklearn.datasets import load_digits

    data: Any = load_digits()
    order = Rng([0]).fork("dataset", "digits").permutation(len(data.target))[0]
    pixels = torch.as_tensor(data.images).to(torch.uint8).unsqueeze(1)[order]
    labels = torch.as_tensor(data.target).long()[order]
    parts = zip(
        pixels.split(list(SIZES.values())), labels.split(list(SIZES.values())), strict=True
    )
    return dict(zip(SIZES, parts, strict=True))
