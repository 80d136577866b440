"""Images to be made from smaller ones."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from torch import Tensor
from torch.nn import functional

from genbench.core.dataset import dataset
from genbench.core.derived import DerivedImages, open_images
from genbench.core.errors import SpecError


@dataset("super_resolution")
class SuperResolution(DerivedImages):
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
        base = open_images("super_resolution", of, data_dir, offline)
        channels, *sides = base.spec.event
        if scale < 2 or any(side % scale for side in sides):
            raise SpecError(
                f"super_resolution needs a scale of 2 or more that divides the sides "
                f"{' and '.join(map(str, sides))} of {of}, got {scale}"
            )
        self.scale, self.kernel = scale, kernel
        small = (channels, *(side // scale for side in sides))
        super().__init__(base, small, data_dir=data_dir, offline=offline)

    def source_of(self, x: Tensor) -> Tensor:
        """Returns the images made smaller."""
        if self.kernel == "box":
            return functional.avg_pool2d(x, self.scale)
        size = (x.shape[2] // self.scale, x.shape[3] // self.scale)
        return functional.interpolate(x, size=size, mode="bicubic", antialias=True)
