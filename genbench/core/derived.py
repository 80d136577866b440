"""Images that are to be made from something: sources, and images of which a known map makes them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.dataset import SPLITS, DataSpec, ImageDataset, open_named
from genbench.core.errors import SpecError
from genbench.core.quality import Quality
from genbench.core.rng import Rng
from genbench.core.splits import check_splits
from genbench.core.truth import Truth

#: images that are mapped at once
ROWS = 2000


def open_images(who: str, of: str, data_dir: Path | None, offline: bool) -> ImageDataset:
    """Returns a fixed data set of images by its name.

    Raises:
        SpecError: If it is another kind of data set.
    """
    base = open_named(of, data_dir=data_dir, offline=offline)
    if not isinstance(base, ImageDataset) or base.stream:
        raise SpecError(f"{who} needs of=… a fixed data set of images, got {of}")
    return base


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


class DerivedImages(ImageDataset):
    """The images of another data set, each with what `source_of` makes of it as its source.

    The source lies on the image's own grey levels. The map is known, so that outputs can be led back to
    their sources (`consistency`). Features are the other data set's, so that FID is that of its own
    leaderboard.

    Arguments:
        base: The other data set.
        event: The shape of a source, (C, H, W).
        paired: Whether training shows an image beside its own source.
        data_dir: As for any data set.
        offline: Likewise.
    """

    quality = Quality(("fid",))

    def __init__(
        self,
        base: ImageDataset,
        event: tuple[int, ...],
        *,
        paired: bool = True,
        data_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.whole = self.base = base
        self.levels = base.levels  # type: ignore[misc]
        grey = {"range": (0.0, 1.0), "levels": base.levels}
        source = DataSpec(f"{self.name} sources", event, **grey)
        self.spec = DataSpec(
            self.name,
            base.spec.event,
            **grey,
            classes=base.spec.classes,
            dequantisation="uniform",
            source=source,
            paired=paired,
        )
        self.given = Sources(source, lambda: self._sources)
        self.truth = Truth(box=(0.0, 1.0), degrade=self._degrade)

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the other data set's splits."""
        return self.load_whole()

    def load_whole(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the other data set's splits, all of each.

        Raises:
            ContractError: If it is a user's, and they break its contract.
        """
        check_splits(self.whole, SPLITS)
        return self.whole.load()

    def labels(self, split: str) -> Tensor | None:
        """Returns the other data set's labels, or None where it has none."""
        return self.whole.labels(split)

    @abstractmethod
    def source_of(self, x: Tensor) -> Tensor:
        """Maps images (N, C, H, W) in [0, 1] to their sources (N, *event), about in [0, 1]."""

    @cached_property
    def _sources(self) -> dict[str, Tensor]:
        """The splits' sources, levels in uint8."""
        return {
            split: torch.cat([self._to_levels(part) for part in self.points(split).split(ROWS)])
            for split in SPLITS
        }

    def _degrade(self, x: Tensor) -> Tensor:
        """The sources of images, which are brought to the grid as it is stored, whatever type they have."""
        on_grid = (x.float() * (self.levels - 1)).round() / (self.levels - 1)
        return self._to_levels(on_grid).to(x.dtype) / (self.levels - 1)

    def _to_levels(self, x: Tensor) -> Tensor:
        """The levels of sources, uint8."""
        levels = (self.source_of(x) * (self.levels - 1)).round()
        return levels.clamp(0, self.levels - 1).to(torch.uint8)
