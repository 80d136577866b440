"""Whether what was made of a source leads back to it."""

from __future__ import annotations

import math

from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics._model import mean_score, squared_error
from genbench.metrics._pairs import pairs

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
    possible: then this is 0.

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
    """
    real, fake = pairs("consistency", source, real, fake)
    if truth is None or truth.degrade is None:
        raise DataError("consistency needs a known map to sources, got none; take another metric")
    low = truth.degrade(fake)
    if not isinstance(low, Tensor) or low.shape != source.shape:
        got = tuple(low.shape) if isinstance(low, Tensor) else type(low).__name__
        raise DataError(
            f"consistency needs a map to sources of shape {tuple(source.shape)}, got {got} from it; name "
            f"the one by which they were made"
        )
    square = mean_score(squared_error(low, source))
    value = math.sqrt(square.value or 0.0)
    return Score(value, (square.stderr or 0.0) / (2 * value) if value else 0.0)
