"""The maximum mean discrepancy that CMMD takes of CLIP's embeddings."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from genbench.core.allowed import above
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.points.pairwise import Cloud, Look, Steps, pairwise

DISTANCE = Column("lower", "scaled squared MMD", 0.0, "one Gaussian kernel of fixed width, biased")


@metric("cmmd", view="features", columns={"cmmd": DISTANCE}, paper="Jayasumana et al., 2024")
@pairwise
def cmmd(
    real: Cloud,
    fake: Cloud,
    *,
    rng: Rng,
    sigma: Annotated[float, above(1e-6, 1e6)] = 10.0,
    scale: Annotated[float, above(0, 1e9)] = 1000.0,
) -> Steps[Score]:
    r"""Returns the squared MMD under one Gaussian kernel of fixed width, times a thousand.

    .. math:: s \left( \frac1{N^2} \sum_{ij} k(x_i, x_j) + \frac1{M^2} \sum_{ij} k(y_i, y_j)
        - \frac2{NM} \sum_{ij} k(x_i, y_j) \right), \quad k(x, y) = e^{-|x - y|^2 / 2 \sigma^2}

    Under `clip` it is CMMD. Each point is compared with itself too, so it is biased upwards, by less
    than s |x|²/σ² (1/N + 1/M) / 2 for embeddings of length |x|. The width suits embeddings of length 1.

    References:
        | Rethinking FID: Towards a Better Evaluation Metric for Image Generation (Jayasumana et al.,
        | 2024), section 4; sigma and scale as in its code
        | A Kernel Two-Sample Test (Gretton et al., 2012), equation 5

    Arguments:
        real: Held-out features, shape (N, F).
        fake: Generated features, shape (M, F).
        rng: Not used.
        sigma: The width of the kernel.
        scale: What the squared MMD is multiplied by.

    Returns:
        A Score >= 0 up to rounding, lower is better.
    """
    _checks.clouds("cmmd", real, fake)
    sums = [_Sum(sigma, within) for within in (True, True, False)]
    sets = ((real, real), (fake, fake), (real, fake))
    yield [Look(x, y, part.see) for (x, y), part in zip(sets, sums, strict=True)]
    means = [part.total / (len(x) * len(y)) for (x, y), part in zip(sets, sums, strict=True)]
    return Score(scale * (means[0] + means[1] - 2 * means[2]))


class _Sum:
    """The sum of the kernel over all pairs; of a set with itself each pair is seen once."""

    def __init__(self, sigma: float, within: bool) -> None:
        self.rate, self.within, self.total = -0.5 / sigma**2, within, 0.0

    def see(self, row: int, column: int, tile: Tensor) -> None:
        """Looks at a tile."""
        part = float((tile * self.rate).clamp_max_(0).exp_().sum())
        self.total += part * (2 if self.within and column > row else 1)
