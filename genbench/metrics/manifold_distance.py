"""Distances of samples to a known manifold."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from genbench.core.allowed import above
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics import _checks

COLUMNS = {
    "manifold_distance": Column("lower", "distance", 0.0, "median distance to the manifold"),
    "manifold_distance_p99": Column("lower", "distance", 0.0, "99th percentile of the same"),
    "off_manifold": Column("lower", "share", 0.0, "samples farther than a tolerance from it"),
}


@metric("manifold_distance", view="truth", columns=COLUMNS, needs=("distance",))
def manifold_distance(
    fake: Tensor, truth: Truth, *, rng: Rng, tolerance: Annotated[float, above(0, 1)] = 0.05
) -> dict[str, Score]:
    r"""Returns how far samples lie from the manifold that holds all the data.

    .. math:: d(y) = \min_{x \in \mathcal M} |y - x|

    True points are at distance 0 up to rounding. It does not see how much of the manifold is covered.

    References:
        | Towards Principled Methods for Training GANs (Arjovsky and Bottou, 2017), section 2, for
          distributions on manifolds

    Arguments:
        fake: Generated points, shape (M, D), in data space.
        truth: The manifold's distance function.
        rng: Not used.
        tolerance: From which distance on a sample is off the manifold, as a share of half the width of
            the data's box (of 1 where the box is not known).

    Returns:
        Scores in data space's unit, lower is better; the share with its binomial standard error.
    """
    fake = _checks.points("manifold_distance", "fake", fake).double()
    if truth.distance is None:
        reason = "the distribution is not known to lie on a manifold"
        return {name: Score(None, reason=reason) for name in COLUMNS}
    distances = truth.distance(fake).double()
    half = 1.0 if truth.box is None else (truth.box[1] - truth.box[0]) / 2
    share = float((distances > tolerance * half).double().mean())
    high = float(torch.quantile(distances, 0.99))
    return {
        "manifold_distance": Score(float(torch.quantile(distances, 0.5)), floor=0.0),
        "manifold_distance_p99": Score(high, floor=0.0),
        "off_manifold": Score(share, math.sqrt(share * (1 - share) / len(distances)), floor=0.0),
    }
