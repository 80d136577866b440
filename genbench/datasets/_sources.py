"""What points of image data sets are made from."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from genbench.core.dataset import DataSpec, ImageDataset
from genbench.core.rng import Rng


class Sources(ImageDataset):
    """The sources of another data set's points: images of grey levels, to which no noise is added.

    Model space is the middle of a level's cell, (v + 1/2)/levels.

    Arguments:
        spec: Of a source; its `levels` must be set.
        load: Returns {split: pixels (N, C, H, W), uint8}.
    """

    def __init__(self, spec: DataSpec, load: Callable[[], dict[str, Tensor]]) -> None:
        super().__init__()
        self.spec, self._load = spec, load
        self.name = spec.name  # type: ignore[misc]
        self.levels = spec.levels or 256  # type: ignore[misc]

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the splits' pixels; they have no labels of their own."""
        return {split: (pixels, pixels.new_zeros(0)) for split, pixels in self._load().items()}

    def labels(self, split: str) -> Tensor | None:
        """Returns None."""
        return None

    def to_model(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        """Returns the middles of the levels' cells."""
        return super().to_model(x)
