"""Energy distance."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from genbench.core.metric import Column, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.points.pairwise import Cloud, Look, Steps, pairwise

Estimator = Literal["unbiased", "biased"]
COLUMN = Column("lower", "distance", 0.0, "2 E|x - y| - E|x - x'| - E|y - y'|, unbiased")


@metric(
    "energy_distance",
    view="points",
    columns={"energy_distance": COLUMN},
    version=2,
    paper="Szekely and Rizzo, 2013",
)
@pairwise
def energy_distance(
    real: Cloud, fake: Cloud, *, rng: Rng, estimator: Estimator = "unbiased"
) -> Steps[float]:
    r"""Returns the energy distance between two sets of points, over all pairs.

    .. math:: 2\,E|x - y| - E|x - x'| - E|y - y'|

    Unbiased, a point is not compared with itself, so that for equal distributions the mean over draws is 0
    whatever the number of points; the estimate may be negative and keeps its sign. Biased (version 1, and
    published tables), it is 0 for equal sets, never negative, and for equal distributions of order
    1/n. In one dimension the biased one is twice Cramer's distance and the square of what scipy calls energy
    distance.

    References:
        | Energy statistics: A class of statistics based on distances (Szekely and Rizzo, 2013), the
        | U-statistic in place of its V-statistic
        | Equivalence of Distance-Based and RKHS-Based Statistics in Hypothesis Testing (Sejdinovic et al.,
        | 2013): it is twice a squared MMD under a kernel of distances, whose U-statistic is unbiased

    Arguments:
        real: Held-out points, shape (N, D).
        fake: Generated points, shape (M, D).
        rng: Not used.
        estimator: `unbiased`, over pairs of different points; `biased`, each point beside itself too.

    Returns:
        A number in the points' unit, lower is better; float64, exact over all pairs.
    """
    biased = estimator == "biased"
    _checks.clouds("energy_distance", real, fake, least=1 if biased else 2)
    n, m = len(real), len(fake)
    sums = [Distances(within) for within in (True, True, False)]
    sets = ((real, real), (fake, fake), (real, fake))
    yield [Look(x, y, part.see) for (x, y), part in zip(sets, sums, strict=True)]
    own, other, across = (part.total for part in sums)
    own, other = (total / (k * (k if biased else k - 1)) for total, k in ((own, n), (other, m)))
    value = 2 * across / (n * m) - own - other
    return max(0.0, value) if biased else value


class Distances:
    """The sum of distances over all pairs of two sets, or over ordered pairs of one.

    Arguments:
        within: Whether both are one set; a point is at no distance from itself.
    """

    def __init__(self, within: bool) -> None:
        self.within, self.total = within, 0.0

    def see(self, row: int, column: int, tile: Tensor) -> None:
        """Looks at a tile."""
        far = tile.clamp_min(0).sqrt_()
        if self.within and row == column:
            far.fill_diagonal_(0)
        self.total += float(far.sum()) * (2 if self.within and column > row else 1)
