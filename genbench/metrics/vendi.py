"""The Vendi score: how many different points a set holds."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Positive
from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._moments import add_outer, mirror
from genbench.points import memmap

COLUMN = Column("higher", "effective points", None, "exp of the entropy of the similarities")


@metric(
    "vendi",
    view="features",
    columns={"vendi": COLUMN},
    paper="Friedman and Dieng, 2023",
    matrices=2,
)
def vendi(real: Tensor, fake: Tensor, *, rng: Rng, order: Positive = 1.0) -> Score:
    r"""Returns the effective number of different samples, by cosine similarities of their features.

    .. math:: \exp\left(-\sum_i \lambda_i \log \lambda_i\right), \quad
        \lambda = \mathrm{eig}(K / M), \quad K_{ij} = y_i \cdot y_j / |y_i| |y_j|

    It is 1 where all samples are alike and M where all are orthogonal; it never looks at real points,
    grows with M, and noise raises it. The floor is what the real points score.

    References:
        | The Vendi Score: A Diversity Evaluation Metric for Machine Learning (Friedman and Dieng,
        | 2023), definition 3.1; its package normalises features likewise
        | Cousins of the Vendi Score (Pasarkar and Dieng, 2024), for other orders

    Arguments:
        real: Held-out features, shape (N, F).
        fake: Generated features, shape (M, F), none of them 0.
        rng: Not used.
        order: The order of Renyi's entropy; 1 is Shannon's.

    Returns:
        A Score in [1, min(M, F)], higher is more diverse.
    """
    real, fake = _checks.pair("vendi", real, fake)
    floor = None if _zeros(real) else _score(real, order)
    if _zeros(fake):
        raise DataError(
            f"vendi needs fake points that have a direction, got {_zeros(fake)} of {len(fake)} that are "
            f"0; compare them in another feature space"
        )
    return Score(_score(fake, order), floor=floor)


def _score(x: Tensor, order: float) -> float:
    values = torch.linalg.eigvalsh(_similarities(x)).clamp_min_(0)
    # what rounding leaves of eigenvalues that are 0 would count by small orders
    least = len(values) * torch.finfo(values.dtype).eps if order < 1 else 0.0
    p = values[values > least]
    # so near to 1 the quotient below is of rounding, and the limit is as near as need be
    if abs(order - 1) < 1e-9:
        return float((-(p * p.log()).sum()).exp())
    return float(((order * p.log()).logsumexp(0) / (1 - order)).exp())


def _similarities(x: Tensor) -> Tensor:
    """A matrix with the eigenvalues of K / M that are not 0: by points, or by features if these are fewer."""
    if len(x) <= x.shape[1]:
        units = _unit(memmap.rows(x, 0, len(x)))
        return units @ units.T / len(x)
    total = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64, device=x.device)
    for part in memmap.blocks(x):
        add_outer(total, _unit(part).contiguous())
    return mirror(total).div_(len(x))


def _unit(x: Tensor) -> Tensor:
    # squares of very small or large numbers would leave float64
    scaled = x / x.abs().amax(dim=1, keepdim=True)
    return scaled / scaled.norm(dim=1, keepdim=True)


def _zeros(x: Tensor) -> int:
    return sum(int((part == 0).all(dim=1).sum()) for part in memmap.blocks(x))
