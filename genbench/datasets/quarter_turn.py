"""Images to be made from themselves turned by a quarter."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from genbench.core.dataset import dataset
from genbench.core.derived import DerivedImages, open_images
from genbench.core.errors import SpecError
from genbench.core.quality import Beside, Quality


@dataset("quarter_turn")
class QuarterTurn(DerivedImages):
    """The images of another data set, to be turned upright: a source is its image turned by 90° to the left.

    The smallest task of unpaired translation whose right answer is known, one to one and without loss. It
    is a hard one: where something lies changes, which translators that change its looks alone cannot do,
    and without pairs any one-to-one map of all images onto all images would do as well.

    References:
        | Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (Zhu et al.,
        | 2017), section 6, for geometric changes, where the method is known to fail

    Arguments:
        of: The other data set: one of square images whose points are fixed.
        paired: Whether training shows an image beside its own source. If not, images are of one half of the
            training set and sources of the other.
    """

    quality = Quality(("fid",), (Beside("class_kept"),))

    paper = "Zhu et al., 2017"

    def __init__(
        self,
        *,
        of: str = "digits",
        paired: bool = False,
        data_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        base = open_images("quarter_turn", of, data_dir, offline)
        _, height, width = base.spec.event
        if height != width:
            raise SpecError(
                f"quarter_turn needs square images, those of {of} are {height}×{width}"
            )
        event = base.spec.event
        super().__init__(base, event, paired=paired, data_dir=data_dir, offline=offline)

    def source_of(self, x: Tensor) -> Tensor:
        """Returns the images turned to the left."""
        return torch.rot90(x, 1, (2, 3))
