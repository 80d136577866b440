"""Enlargement of images by interpolation."""

from __future__ import annotations

from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.nn.translation import resize, source_of


def enlarge(source: Tensor, spec: DataSpec, mode: str) -> Tensor:
    """Returns sources (S, B, *source.event) in the size of points, clipped to their range.

    Arguments:
        source: Images in the model space of what is given.
        spec: The data.
        mode: `nearest` or `bicubic`.
    """
    x = resize(source, spec.event[1:], mode)
    return x if spec.range is None else x.clamp(*spec.range)


def needs_enlargement(spec: DataSpec) -> str | None:
    """Returns why an enlargement refuses data, or None where it does not."""
    source = source_of(spec)
    images = spec.is_image and source.is_image and spec.event[0] == source.event[0]
    if images and source.event[1] < spec.event[1] and source.event[2] < spec.event[2]:
        return None
    return f"needs to enlarge images, {spec.name} makes points of shape {spec.event} from {source.event}"
