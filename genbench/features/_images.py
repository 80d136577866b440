"""What extractors of images ask of their points."""

from __future__ import annotations

from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError


def images(who: str, x: Tensor, dataset: Dataset | None) -> Tensor:
    """Returns points as images (N, 1 or 3, H, W); flattened ones take the data set's shape.

    Raises:
        DataError: If they are not images.
    """
    if x.dim() == 2 and dataset is not None and dataset.spec.is_image:
        x = x.unflatten(1, dataset.spec.event)
    if x.dim() != 4 or x.shape[1] not in (1, 3):
        raise DataError(f"{who} needs images (N, 1 or 3, H, W), got {tuple(x.shape)}; give images")
    return x
