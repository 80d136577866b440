"""Maximum mean discrepancy."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor

from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._kernels import Kernel, Kind, choose
from genbench.points import memmap
from genbench.points.pairwise import Cloud, Steps, clouds, pairwise, together

Estimator = Literal["unbiased", "biased", "linear_time"]
DISTANCE = Column(
    "lower", "squared MMD", 0.0, "unbiased, mixture of RBF kernels", headline=20, orders=True
)


@metric(
    "mmd",
    view="points",
    columns={"mmd": DISTANCE},
    paper="Gretton et al., 2012",
)
@pairwise
def mmd(
    real: Cloud,
    fake: Cloud,
    *,
    rng: Rng,
    kernel: Kind = "rbf",
    estimator: Estimator = "unbiased",
) -> Steps[Score]:
    r"""Returns the squared MMD; unless told otherwise unbiased, under a mean of five Gaussian kernels.

    .. math:: \mathrm{MMD}^2 = E k(x, x') + E k(y, y') - 2 E k(x, y)
    .. math:: k(x, y) = \frac15 \sum_c \exp(-|x - y|^2 / 2 (c w)^2), \quad c = 1/4, 1/2, 1, 2, 4

    w is the median distance between points of `real` alone, so that the yardstick does not move with
    the model. Unbiased, a point is not compared with itself; the estimate may be negative and keeps
    its sign.

    References:
        | A Kernel Two-Sample Test (Gretton et al., 2012), lemmas 6 and 14, equation 5
        | Generative Moment Matching Networks (Li et al., 2015), section 4, for mixtures of kernels
        | Demystifying MMD GANs (Binkowski et al., 2018), for rational quadratic kernels

    Arguments:
        real: Held-out points, shape (N, D).
        fake: Generated points, shape (M, D).
        rng: Draws the pairs of the linear-time estimator.
        kernel: `rbf` as above; `rational_quadratic`, the mean over a = 1/5, 1/2, 1, 2, 5 of
            (1 + |x - y|²/2aw²)^-a; `linear`, x'y, which sees means alone; `polynomial`, (x'y/D + 1)³.
        estimator: `unbiased`; `biased`, with each point beside itself too, >= 0; `linear_time`, over
            min(N, M)/2 disjoint pairs, with its standard error.

    Returns:
        A Score, lower is better, with w in its protocol.

    Raises:
        DataError: If most points of `real` are equal and the kernel has a width.
    """
    _checks.clouds("mmd", real, fake)
    chosen = yield from choose("mmd", kernel, real)
    protocol = {} if chosen.width is None else {"bandwidth": float(f"{chosen.width:.6g}")}
    if estimator == "linear_time":
        value, error = _linear_time(real, fake, chosen, rng)
        return Score(value, error, "estimate", protocol=protocol)
    value = yield from squares_of(real, fake, chosen, estimator == "biased")
    return Score(value, protocol=protocol)


def squared_mmd(real: Tensor, fake: Tensor, kernel: Kernel, biased: bool = False) -> float:
    """Returns the squared MMD over all pairs of points, shapes (N, D) and (M, D)."""
    a, b = clouds(real, fake)
    return together([squares_of(a, b, kernel, biased)])[0][0]


def squares_of(real: Cloud, fake: Cloud, kernel: Kernel, biased: bool) -> Steps[float]:
    """The same, by looks at all pairs."""
    n, m = len(real), len(fake)
    within_real, within_fake, across = yield from kernel.sums(real, fake)
    if biased:
        value = within_real / n**2 + within_fake / m**2 - 2 * across / (n * m)
        return max(0.0, value)
    within_real, within_fake = within_real - kernel.own(real), within_fake - kernel.own(fake)
    return within_real / (n * (n - 1)) + within_fake / (m * (m - 1)) - 2 * across / (n * m)


def _linear_time(real: Cloud, fake: Cloud, kernel: Kernel, rng: Rng) -> tuple[float, float | None]:
    """The mean over disjoint pairs of pairs, and its standard error."""
    half = min(len(real), len(fake)) // 2
    orders = [
        rng.fork(name).permutation(len(x))[0] for name, x in (("real", real), ("fake", fake))
    ]
    step, of = memmap.height(real.x), kernel.of_pairs
    values = real.centre.new_empty(half)
    # the polynomial kernel is of points as they are
    centre = 0 if kernel.kind == "polynomial" else real.centre
    for at in range(0, half, step):
        stop = min(at + step, half)
        (x, x2), (y, y2) = (
            [memmap.take(p.x, order[a : a + stop - at]) - centre for a in (at, half + at)]
            for p, order in zip((real, fake), orders, strict=True)
        )
        values[at:stop] = of(x, x2) + of(y, y2) - of(x, y2) - of(x2, y)
    error = float(values.std()) / math.sqrt(half) if half > 1 else None
    return float(values.mean()), error
