"""Parzen window log-likelihood, for history's sake."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from genbench.core.allowed import whole
from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.points import memmap
from genbench.points.pairwise import Cloud, Look, Steps, pairwise

COLUMN = Column(
    "higher",
    "nats",
    None,
    "under a kernel density of samples; comparable with no other likelihood",
)


@metric(
    "parzen",
    view="points",
    columns={"parzen": COLUMN},
    paper="Breuleux et al., 2011; Theis et al., 2016",
)
@pairwise
def parzen(
    real: Cloud,
    fake: Cloud,
    *,
    rng: Rng,
    bandwidths: Annotated[int, whole(2, 10_000)] = 16,
    points: Annotated[int, whole(4)] = 2000,
) -> Steps[Score]:
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
    _checks.clouds("parzen", real, fake)
    if len(real) < 4:
        raise DataError(f"parzen needs at least 4 real points, got {len(real)}; give more points")
    # the mean over coordinates of their variance
    scale = math.sqrt(float(real.norms.sum()) / ((len(real) - 1) * real.size))
    if scale == 0 or memmap.constant(real.x).all():
        return Score(None, kind="estimate", reason="all held-out points are equal")
    order = rng.permutation(len(real))[0][:points].to(real.x.device)
    halves = [
        Cloud(real.x, real, part) for part in (order[: len(order) // 2], order[len(order) // 2 :])
    ]
    widths = [scale * 10 ** float(e) for e in torch.linspace(-2.5, 0, bandwidths)]
    tried = Densities(len(halves[0]), widths, real.x)
    yield [Look(halves[0], fake, tried.see)]
    best = widths[int(tried.log_prob(fake).mean(dim=1).argmax())]
    densities = Densities(len(halves[1]), [best], real.x)
    yield [Look(halves[1], fake, densities.see)]
    values = densities.log_prob(fake)[0]
    protocol = {"bandwidth": float(f"{best:.4g}"), "comparable": "no"}
    error = float(values.std()) / math.sqrt(len(values))
    return Score(float(values.mean()), error, "estimate", protocol=protocol)


class Densities:
    """Log densities of points under Gaussians of each width on all the others they are shown.

    Arguments:
        count: How many points there are.
        widths: The standard deviations.
        like: Gives the device.
    """

    def __init__(self, count: int, widths: list[float], like: Tensor) -> None:
        self.widths = widths
        kind = {"dtype": torch.float64, "device": like.device}
        self.total = torch.full((len(widths), count), -torch.inf, **kind)

    def see(self, row: int, column: int, tile: Tensor) -> None:
        """Looks at squared distances of points (rows) to the Gaussians' centres (columns)."""
        squares = tile.clamp_min(0)
        part = torch.stack([_logsumexp(squares, width) for width in self.widths])
        place = slice(row, row + len(tile))
        self.total[:, place] = torch.logaddexp(self.total[:, place], part)

    def log_prob(self, centres: Cloud) -> Tensor:
        """Returns the log densities, shape (widths, N)."""
        norms = [centres.size * math.log(w * math.sqrt(2 * math.pi)) for w in self.widths]
        return self.total - (self.total.new_tensor(norms) + math.log(len(centres))).unsqueeze(1)


def _logsumexp(squares: Tensor, width: float) -> Tensor:
    """The same as torch's, but never takes exp of what underflows, which is slow."""
    exponents = squares / (-2 * width**2)
    top = exponents.amax(dim=1, keepdim=True)
    total = (exponents - top).clamp_min_(-100).exp_().sum(dim=1)
    return total.log() + top.squeeze(1)
