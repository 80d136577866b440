"""Images with a hole, to be completed, with another view of the same thing beside or without."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.dataset import SPLITS, DataSpec, ImageDataset, dataset
from genbench.core.derived import Sources, open_images
from genbench.core.errors import SpecError
from genbench.core.quality import Beside, Quality
from genbench.core.rng import Rng
from genbench.core.truth import Truth

#: how far a view is moved at most, in pixels and as a share of the side, and the range of its brightness
SHIFT, SHARE, BRIGHTNESS = 2, 1 / 8, (0.7, 1.3)


@dataset("holes")
class Holes(ImageDataset):
    """The images of another data set, to be made from themselves with a black square in the middle.

    With `exemplar` a second image stands beside, as further channels: another view of the same thing, moved
    by up to two pixels (an eighth of the side, where that is less) and of another brightness, so that what is
    hidden can be known by it. `wrong` trains as `view` does, and shows the views of other things to the
    test: what is kept then is not the exemplar's doing. Features are the other data set's.

    References:
        | Eye In-Painting with Exemplar Generative Adversarial Networks (Dolhansky and Canton Ferrer, 2018),
        | section 3; Context Encoders (Pathak et al., 2016), section 3.3, for a hole in the middle

    Differences: clothes or digits in place of faces, and a view that is made in place of another photograph,
    so that the identity is known.

    Arguments:
        of: The other data set: one of images whose points are fixed.
        hole: The side of the hole in pixels, less than the image's.
        exemplar: `none`, `view` or `wrong`.
    """

    quality = Quality(("fid",), (Beside("class_kept"),))

    paper = "Dolhansky and Canton Ferrer, 2018"

    def __init__(
        self,
        *,
        of: str = "digits",
        hole: int = 4,
        exemplar: Literal["none", "view", "wrong"] = "view",
        data_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        base = open_images("holes", of, data_dir, offline)
        channels, *sides = base.spec.event
        if not 0 < hole < min(sides):
            raise SpecError(
                f"holes needs a hole of 1 to {min(sides) - 1} pixels in images of {of}, got {hole}"
            )
        self.base, self.exemplar = base, exemplar
        self.levels = base.levels  # type: ignore[misc]
        grey = {"range": (0.0, 1.0), "levels": base.levels}
        count = channels if exemplar == "none" else 2 * channels
        source = DataSpec("holes sources", (count, *sides), **grey)
        first = [(side - hole) // 2 for side in sides]
        rows, columns = ((start, start + hole) for start in first)
        self.spec = DataSpec(
            "holes",
            base.spec.event,
            **grey,
            classes=base.spec.classes,
            dequantisation="uniform",
            source=source,
            hole=(rows, columns),
        )
        self.hidden = torch.zeros(base.spec.event, dtype=torch.bool)
        self.hidden[:, slice(*rows), slice(*columns)] = True
        self.given = Sources(source, lambda: self._sources)
        degrade = self._degrade if exemplar == "none" else None
        self.truth = Truth(box=(0.0, 1.0), hidden=self.hidden, degrade=degrade)

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the other data set's splits."""
        assert isinstance(self.base, ImageDataset)
        return self.base.load()

    def _degrade(self, x: Tensor) -> Tensor:
        return x.masked_fill(self.hidden.to(x.device), 0)

    @cached_property
    def _sources(self) -> dict[str, Tensor]:
        """The splits' images with their holes, and exemplars beside them, levels in uint8."""
        sources = {}
        for split in SPLITS:
            x = self._to_levels(self.points(split))
            parts = [self._degrade(x)]
            if self.exemplar != "none":
                views = self._views(self.points(split), split)
                # each thing's neighbour, so that every view is still of something
                wrong = self.exemplar == "wrong" and split == "test"
                parts.append(views.roll(1, 0) if wrong else views)
            sources[split] = torch.cat(parts, 1)
        return sources

    def _views(self, x: Tensor, split: str) -> Tensor:
        """Another view of each image, levels in uint8; it is the same however often it is made."""
        rng = Rng([0]).fork("dataset", self.name, split, "views")
        shift = min(SHIFT, int(SHARE * min(x.shape[2:])))
        away = rng.integers(2 * shift + 1, len(x), 2)[0]
        light = rng.uniform(len(x), low=BRIGHTNESS[0], high=BRIGHTNESS[1])[0].to(x)
        height, width = x.shape[2:]
        padded = functional.pad(x, (shift, shift, shift, shift))
        rows = away[:, :1] + torch.arange(height)
        columns = away[:, 1:] + torch.arange(width)
        every = torch.arange(len(x))[:, None, None]
        # what is indexed apart from the others comes first: (N, H, W, C)
        moved = padded[every, :, rows.unsqueeze(2), columns.unsqueeze(1)].movedim(3, 1)
        return self._to_levels(moved * light[:, None, None, None])

    def _to_levels(self, x: Tensor) -> Tensor:
        return (x * (self.levels - 1)).round().clamp(0, self.levels - 1).to(torch.uint8)
