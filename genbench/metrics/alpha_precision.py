"""Precision and recall of every level: of the densest parts of both sets."""

from __future__ import annotations

from typing import Annotated

import numpy
import torch
from torch import Tensor

from genbench.core.allowed import whole
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._neighbours import Smallest, slack
from genbench.points import memmap
from genbench.points.pairwise import Cloud, Look, Steps, pairwise

COLUMNS = {
    "alpha_precision": Column(
        "higher", "share", 1.0, "fakes in the real ball of each level, integrated"
    ),
    "beta_recall": Column(
        "higher", "share", None, "reals near the fakes of each level, integrated"
    ),
}


@metric("alpha_precision", view="features", columns=COLUMNS, paper="Alaa et al., 2022")
@pairwise
def alpha_precision(
    real: Cloud, fake: Cloud, *, rng: Rng, levels: Annotated[int, whole(2, 100_000)] = 30
) -> Steps[dict[str, Score]]:
    r"""Returns the integrated alpha-precision and beta-recall.

    .. math:: 1 - 2 \int_0^1 |P(t) - t| \, dt, \quad P_\alpha = \frac1M \sum_j
        1\{|y_j - c_r| \le Q_\alpha(|x - c_r|)\}
    .. math:: R_\beta = \frac1N \sum_i 1\{|x_i - y_{j(i)}| \le \min_{k \ne i} |x_i - x_k|, \;
        |y_{j(i)} - c_f| \le Q_\beta(|y_{j(i)} - c_f|)\}

    c are the means, Q quantiles, y_{j(i)} the sample nearest to x_i. Fresh true points score about 1
    in precision; in recall less, since only about half of the points have a sample nearer than a point.

    References:
        | How Faithful is your Synthetic Data? (Alaa et al., 2022), sections 3 and 4, and its code,
        | whose levels, sum in place of the integral, and nearest samples are taken over

    Differences:
        No one-class embedding is trained first: features are compared as they are, as the paper does
        for images.

    Arguments:
        real: Held-out features, shape (N, F).
        fake: Generated features, shape (M, F).
        rng: Not used.
        levels: How many levels from 0 to 1.

    Returns:
        Scores at most about 1, higher is better; below 0 where most of a curve is far off.
    """
    _checks.clouds("alpha_precision", real, fake)
    own, other = Smallest(len(real), 1, real.x), Smallest(len(real), 1, real.x)
    yield [Look(real, real, own.within), Look(real, fake, other.add)]
    reach = own.squares[:, 0].clamp_min(0)
    near = (other.squares[:, 0] <= reach + slack(real, reach)).cpu().numpy()
    # the first set's mean is the centre of both clouds
    spread = [x.norms.sqrt().cpu().numpy() for x in (real, fake)]
    nearest = _from_mean(fake)[other.rows[:, 0]].cpu().numpy()
    alphas = numpy.linspace(0, 1, levels)
    precision = [(spread[1] <= radius).mean() for radius in numpy.quantile(spread[0], alphas)]
    recall = [(near & (nearest <= radius)).mean() for radius in numpy.quantile(nearest, alphas)]
    curves = {"alpha_precision": precision, "beta_recall": recall}
    return {name: Score(_integrate(alphas, curve)) for name, curve in curves.items()}


def _integrate(alphas: numpy.ndarray, curve: list[float]) -> float:
    return float(1 - 2 * numpy.abs(alphas - numpy.array(curve)).sum() * alphas[1])


def _from_mean(x: Cloud) -> Tensor:
    """The distance of each point to the mean of its own set, shape (N,)."""
    mean = torch.stack([part.sum(dim=0) for part in x.blocks()]).sum(dim=0) / len(x)
    return memmap.joined(x.blocks(), len(x), lambda part: (part - mean).norm(dim=1))
