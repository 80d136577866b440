"""Energy distance."""

from __future__ import annotations

from torch import Tensor

from genbench.core.metric import Column, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.points.pairwise import Cloud, Look, Steps, pairwise

COLUMN = Column("lower", "distance", 0.0, "2 E|x - y| - E|x - x'| - E|y - y'|")


@metric(
    "energy_distance",
    view="points",
    columns={"energy_distance": COLUMN},
    paper="Szekely and Rizzo, 2013",
)
@pairwise
def energy_distance(real: Cloud, fake: Cloud, *, rng: Rng) -> Steps[float]:
    r"""Returns the energy distance between two sets of points, over all pairs.

    .. math:: 2\,E|x - y| - E|x - x'| - E|y - y'|

    Means are over all pairs, a point with itself included, so that it is >= 0 and 0 only for equal
    sets; for equal distributions it is of order 1/n. In one dimension it is twice Cramer's distance and the
    square of what scipy calls energy distance.

    References:
        | Energy statistics: A class of statistics based on distances (Szekely and Rizzo, 2013)

    Arguments:
        real: Held-out points, shape (N, D).
        fake: Generated points, shape (M, D).
        rng: Not used.

    Returns:
        A number >= 0 in the points' unit, lower is better; float64, exact over all pairs.
    """
    _checks.clouds("energy_distance", real, fake, least=1)
    n, m = len(real), len(fake)
    sums = [Distances(within) for within in (True, True, False)]
    sets = ((real, real), (fake, fake), (real, fake))
    yield [Look(x, y, part.see) for (x, y), part in zip(sets, sums, strict=True)]
    own, other, across = (part.total for part in sums)
    return max(0.0, 2 * across / (n * m) - own / (n * n) - other / (m * m))


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
