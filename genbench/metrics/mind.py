"""The Monge Inception Distance: a scaled, squared sliced Wasserstein distance of features."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from genbench.core.allowed import Seed, whole
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics.sliced_wasserstein import along, squares_along

DISTANCE = Column(
    "lower", "scaled squared distance", 0.0, "3F times the squared sliced 2-Wasserstein"
)


@metric("mind", view="features", columns={"mind": DISTANCE}, paper="Berthet et al., 2026")
def mind(
    real: Tensor,
    fake: Tensor,
    *,
    rng: Rng,
    directions: Annotated[int, whole(2, 100_000)] = 1000,
    direction_seed: Seed = 2020,
) -> Score:
    r"""Returns the squared sliced 2-Wasserstein distance between features, times 3 F.

    .. math:: \frac{3F}{L} \sum_{l=1}^L W_2^2(u_l \cdot x, u_l \cdot y)

    The factor gives it the size of a Frechet distance. It needs fewer samples than that, no
    covariance, and sees more than two moments.

    References:
        | MIND: Monge Inception Distance for Generative Models Evaluation (Berthet et al., 2026), as
        | torch-fidelity's `monge_inception_distance` has it: the factor, and how directions are drawn

    Differences:
        Sets of unequal size are compared whole, by their quantile functions, where others drop points
        of the larger one.

    Arguments:
        real: Held-out features, shape (N, F).
        fake: Generated features, shape (M, F).
        rng: Not used: a fixed seed draws the directions.
        directions: How many directions, uniform on the sphere.
        direction_seed: The seed of the directions.

    Returns:
        A Score, lower is better, with its standard error over directions.
    """
    real, fake = _checks.pair("mind", real, fake)
    generator = torch.Generator().manual_seed(direction_seed)
    draws = torch.randn(directions, real.shape[1], generator=generator)
    theta = (draws / draws.norm(dim=1, keepdim=True).clamp_min(1e-12)).double().T.to(real.device)
    squares = torch.cat(
        [squares_along(along(real, t), along(fake, t)) for t in theta.split(64, dim=1)]
    )
    factor = 3 * real.shape[1]
    error = float(squares.std()) / math.sqrt(directions)
    return Score(factor * float(squares.mean()), factor * error, kind="estimate")
