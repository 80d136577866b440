"""Scales of rows of numbers, of which nobody says whether they are flattened pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy

from genbench.core.errors import DataError
from genbench.points.ranges import FEW_LEVELS

#: rows of fewer numbers are not taken for pictures
FEWEST_PIXELS = 16


def refuse_other_scales(rows: Mapping[str, tuple[str, Any]]) -> None:
    """Refuses rows of numbers of which some are bytes and some lie between -1 and 1: flattened pictures.

    Arguments:
        rows: By label the side, and tensors of points; those of pictures have a scale already.

    Raises:
        DataError: Naming both.
    """
    flat = {
        label: (side, x.double().numpy())
        for label, (side, x) in rows.items()
        if x.ndim == 2 and x.shape[1] >= FEWEST_PIXELS
    }
    whole = [name for name, (_, x) in flat.items() if _are_bytes(x)]
    unit = [name for name, (_, x) in flat.items() if abs(x).max() <= 1 and (x % 1).any()]
    if whole and unit:
        side = flat[whole[0]][0]
        raise DataError(
            f"{whole[0]} holds whole numbers up to 255, {unit[0]} floats between -1 and 1; say what is "
            f"white by --range {side}=0,255, or bring both to one scale"
        )


def _are_bytes(x: numpy.ndarray) -> bool:
    return bool(x.min() >= 0 and FEW_LEVELS < x.max() <= 255 and not (x % 1).any())
