"""Whether what was made of a source leads back to it."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics._model import mean_score, squared_error
from genbench.metrics._pairs import pairs

#: one of 256 levels
LEVEL = 1 / 255
#: one of the fewest levels that are taken for a grid
COARSE = 1 / 15
#: sources of which the grid is read
SOME = 256

COLUMN = Column(
    "lower", "RMSE", 0.0, "between sources and what the known map makes of outputs", 43
)


@metric(
    "consistency",
    view="pairs",
    columns={"consistency": COLUMN},
    needs=("translator", "degrade"),
    paper="Lugmayr et al., 2020",
)
def consistency(
    source: Tensor, real: Tensor, fake: Tensor, truth: Truth | None, *, rng: Rng
) -> Score:
    r"""Returns the root mean squared difference of degraded outputs from their sources.

    .. math:: \sqrt{\frac{1}{N D} \sum_i \| d(y_i) - s_i \|^2}

    for the known map d from a point to its source. An output may be far from the true point and yet be
    possible: then this is 0, but for the rounding of sources, which is that of the true points and the
    score's floor.

    References:
        | SRFlow: Learning the Super-Resolution Space with Normalizing Flow (Lugmayr et al., 2020),
        | section 5, for the comparison in the space of sources

    Arguments:
        source: What the points were made from, shape (N, *source.event).
        real: Their true points, shape (N, *event).
        fake: What was made, shape (N, *event).
        truth: Knows the map.
        rng: Not used.

    Returns:
        A score in units of the sources, with its standard error to first order.

    Raises:
        DataError: If the map is not known, or does not make the sources of the true points.
    """
    real, fake = pairs("consistency", source, real, fake)
    if truth is None or truth.degrade is None:
        raise DataError("consistency needs a known map to sources, got none; take another metric")
    floor = math.sqrt(_find_error(truth.degrade, real, source).mean().item())
    most = _find_rounding(source)
    if floor > most:
        raise DataError(
            f"consistency needs the map by which the sources were made, the one given makes others of the "
            f"true points, {floor:.3g} away where rounding leaves {most:.3g}; name that one"
        )
    square = mean_score(_find_error(truth.degrade, fake, source))
    value = math.sqrt(square.value or 0.0)
    return Score(
        value, (square.stderr or 0.0) / (2 * value) if value else 0.0, floor=floor or None
    )


def _find_error(degrade: Callable[[Tensor], Tensor], x: Tensor, source: Tensor) -> Tensor:
    """The mean squared difference of what a map makes of each point from its source, shape (N,)."""
    low = degrade(x)
    if not isinstance(low, Tensor) or low.shape != source.shape:
        got = tuple(low.shape) if isinstance(low, Tensor) else type(low).__name__
        raise DataError(
            f"consistency needs a map to sources of shape {tuple(source.shape)}, got {got} from it; name "
            f"the one by which they were made"
        )
    return squared_error(low, source)


def _find_rounding(source: Tensor) -> float:
    """Half a level of the grid on which sources lie, or of 256 levels where they lie on none."""
    values = source[:SOME].flatten().double().unique()
    gap = values.diff().min().item() if len(values) > 1 else 0.0
    return max(LEVEL, min(gap, COARSE)) / 2
