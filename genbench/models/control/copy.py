"""The source itself in place of a translation."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.translation import ReferenceTranslator
from genbench.nn.translation import resize, source_of


@model("copy")
class Copy(ReferenceTranslator):
    """Creates a copy of the source: what a score gives to doing nothing.

    Of a source with more channels than a point has the last ones are copied (of several frames the last
    one); with fewer they are repeated. Where a source is the image with a hole, the exemplar beside it, if
    there is one, is pasted into the hole alone.
    """

    simple_fit = True

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Points and sources must be images, or of one shape."""
        reason = super().refuses(spec)
        if reason is not None:
            return reason
        source = source_of(spec)
        if (spec.is_image and source.is_image) or spec.event == source.event:
            return None
        return (
            f"needs images of images, {spec.name} has points {spec.event}, sources {source.event}"
        )

    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns the sources in the shape of points, shape (S, B, *event)."""
        x = source
        if self.spec.is_image:
            channels = self.spec.event[0]
            x = resize(source, self.spec.event[1:])
            if self.spec.hole is None:
                x = x[:, :, -channels:]
                x = torch.cat([x] * -(-channels // x.shape[2]), 2)[:, :, :channels]
            else:
                x = paste(x, channels, self.spec.hole)
        return x if self.spec.range is None else x.clamp(*self.spec.range)


def paste(source: Tensor, channels: int, hole: tuple[tuple[int, int], tuple[int, int]]) -> Tensor:
    """Returns a source's image with what its last channels show in place of the hole.

    Arguments:
        source: Images with a hole, and exemplars as the last channels or none, shape (S, B, C', H, W).
        channels: Those of the image.
        hole: Its rows and columns, the first and the one past the last of each.
    """
    x = source[:, :, :channels].clone()
    rows, columns = (slice(*ends) for ends in hole)
    x[..., rows, columns] = source[:, :, -channels:, rows, columns]
    return x
