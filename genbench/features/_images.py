"""What extractors of images ask of their points, and how they are resized."""

from __future__ import annotations

import numpy
import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError


def images(who: str, x: Tensor, dataset: Dataset | None) -> Tensor:
    """Returns points as images (N, 1 or 3, H, W); flattened ones take the data set's shape.

    Raises:
        DataError: If they are not images.
    """
    if x.dim() == 2 and dataset is not None and dataset.spec.is_image:
        x = x.unflatten(1, dataset.spec.event)
    if x.dim() != 4 or x.shape[1] not in (1, 3):
        raise DataError(f"{who} needs images (N, 1 or 3, H, W), got {tuple(x.shape)}; give images")
    return x


def to_bytes(x: Tensor) -> Tensor:
    """Returns images (N, 1 or 3, H, W) in [0, 1] as RGB bytes, (N, 3, H, W); grey is repeated."""
    return (x * 255).round().clamp(0, 255).to(torch.uint8).expand(-1, 3, -1, -1)


def resize(x: Tensor, side: int, *, crop: float | None = None) -> Tensor:
    """Returns images as RGB bytes resized by Pillow, bicubic and antialiased, shape (N, 3, side, side).

    Pillow is what authors' loaders use: it rounds to bytes between its two passes, which no resizing
    of tensors does. The result is on the images' device.

    Arguments:
        x: Images (N, 1 or 3, H, W) in [0, 1].
        side: Height and width.
        crop: The side of the square in the middle that is kept, as a share of the shorter side; None
            keeps the whole image, whose proportions change where it is not square.
    """
    from PIL import Image

    height, width = x.shape[2:]
    row, column, tall, wide = 0, 0, height, width
    if crop is not None:
        tall = wide = max(1, int(crop * min(height, width)))
        row, column = (height - tall) // 2, (width - wide) // 2
    box = (column, row, column + wide, row + tall)
    out = numpy.empty((len(x), side, side, 3), dtype=numpy.uint8)
    for k, pixels in enumerate(to_bytes(x).permute(0, 2, 3, 1).cpu().numpy()):
        picture = Image.fromarray(numpy.ascontiguousarray(pixels)).crop(box)
        out[k] = numpy.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))
    return torch.from_numpy(out).permute(0, 3, 1, 2).to(x.device)


def standardise(x: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Returns (v / 255 - mean) / std of bytes v, shape (N, 3, H, W), float32."""
    shift, scale = (torch.tensor(part, device=x.device).view(3, 1, 1) for part in (mean, std))
    return (x.float() / 255 - shift) / scale
