"""Sheets of images in rows and columns, with lines of one pixel between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def lay_out(images: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Returns a sheet (H, W, C), uint8, of images (N, C, h, w), row by row."""
    import numpy as np

    _, channels, height, width = images.shape
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), 127, np.uint8)
    for i, image in enumerate(images):
        y, x = divmod(i, columns)
        y, x = y * (height + 1), x * (width + 1)
        sheet[y : y + height, x : x + width] = image.transpose(1, 2, 0)
    return sheet


def cut_out(sheet: np.ndarray, height: int, width: int) -> np.ndarray | None:
    """Returns the images of a sheet (C, H, W), (N, C, height, width); None where they do not fill it."""
    import numpy as np

    rows, columns = (sheet.shape[1] + 1) // (height + 1), (sheet.shape[2] + 1) // (width + 1)
    if sheet.shape[1:] != (rows * (height + 1) - 1, columns * (width + 1) - 1):
        return None
    tops, lefts = range(0, sheet.shape[1], height + 1), range(0, sheet.shape[2], width + 1)
    return np.stack([sheet[:, y : y + height, x : x + width] for y in tops for x in lefts])
