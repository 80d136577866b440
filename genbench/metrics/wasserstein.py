"""Exact Wasserstein distances between few points."""

from __future__ import annotations

import math
from functools import partial

import numpy
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from genbench.core.allowed import Count
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.points import memmap

COLUMNS = {
    "wasserstein_1": Column("lower", "distance", 0.0, "least mean distance over matchings"),
    "wasserstein_2": Column("lower", "distance", 0.0, "root of the least mean squared distance"),
}


@metric("wasserstein", view="points", columns=COLUMNS, at_most="points", paper="Villani, 2009")
def wasserstein(real: Tensor, fake: Tensor, *, rng: Rng, points: Count = 1000) -> dict[str, Score]:
    r"""Returns the exact 1- and 2-Wasserstein distances between the first points of each set.

    .. math:: W_p^p = \min_\sigma \frac1n \sum_i |x_i - y_{\sigma(i)}|^p

    Exact for the points given, by an optimal assignment; as an estimate of the distance of distributions it
    is biased upwards by about n^(-1/D), so read it beside its floor at the same n.

    References:
        | Optimal Transport: Old and New (Villani, 2009)
        | On implementing 2D rectangular assignment algorithms (Crouse, 2016), the algorithm

    Arguments:
        real: Held-out points, shape (N, D).
        fake: Generated points, shape (M, D).
        rng: Not used.
        points: How many points of each set count at most, the first ones (of points from
            elsewhere some at random); the time grows as the cube.

    Returns:
        Scores in the points' unit, lower is better; `points` in their protocol is how many counted.
    """
    real, fake = _checks.pair("wasserstein", real, fake, least=1)
    size = min(points, len(real), len(fake))
    exact = "donot_use_mm_for_euclid_dist"
    x, y = (memmap.rows(part, 0, size) for part in (real, fake))
    far = torch.cdist(x, y, compute_mode=exact).cpu().numpy()
    whole = size == len(real) == len(fake)
    score = partial(Score, kind="exact" if whole else "estimate", protocol={"points": size})
    return {
        "wasserstein_1": score(_least(far)),
        "wasserstein_2": score(math.sqrt(_least(far**2))),
    }


def _least(cost: numpy.ndarray) -> float:
    """The mean cost of the cheapest matching."""
    return float(cost[linear_sum_assignment(cost)].mean())
