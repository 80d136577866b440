"""Images to be made from smaller ones."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.dataset import (
    SPLITS,
    DataSpec,
    ImageDataset,
    Truth,
    dataset,
    open_named,
)
from genbench.core.errors import SpecError
from genbench.datasets._sources import Sources


@dataset("super_resolution")
class SuperResolution(ImageDataset):
    """The images of another data set, to be made from themselves made smaller by a whole factor.

    A source is the image under a box or an antialiased bicubic kernel, rounded to the image's own grey
    levels. That map is known, so that outputs can be led back to their sources (`consistency`). Features
    are the other data set's, so that FID is that of its own leaderboard.

    References:
        | Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network (Ledig et
        | al., 2017), section 3.1, for the task

    Differences: small images in place of photographs' patches; the paper's kernel is Gaussian.

    Arguments:
        of: The other data set: one of images whose points are fixed.
        scale: By how much images are smaller, a divisor of their sides.
        kernel: `box` averages squares of pixels, `bicubic` weighs neighbouring ones too.
    """

    paper = "Ledig et al., 2017"

    def __init__(
        self,
        *,
        of: str = "digits",
        scale: int = 2,
        kernel: Literal["box", "bicubic"] = "box",
        data_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        base = open_named(of, data_dir=data_dir, offline=offline)
        if not isinstance(base, ImageDataset) or base.stream:
            raise SpecError(f"super_resolution needs of=… a fixed data set of images, got {of}")
        channels, *sides = base.spec.event
        if scale < 2 or any(side % scale for side in sides):
            raise SpecError(
                f"super_resolution needs a scale of 2 or more that divides the sides "
                f"{' and '.join(map(str, sides))} of {of}, got {scale}"
            )
        self.base, self.scale, self.kernel = base, scale, kernel
        self.levels = base.levels  # type: ignore[misc]
        grey = {"range": (0.0, 1.0), "levels": base.levels}
        small = (channels, *(side // scale for side in sides))
        source = DataSpec("super_resolution sources", small, **grey)
        self.spec = DataSpec(
            "super_resolution",
            base.spec.event,
            **grey,
            classes=base.spec.classes,
            dequantisation="uniform",
            source=source,
        )
        self.given = Sources(source, lambda: self._sources)
        self.truth = Truth(box=(0.0, 1.0), degrade=self._degrade)

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the other data set's splits."""
        assert isinstance(self.base, ImageDataset)
        return self.base.load()

    def labels(self, split: str) -> Tensor | None:
        """Returns the other data set's labels, or None where it has none."""
        return self.base.labels(split) if self.base is not None else None

    @cached_property
    def _sources(self) -> dict[str, Tensor]:
        """The splits' sources, levels in uint8."""
        return {
            split: torch.cat([self._to_levels(part) for part in self.points(split).split(2000)])
            for split in SPLITS
        }

    def _degrade(self, x: Tensor) -> Tensor:
        return self._to_levels(x).to(x.dtype) / (self.levels - 1)

    def _to_levels(self, x: Tensor) -> Tensor:
        """The levels of images (N, C, H, W) made smaller, uint8."""
        if self.kernel == "box":
            small = functional.avg_pool2d(x, self.scale)
        else:
            size = (x.shape[2] // self.scale, x.shape[3] // self.scale)
            small = functional.interpolate(x, size=size, mode="bicubic", antialias=True)
        return (small * (self.levels - 1)).round().clamp(0, self.levels - 1).to(torch.uint8)
