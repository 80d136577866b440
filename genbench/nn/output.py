"""How networks' outputs become points of a data set's range, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec


def into_range(x: Tensor, spec: DataSpec) -> Tensor:
    """Squashes real numbers into the range of the data by a logistic function; unbounded data pass."""
    if spec.range is None:
        return x
    low, high = spec.range
    return low + (high - low) * torch.sigmoid(x)


def centred(x: Tensor, spec: DataSpec) -> Tensor:
    """Maps the range of the data to [-1, 1] for a network's input; unbounded data pass."""
    if spec.range is None:
        return x
    low, high = spec.range
    return (x - low) * (2 / (high - low)) - 1
