"""Images to be made from their edges, or edges from images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.constant import Constant
from genbench.core.dataset import dataset
from genbench.core.derived import ROWS, DerivedImages, Sources, open_images
from genbench.core.errors import SpecError
from genbench.core.quality import Beside, Quality
from genbench.core.truth import Truth

#: Sobel's kernel across columns; a step from black to white has the value 4
KERNEL = Constant(torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]))


@dataset("edges")
class Edges(DerivedImages):
    """The images of another data set, to be made from white edges on black ground; or the reverse.

    An edge is where Sobel's gradient, a quarter of it, is above the threshold in any channel. With `coarse`
    the edges are those of the image made that much smaller, drawn in its blocks: fewer pixels say less of
    the image, so that more images are right. Where `reverse` is set points are edges, of which each image
    has one right one; then features are of a classifier of edges.

    References:
        | Image-to-Image Translation with Conditional Adversarial Networks (Isola et al., 2017), section 4,
        | edges to shoes and handbags
        | Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (Zhu et al., 2017)
        | section 5.1, for the same without pairs

    Differences: Sobel's edges in place of a trained detector's; clothes of 28×28 pixels, where `of` is
    `fashion_mnist`.

    Arguments:
        of: The other data set: one of images whose points are fixed.
        threshold: From which gradient on a pixel is white, in (0, 1).
        coarse: By how much the image is made smaller before its edges are drawn, a divisor of its sides.
        paired: Whether training shows an image beside its own edges. If not, images are of one half of the
            training set and edges of the other.
        reverse: Whether edges are to be made from images.
        pairs: How many training images are shown, the first ones; None shows all.
        unseen: Whether the last two classes are left out of training and validation, and are all that the
            test has.
    """

    quality = Quality(("fid",), (Beside("class_kept"),))

    paper = "Isola et al., 2017"

    def __init__(
        self,
        *,
        of: str = "digits",
        threshold: float = 0.35,
        coarse: Literal[1, 2, 4] = 1,
        paired: bool = True,
        reverse: bool = False,
        pairs: int | None = None,
        unseen: bool = False,
        data_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        base = open_images("edges", of, data_dir, offline)
        channels, *sides = base.spec.event
        if not 0 < threshold < 1 or any(side % coarse for side in sides):
            raise SpecError(
                f"edges needs a threshold in (0, 1) and coarse a divisor of the sides "
                f"{' and '.join(map(str, sides))} of {of}, got threshold={threshold}, coarse={coarse}"
            )
        if reverse and channels > 1:
            raise SpecError(
                f"edges needs grey images where reverse is set, {of} has {channels} channels"
            )
        if (pairs is not None and pairs < 2) or (unseen and (base.spec.classes or 0) < 3):
            raise SpecError(
                f"edges needs pairs of 2 or more, and three classes where some are unseen, got "
                f"pairs={pairs} and {base.spec.classes} classes of {of}"
            )
        self.threshold, self.coarse, self.reverse = threshold, coarse, reverse
        self.pairs, self.unseen = pairs, unseen
        super().__init__(base, (1, *sides), paired=paired, data_dir=data_dir, offline=offline)
        if reverse:
            self._turn_round()

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the other data set's splits; where `reverse` is set, their edges."""
        splits = self._shown()
        if not self.reverse:
            return splits
        edges = {
            split: self._edges(x.float() / (self.levels - 1)) for split, (x, _) in splits.items()
        }
        return {split: (edges[split], labels) for split, (_, labels) in splits.items()}

    def labels(self, split: str) -> Tensor | None:
        """Returns the classes of what is shown."""
        return self._splits[split][1] if self.whole.labels(split) is not None else None

    def _shown(self) -> dict[str, tuple[Tensor, Tensor]]:
        """The other data set's splits, or the part of them that options leave."""
        splits = self.load_whole()
        if self.unseen:
            last = (self.whole.spec.classes or 0) - 2
            rows = {k: (y >= last) == (k == "test") for k, (_, y) in splits.items()}
            splits = {k: (x[rows[k]], y[rows[k]]) for k, (x, y) in splits.items()}
        x, y = splits["train"]
        if not all(len(x) for x, _ in splits.values()) or (self.pairs or 0) > len(x):
            raise SpecError(
                f"edges needs images in each split and no more pairs than there are for training, got "
                f"{', '.join(f'{len(x)} for {k}' for k, (x, _) in splits.items())} of "
                f"{self.whole.spec.name}, and pairs={self.pairs}"
            )
        return splits | {"train": (x[: self.pairs], y[: self.pairs])}

    def _turn_round(self) -> None:
        """Makes edges the points and images what is given; no map leads back."""
        source = replace(self.whole.spec, name="edges sources", dequantisation=None, classes=None)
        self.spec = replace(self.spec, source=source)
        self.given = Sources(source, lambda: {split: x for split, (x, _) in self._shown().items()})
        self.truth, self.base = Truth(box=(0.0, 1.0)), None

    def _edges(self, x: Tensor) -> Tensor:
        return torch.cat([self._to_levels(part) for part in x.split(ROWS)])

    def source_of(self, x: Tensor) -> Tensor:
        """Returns the edges, 0 or 1, shape (N, 1, H, W)."""
        small = functional.avg_pool2d(x, self.coarse) if self.coarse > 1 else x
        kernel = KERNEL.on(x.device).to(x.dtype)
        kernels = torch.stack([kernel, kernel.T]).unsqueeze(1) / 4
        padded = functional.pad(small.flatten(0, 1).unsqueeze(1), (1, 1, 1, 1), mode="replicate")
        slope = functional.conv2d(padded, kernels).square().sum(1).sqrt()
        edges = slope.unflatten(0, x.shape[:2]).amax(1, keepdim=True) > self.threshold
        return functional.interpolate(edges.to(x.dtype), scale_factor=self.coarse)
