"""Frechet distance extrapolated to endless samples."""

from __future__ import annotations

import numpy
from torch import Tensor

from genbench.core.errors import SpecError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics.fid import frechet, statistics

DISTANCE = Column(
    "lower", "squared feature distance", 0.0, "Frechet distance at n = infinity, a line in 1/n"
)


@metric(
    "fid_infinity",
    view="features",
    columns={"fid_infinity": DISTANCE},
    paper="Chong and Forsyth, 2020",
)
def fid_infinity(real: Tensor, fake: Tensor, *, rng: Rng, pieces: int = 8) -> Score:
    r"""Returns the Frechet distance that endless samples would have, from its fall with 1/n.

    .. math:: \mathrm{FID}(n) \approx \mathrm{FID}_\infty + b / n

    Both sets are cut into k = 1, 2, … equal pieces; the mean over pieces is the value at n = N/k, and
    the line through them is read at 1/n = 0. It is unbiased to first order, so it may be negative.

    References:
        | Effectively Unbiased FID and Inception Score and where to find them (Chong and Forsyth, 2020)

    Differences:
        Real points are cut too, since they are as few as the generated ones, where the paper takes
        their statistics as exact; disjoint pieces in place of 15 random subsets, which uses every
        point at every n.

    Arguments:
        real: Held-out features, shape (N, F).
        fake: Generated features, shape (M, F).
        rng: Draws which point falls into which piece.
        pieces: The largest number of pieces.

    Returns:
        A Score, lower is better, with the line's standard error; null where fewer than 3 sizes leave
        2 F points to a piece, since below that the bias is no line in 1/n.
    """
    if pieces < 3:
        raise SpecError(f"fid_infinity needs pieces >= 3, got {pieces}; the usual is 8")
    real, fake = _checks.pair("fid_infinity", real, fake)
    fewer, least = min(len(real), len(fake)), max(2 * real.shape[1], 16)
    most = min(pieces, fewer // least)
    if most < 3:
        reason = f"{3 * least} points of each kind would do, {fewer} are too few for a line in 1/n"
        return Score(None, kind="estimate", reason=reason)
    orders = [
        rng.fork(kind).permutation(len(x))[0] for kind, x in (("real", real), ("fake", fake))
    ]
    real, fake = (
        x[order[:fewer].to(x.device)] for x, order in zip((real, fake), orders, strict=True)
    )
    counts = range(1, most + 1)
    means = [_mean_over_pieces(real, fake, k) for k in counts]
    at_zero, error = _intercept(numpy.array([k / fewer for k in counts]), numpy.array(means))
    return Score(at_zero, error, kind="estimate", protocol={"pieces": most})


def _mean_over_pieces(real: Tensor, fake: Tensor, count: int) -> float:
    size = len(real) // count
    values = [
        frechet(*statistics(a), *statistics(b))
        for a, b in zip(real.split(size)[:count], fake.split(size)[:count], strict=True)
    ]
    return float(numpy.mean(values))


def _intercept(x: numpy.ndarray, y: numpy.ndarray) -> tuple[float, float]:
    """The line's height at x = 0 by least squares, and its standard error."""
    design = numpy.stack([numpy.ones_like(x), x], axis=1)
    line, *_ = numpy.linalg.lstsq(design, y, rcond=None)
    variance = ((y - design @ line) ** 2).sum() / (len(x) - 2)
    spread = numpy.linalg.inv(design.T @ design)[0, 0] * variance
    return float(line[0]), float(numpy.sqrt(spread))
