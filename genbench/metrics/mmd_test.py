"""The permutation test of the maximum mean discrepancy."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Count, Several
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._kernels import Kind, choose
from genbench.points import memmap
from genbench.points.pairwise import Cloud, together

COLUMN = Column(
    "none", "probability", None, "of so large an MMD if both sets had one distribution"
)


@metric("mmd_test", view="points", columns={"mmd_p": COLUMN}, paper="Gretton et al., 2012")
def mmd_test(
    real: Tensor,
    fake: Tensor,
    *,
    rng: Rng,
    kernel: Kind = "rbf",
    permutations: Count = 500,
    points: Several = 1000,
) -> dict[str, Score]:
    r"""Returns the p-value of the unbiased squared MMD under random exchange of real and generated.

    .. math:: p = \frac{1 + \#\{\mathrm{MMD}^2_\pi \ge \mathrm{MMD}^2\}}{1 + \#\pi}

    It is exact for any n: under one distribution P(p <= a) <= a. The kernel's width is the median distance of
    both sets together, which an exchange leaves as it is.

    References:
        | A Kernel Two-Sample Test (Gretton et al., 2012), section 8

    Arguments:
        real: Held-out points, shape (N, D).
        fake: Generated points, shape (M, D).
        rng: Draws which points count and the exchanges.
        kernel: As for `mmd`.
        permutations: How many exchanges; p is at least 1 / (1 + permutations).
        points: How many points of each kind count at most; memory grows as their square.

    Returns:
        A probability, neither way better: small means that the sets differ, whatever the size of the
        difference.
    """
    real, fake = _checks.pair("mmd_test", real, fake)
    real, fake = (
        memmap.take(x, rng.fork(name).permutation(len(x))[0][:points])
        for name, x in (("real", real), ("fake", fake))
    )
    both = torch.cat([real, fake])
    if kernel != "polynomial":
        both = both - both.mean(dim=0)
    chosen = together([choose("mmd_test", kernel, Cloud(both))])[0][0]
    matrix = chosen.matrix(both).fill_diagonal_(0)
    values = _exchanged(matrix, len(real), permutations, rng.fork("exchanges"))
    # equal values differ by rounding, which depends on the order of sums
    slack = 1e-12 * float(matrix.abs().mean())
    p = (1 + int((values[1:] >= values[0] - slack).sum())) / (1 + permutations)
    protocol = {"points": f"{len(real)}/{len(fake)}"}
    error = (p * (1 - p) / permutations) ** 0.5
    return {"mmd_p": Score(p, error, kind="estimate", protocol=protocol)}


def _exchanged(matrix: Tensor, n: int, count: int, rng: Rng) -> Tensor:
    """The unbiased squared MMD as observed, then after each exchange, shape (1 + count,)."""
    size = len(matrix)
    m = size - n
    first = matrix.new_zeros(1 + count, size)
    first[0, :n] = 1
    for row in first[1:]:
        row[rng.permutation(size)[0][:n].to(row.device)] = 1
    into = first @ matrix
    # the three sums of a symmetric matrix of which the first is w'Kw and the row sums are known
    within, all_from_first = (into * first).sum(dim=1), into.sum(dim=1)
    across = all_from_first - within
    other = matrix.sum() - within - 2 * across
    return within / (n * (n - 1)) + other / (m * (m - 1)) - 2 * across / (n * m)
