"""Frechet distance extrapolated to endless samples."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Annotated

import numpy
import torch
from torch import Tensor

from genbench.core.allowed import whole
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._moments import add_outer, mirror
from genbench.metrics.fid import frechet
from genbench.points import memmap

DISTANCE = Column(
    "lower", "squared feature distance", 0.0, "Frechet distance at n = infinity, a line in 1/n"
)


@metric(
    "fid_infinity",
    view="features",
    columns={"fid_infinity": DISTANCE},
    paper="Chong and Forsyth, 2020",
    matrices=26,
)
def fid_infinity(
    real: Tensor, fake: Tensor, *, rng: Rng, pieces: Annotated[int, whole(3)] = 8
) -> Score:
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
        2 F points to a piece, since below that the bias is not a line in 1/n.
    """
    real, fake = _checks.pair("fid_infinity", real, fake)
    fewer, least = min(len(real), len(fake)), max(2 * real.shape[1], 16)
    most = min(pieces, fewer // least)
    if most < 3:
        reason = f"{3 * least} points of each kind would do, {fewer} are too few for a line in 1/n"
        return Score(None, kind="estimate", reason=reason)
    orders = [
        rng.fork(kind).permutation(len(x))[0][:fewer]
        for kind, x in (("real", real), ("fake", fake))
    ]
    counts = range(1, most + 1)
    means = _means_over_pieces((real, fake), orders, fewer, counts)
    at_zero, error = _intercept(numpy.array([k / fewer for k in counts]), numpy.array(means))
    return Score(at_zero, error, kind="estimate", protocol={"pieces": most})


def _means_over_pieces(
    sets: tuple[Tensor, Tensor], orders: list[Tensor], n: int, counts: range
) -> list[float]:
    """The mean distance over 1, 2, … pieces, by one pass over the points.

    Between two ends of pieces, of any number of them, sums are made once and added to all the pieces
    that are open there.
    """
    ends = sorted({j * (n // k) for k in counts for j in range(k + 1)})
    open_ = {k: [CentredSums.of(x) for x in sets] for k in counts}
    distances: dict[int, list[float]] = {k: [] for k in counts}
    centres = [memmap.mean(x) for x in sets]
    for start, end in itertools.pairwise(ends):
        parts = [
            CentredSums.of(x).add(x, order[start:end], centre)
            for x, order, centre in zip(sets, orders, centres, strict=True)
        ]
        for k in counts:
            if start >= k * (n // k):
                continue
            for into, part in zip(open_[k], parts, strict=True):
                into.join(part)
            if end % (n // k) == 0:
                moments = [m.finish(c) for m, c in zip(open_[k], centres, strict=True)]
                distances[k].append(frechet(*moments[0], *moments[1]))
                open_[k] = [CentredSums.of(x) for x in sets]
    return [float(numpy.mean(distances[k])) for k in counts]


@dataclass
class CentredSums:
    """Sums of points less a centre, (F,), and of their outer products, (F, F), in float64."""

    count: int
    first: Tensor
    second: Tensor

    @classmethod
    def of(cls, x: Tensor) -> CentredSums:
        """Returns the moments of no points yet."""
        size, kind = x.shape[1], {"dtype": torch.float64, "device": x.device}
        return cls(0, torch.zeros(size, **kind), torch.zeros(size, size, **kind))

    def add(self, x: Tensor, rows: Tensor, centre: Tensor) -> CentredSums:
        """Adds some rows of points."""
        for part in rows.split(memmap.height(x)):
            near = memmap.take(x, part).sub_(centre)
            self.first += near.sum(dim=0)
            add_outer(self.second, near)
        self.count += len(rows)
        return self

    def join(self, other: CentredSums) -> None:
        """Adds what another one has summed."""
        self.count += other.count
        self.first += other.first
        self.second += other.second

    def finish(self, centre: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the mean and the unbiased covariance, and uses the sums up."""
        mean = self.first / self.count
        cov = mirror(self.second).addr_(self.first, mean, alpha=-1).div_(self.count - 1)
        return centre + mean, cov


def _intercept(x: numpy.ndarray, y: numpy.ndarray) -> tuple[float, float]:
    """The line's height at x = 0 by least squares, and its standard error."""
    design = numpy.stack([numpy.ones_like(x), x], axis=1)
    line, *_ = numpy.linalg.lstsq(design, y, rcond=None)
    variance = ((y - design @ line) ** 2).sum() / (len(x) - 2)
    spread = numpy.linalg.inv(design.T @ design)[0, 0] * variance
    return float(line[0]), float(numpy.sqrt(spread))
