"""Parzen window log-likelihood, for history's sake."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.errors import DataError, SpecError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks, _tiles

COLUMN = Column(
    "higher",
    "nats",
    None,
    "under a kernel density of samples; comparable with no other likelihood",
)
#: numbers in a slab of distances: 16 MiB in float64
SLAB = 2**21


@metric(
    "parzen",
    view="points",
    columns={"parzen": COLUMN},
    paper="Breuleux et al., 2011; Theis et al., 2016",
)
def parzen(
    real: Tensor, fake: Tensor, *, rng: Rng, bandwidths: int = 16, points: int = 2000
) -> Score:
    r"""Returns the mean log-likelihood of held-out points under Gaussians of one width on the samples.

    .. math:: \log p(x) = \log \frac1M \sum_j N(x; y_j, \sigma^2 I)

    The width is the best for one half of the held-out points, the value is of the other half. Kept so
    that early papers can be read beside it: in many dimensions it is far from the model's likelihood,
    ranks models wrongly and prefers centres of clusters to true samples (Theis et al., 2016, section
    3.2); it compares with nothing but itself at the same number of samples.

    References:
        | Quickly Generating Representative Samples from an RBM-Derived Process (Breuleux et al., 2011)
        | Generative Adversarial Nets (Goodfellow et al., 2014), table 1
        | A note on the evaluation of generative models (Theis et al., 2016)

    Arguments:
        real: Held-out points, shape (N, D), N >= 4.
        fake: Generated points, shape (M, D).
        rng: Draws which held-out points count, and their halves.
        bandwidths: How many widths are tried, from 1/300 to 1 times the data's standard deviation.
        points: How many held-out points count at most.

    Returns:
        A Score in nats, higher is better, with its standard error over points; null for constant data.
    """
    if bandwidths < 1 or points < 4:
        raise SpecError(
            f"parzen needs bandwidths >= 1 and points >= 4, got {bandwidths} and {points}; the usual "
            f"are 16 and 2000"
        )
    real, fake = (x.double() for x in _checks.pair("parzen", real, fake))
    if len(real) < 4:
        raise DataError(f"parzen needs at least 4 real points, got {len(real)}; give more points")
    scale = float(real.var(dim=0).mean().sqrt())
    if scale == 0:
        return Score(None, kind="estimate", reason="all held-out points are equal")
    order = rng.permutation(len(real))[0][:points].to(real.device)
    centre = real.mean(dim=0)
    chosen, fake = real[order] - centre, fake - centre
    half = len(chosen) // 2
    widths = [scale * 10 ** float(e) for e in torch.linspace(-2.5, 0, bandwidths)]
    best = max(widths, key=lambda width: float(_log_prob(chosen[:half], fake, [width]).mean()))
    values = _log_prob(chosen[half:], fake, [best])[0]
    protocol = {"bandwidth": float(f"{best:.4g}"), "comparable": "no"}
    error = float(values.std()) / math.sqrt(len(values))
    return Score(float(values.mean()), error, "estimate", protocol=protocol)


def _log_prob(x: Tensor, centres: Tensor, widths: list[float]) -> Tensor:
    """The log densities of points (N, D) under each width, shape (widths, N)."""
    left, right = _tiles.square_factors(x)[0], _tiles.square_factors(centres)[1]
    parts = []
    for rows in left.split(max(1, SLAB // len(centres))):
        squares = (rows @ right.T).clamp_min_(0)
        parts.append(torch.stack([_logsumexp(squares, width) for width in widths]))
    size = x.shape[1]
    norms = [size * math.log(w * math.sqrt(2 * math.pi)) + math.log(len(centres)) for w in widths]
    return torch.cat(parts, dim=1) - torch.tensor(norms, dtype=x.dtype, device=x.device).unsqueeze(
        1
    )


def _logsumexp(squares: Tensor, width: float) -> Tensor:
    """The same as torch's, but never takes exp of what underflows, which is slow."""
    exponents = squares / (-2 * width**2)
    top = exponents.amax(dim=1, keepdim=True)
    total = (exponents - top).clamp_min_(-100).exp_().sum(dim=1)
    return total.log() + top.squeeze(1)
