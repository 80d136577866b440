"""Colour images to be made from grey ones."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import dataset
from genbench.core.derived import DerivedImages, open_images
from genbench.core.errors import SpecError

#: the weights of red, green and blue in luma, ITU-R BT.601
LUMA = Constant(torch.tensor([0.299, 0.587, 0.114]))


@dataset("colourise")
class Colourise(DerivedImages):
    """The colour images of another data set, to be made from their luma: many colours have the same grey.

    References:
        | Image-to-Image Translation with Conditional Adversarial Networks (Isola et al., 2017), section
        | 4.2, colourisation

    Differences: RGB in place of L*a*b*; luma is that of BT.601.

    Arguments:
        of: The other data set: one of colour images whose points are fixed.
        paired: Whether training shows an image beside its own source. If not, images are of one half of the
            training set and sources of the other.
    """

    paper = "Isola et al., 2017"

    def __init__(
        self,
        *,
        of: str = "cifar10",
        paired: bool = True,
        data_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        base = open_images("colourise", of, data_dir, offline)
        channels, *sides = base.spec.event
        if channels != 3:
            raise SpecError(f"colourise needs images of 3 channels, those of {of} have {channels}")
        super().__init__(base, (1, *sides), paired=paired, data_dir=data_dir, offline=offline)

    def source_of(self, x: Tensor) -> Tensor:
        """Returns the luma, shape (N, 1, H, W)."""
        weights = LUMA.on(x.device).to(x.dtype)
        return (x * weights[:, None, None]).sum(1, keepdim=True)
