"""Maximum mean discrepancy under Gaussian kernels."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks, _tiles

#: bandwidths as multiples of the median distance
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
#: e^-138 = 1e-60: exp of less adds nothing to a sum, and costs 10 to 100 times as much
FLOOR = -138.0
#: the most distances that are held and sorted at once to find their median
HELD = 2**21


@metric(
    "mmd",
    view="points",
    columns={"mmd": Column("lower", "squared MMD", 0.0, "unbiased, mixture of RBF kernels")},
    paper="Gretton et al., 2012",
)
def mmd(real: Tensor, fake: Tensor, *, rng: Rng) -> Score:
    r"""Returns the unbiased squared MMD under a mean of five Gaussian kernels.

    .. math:: k(x, y) = \frac15 \sum_c \exp(-|x - y|^2 / 2 (c w)^2), \quad c = 1/4, 1/2, 1, 2, 4

    w is the median distance between points of `real` alone, so that the yardstick does not move with
    the model. A point is not compared with itself; the estimate may be negative, its sign is kept.

    References:
        | A Kernel Two-Sample Test (Gretton et al., 2012), lemma 6
        | Generative Moment Matching Networks (Li et al., 2015), section 4, for mixtures of kernels

    Arguments:
        real: Held-out points, shape (N, D).
        fake: Generated points, shape (M, D).
        rng: Not used.

    Returns:
        A Score, lower is better, with w in its protocol.

    Raises:
        DataError: If all points of `real` are equal.
    """
    real, fake = (x.double() for x in _checks.pair("mmd", real, fake))
    centre = real.mean(dim=0)
    real, fake = real - centre, fake - centre
    width = median_distance(real)
    if width == 0:
        raise DataError(
            f"mmd needs real points of which most differ, got {len(real)} with a median distance of "
            f"0; compare them in another feature space"
        )
    return Score(squared_mmd(real, fake, width), protocol={"bandwidth": float(f"{width:.6g}")})


def squared_mmd(real: Tensor, fake: Tensor, width: float) -> float:
    """Returns the unbiased squared MMD under bandwidths width × FACTORS; float64, shape (N, D)."""
    (real_left, real_right), (fake_left, fake_right) = (
        _tiles.square_factors(x * (math.sqrt(0.5) / (FACTORS[-1] * width))) for x in (real, fake)
    )
    n, m = len(real), len(fake)
    within_real = _sum(real_left, real_right, symmetric=True) - n
    within_fake = _sum(fake_left, fake_right, symmetric=True) - m
    across = _sum(real_left, fake_right, symmetric=False)
    # every kernel is 1 between a point and itself
    return within_real / (n * (n - 1)) + within_fake / (m * (m - 1)) - 2 * across / (n * m)


def median_distance(x: Tensor) -> float:
    """Returns the median distance over all pairs of points (N, D), exactly, in bounded memory.

    Of an even number of pairs it is the mean of the middle two distances.
    """
    left, right = _tiles.square_factors(x)
    pairs = len(x) * (len(x) - 1) // 2
    lower, upper = (pairs - 1) // 2, pairs // 2
    top = 4 * float(_tiles.squared_norms(x).max()) + 1e-300
    low, high, inside = 0.0, top, pairs
    while inside > HELD and high - low > 1e-13 * top:
        low, high, inside = _narrow(left, right, lower, low, high)
    below, above, within, held = 0, math.inf, 0, []
    for squares in _squares(left, right):
        below += int((squares < low).sum())
        above = min(above, float(torch.where(squares > high, squares, math.inf).min()))
        found = squares[(squares >= low) & (squares <= high)]
        within += len(found)
        # more than can be held are left only when all are one number, up to rounding
        held.append(found if inside <= HELD else found.new_tensor([(low + high) / 2]))
    ordered = torch.cat(held).sort().values
    values = (
        above if rank >= below + within else float(ordered[min(rank - below, len(ordered) - 1)])
        for rank in (lower, upper)
    )
    return sum(math.sqrt(value) for value in values) / 2


def _narrow(
    left: Tensor, right: Tensor, rank: int, low: float, high: float, bins: int = 4096
) -> tuple[float, float, int]:
    """An interval of three bins around a rank, and how many squared distances it holds."""
    counts, below = torch.zeros(bins, dtype=torch.float64, device=left.device), 0
    for squares in _squares(left, right):
        counts += torch.histc(squares, bins, low, high)
        below += int((squares < low).sum())
    ends = counts.cumsum(0) + below
    # one bin of slack either way, since histc and a comparison may round an edge differently
    at = min(int(torch.searchsorted(ends, rank + 0.5)), bins - 1)
    first, last = max(at - 1, 0), min(at + 1, bins - 1)
    step = (high - low) / bins
    return low + first * step, low + (last + 1) * step, int(counts[first : last + 1].sum())


def _squares(left: Tensor, right: Tensor) -> Iterator[Tensor]:
    """Yields the squared distances of all pairs i < j, a flat piece at a time."""
    for row, column, tile in _tiles.products(left, right, symmetric=True):
        pairs = tile.flatten()
        if row == column:
            rows, columns = torch.triu_indices(*tile.shape, offset=1, device=tile.device)
            pairs = tile[rows, columns]
        if len(pairs):
            yield pairs.clamp_min_(0)


def _sum(left: Tensor, right: Tensor, *, symmetric: bool) -> float:
    """The sum of the mean of the kernels over all pairs."""
    total = 0.0
    for row, column, tile in _tiles.products(left, right, symmetric=symmetric):
        total += _kernels(tile) * (2 if symmetric and column > row else 1)
    return total


def _kernels(halves: Tensor) -> float:
    """The sum over a tile of the mean of the kernels, from |x - y|^2 / 2 (4 w)^2; overwrites it.

    One exponential serves the widest kernel; halving a bandwidth raises it to the fourth power. Small
    values are held at 1e-60, far below any sum's rounding, since subnormal numbers are slow.
    """
    kernel = halves.neg_().clamp_(FLOOR, 0).exp_()
    total = kernel.sum()
    for _ in FACTORS[1:]:
        kernel.clamp_min_(1e-60).square_().square_()
        total += kernel.sum()
    return float(total) / len(FACTORS)
