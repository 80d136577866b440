"""Frechet distance between Gaussian fits."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.metric import Alias, Column, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._moments import eigenvalues, trace_norm
from genbench.points import memmap
from genbench.points.moments import statistics

#: products of larger variances overflow
LARGEST = 1e150
DISTANCE = Column(
    *("lower", "squared feature distance", 0.0, "Frechet distance of Gaussian fits"),
    headline=10,
    alias=Alias("frechet_inception_distance"),
    orders=True,
    learned=True,
)


@metric(
    "fid",
    view="features",
    columns={"fid": DISTANCE},
    train_reference=True,
    paper="Heusel et al., 2017",
    matrices=8,
    moments=lambda *moments: frechet(*moments),
)
def fid(real: Tensor, fake: Tensor, *, rng: Rng) -> float:
    r"""Returns the squared Frechet distance between Gaussians fitted to two sets of features.

    .. math:: |\mu_r - \mu_f|^2 + \mathrm{tr}(C_r) + \mathrm{tr}(C_f) - 2\,\mathrm{tr}(C_r C_f)^{1/2}

    It is biased upwards by a term that falls as 1/n, so values at different n do not compare.

    References:
        | GANs Trained by a Two Time-Scale Update Rule (Heusel et al., 2017), section 4

    Arguments:
        real: Held-out features, shape (N, F), N > 1.
        fake: Generated features, shape (M, F), M > 1.
        rng: Not used.

    Returns:
        A number >= 0, lower is better; covariances are unbiased (divided by n - 1), sums float64.
    """
    return distance("fid", real, fake)


def distance(who: str, real: Tensor, fake: Tensor) -> float:
    """Returns the squared Frechet distance between points (N, F) and (M, F) for a metric that is named.

    Raises:
        DataError: If they cannot be compared.
    """
    real, fake = _checks.pair(who, real, fake)
    if min(len(real), len(fake)) <= real.shape[1]:
        return _frechet_of_few(real, fake)
    return frechet(*statistics(real), *statistics(fake), who=who)


def frechet(
    real_mean: Tensor,
    real_cov: Tensor,
    fake_mean: Tensor,
    fake_cov: Tensor,
    *,
    who: str = "fid",
) -> float:
    """Returns the squared Frechet distance between two Gaussians from their moments, float64.

    The trace of the root is a sum of roots of eigenvalues of a symmetric matrix, never a matrix root:
    of L' C_f L, with C_r = L L', or where a covariance is singular the sum of singular values of
    A' B, with C_r = A A' and C_f = B B', which keeps full precision there.
    """
    largest = max(float(real_cov.trace()), float(fake_cov.trace()))
    if not largest < LARGEST:
        raise DataError(
            f"{who} needs features whose variance is below {LARGEST:g}, got {largest:.3g}; "
            f"scale both sets down"
        )
    values = eigenvalues(real_cov, fake_cov)
    if values is not None and values[0] > _negligible(values[-1], len(values)):
        return _assemble(real_mean, real_cov, fake_mean, fake_cov, values.sqrt().sum())
    root = torch.linalg.svdvals(_factor(real_cov).T @ _factor(fake_cov)).sum()
    return _assemble(real_mean, real_cov, fake_mean, fake_cov, root)


def _frechet_of_few(real: Tensor, fake: Tensor) -> float:
    """The same from points, by the triangular factors of the centred features: right for N <= F."""
    means, factors = [], []
    for x in (real, fake):
        mean = memmap.mean(x)
        means.append(mean)
        factors.append(_triangle(x, mean) / (len(x) - 1) ** 0.5)
    root = trace_norm(factors[0] @ factors[1].T)
    traces = sum(factor.square().sum() for factor in factors)
    return max(0.0, float((means[0] - means[1]).square().sum() + traces - 2 * root))


def _triangle(x: Tensor, mean: Tensor) -> Tensor:
    """The centred points where they are few, else a triangle R with as R'R the sum of their squares."""
    if len(x) <= x.shape[1]:
        return memmap.rows(x, 0, len(x)) - mean
    factor = x.new_empty(0, x.shape[1], dtype=torch.float64)
    for part in memmap.blocks(x):
        factor = torch.linalg.qr(torch.cat([factor, part - mean]), mode="r").R
    return factor


def _assemble(
    real_mean: Tensor, real_cov: Tensor, fake_mean: Tensor, fake_cov: Tensor, root: Tensor
) -> float:
    apart = (real_mean - fake_mean).square().sum()
    return max(0.0, float(apart + real_cov.trace() + fake_cov.trace() - 2 * root))


def _factor(cov: Tensor) -> Tensor:
    """A with cov = A A', its columns the directions whose variance is more than rounding."""
    values, vectors = torch.linalg.eigh(cov)
    large = values > _negligible(values[-1], len(values))
    return vectors[:, large] * values[large].sqrt()


def _negligible(largest: Tensor, size: int) -> Tensor:
    return size * torch.finfo(torch.float64).eps * largest
