"""Energy distance."""

from __future__ import annotations

from torch import Tensor

from genbench.core.metric import Column, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks, _tiles

COLUMN = Column("lower", "distance", 0.0, "2 E|x - y| - E|x - x'| - E|y - y'|")


@metric(
    "energy_distance",
    view="points",
    columns={"energy_distance": COLUMN},
    paper="Szekely and Rizzo, 2013",
)
def energy_distance(real: Tensor, fake: Tensor, *, rng: Rng) -> float:
    r"""Returns the energy distance between two sets of points, over all pairs.

    .. math:: 2\,E|x - y| - E|x - x'| - E|y - y'|

    Means are over all pairs, a point with itself included, so that it is >= 0 and 0 only for equal
    sets; for equal laws it is of order 1/n. In one dimension it is twice Cramer's distance and the
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
    real, fake = (x.double() for x in _checks.pair("energy_distance", real, fake, least=1))
    centre = real.mean(dim=0)
    real, fake = real - centre, fake - centre
    n, m = len(real), len(fake)
    across = _sum_of_distances(real, fake) / (n * m)
    return max(0.0, 2 * across - _within(real) / (n * n) - _within(fake) / (m * m))


def _sum_of_distances(x: Tensor, y: Tensor) -> float:
    left, right = _tiles.square_factors(x)[0], _tiles.square_factors(y)[1]
    tiles = _tiles.products(left, right)
    return sum(float(tile.clamp_min_(0).sqrt_().sum()) for _, _, tile in tiles)


def _within(x: Tensor) -> float:
    """The sum over ordered pairs of points of one set; a point is at no distance from itself."""
    total, (left, right) = 0.0, _tiles.square_factors(x)
    for row, column, tile in _tiles.products(left, right, symmetric=True):
        if row == column:
            tile.fill_diagonal_(0)
        part = float(tile.clamp_min_(0).sqrt_().sum())
        total += part if row == column else 2 * part
    return total
