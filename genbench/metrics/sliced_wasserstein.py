"""Sliced Wasserstein distance."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from genbench.core.allowed import Seed, whole
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.points import memmap

COLUMN = Column("lower", "distance", 0.0, "root of the mean squared 2-Wasserstein over directions")


@metric(
    "sliced_wasserstein",
    view="points",
    columns={"sliced_wasserstein": COLUMN},
    paper="Rabin et al., 2011; Bonneel et al., 2015",
)
def sliced_wasserstein(
    real: Tensor,
    fake: Tensor,
    *,
    rng: Rng,
    directions: Annotated[int, whole(2, 100_000)] = 512,
    direction_seed: Seed = 0,
) -> Score:
    r"""Returns the sliced 2-Wasserstein distance, over directions that are the same in every run.

    .. math:: \left( E_\theta W_2^2(\theta \cdot x, \theta \cdot y) \right)^{1/2}

    Along a line the distance is exact, also between sets of unequal size: it is that of their quantile
    functions. It is biased upwards, and of order n^(-1/2) for equal distributions.

    References:
        | Wasserstein Barycenter and its Application to Texture Mixing (Rabin et al., 2011)
        | Sliced and Radon Wasserstein Barycenters of Measures (Bonneel et al., 2015)

    Arguments:
        real: Held-out points, shape (N, D).
        fake: Generated points, shape (M, D).
        rng: Not used: a fixed seed draws the directions.
        directions: How many directions, uniform on the sphere; one is all there is for D = 1.
        direction_seed: The seed of the directions.

    Returns:
        A Score in the points' unit, lower is better; its standard error is over directions.
    """
    real, fake = _checks.pair("sliced_wasserstein", real, fake)
    size = real.shape[1]
    if size == 1:
        return Score(math.sqrt(float(squares_along(real.double(), fake.double()))))
    draws = (
        Rng([direction_seed], dtype=torch.float64).fork("directions").normal(directions, size)[0]
    )
    theta = (draws / draws.norm(dim=1, keepdim=True)).T.to(real.device)
    squares = torch.cat(
        [squares_along(along(real, t), along(fake, t)) for t in theta.split(64, dim=1)]
    )
    value = math.sqrt(float(squares.mean()))
    error = float(squares.std()) / math.sqrt(directions)
    return Score(value, error / (2 * value) if value > 0 else 0.0, kind="estimate")


def along(x: Tensor, directions: Tensor) -> Tensor:
    """Returns the places of points (N, D) along directions (D, K), float64, shape (N, K)."""
    return memmap.joined(memmap.blocks(x), len(x), lambda part: part @ directions)


def squares_along(x: Tensor, y: Tensor) -> Tensor:
    """Returns the squared 2-Wasserstein distances of columns of (N, K) and (M, K), shape (K,)."""
    n, m = len(x), len(y)
    x, y = x.sort(dim=0).values, y.sort(dim=0).values
    if n == m:
        return (x - y).square().mean(dim=0)
    # both quantile functions are steps; integers keep the steps' ends exact
    ends = torch.cat([torch.arange(1, n + 1) * m, torch.arange(1, m + 1) * n]).unique()
    starts = torch.cat([ends.new_zeros(1), ends[:-1]])
    width = ((ends - starts).double() / (n * m)).to(x)
    steps = (x[(starts // m).to(x.device)] - y[(starts // n).to(y.device)]).square()
    return width @ steps
