"""A Gaussian kernel density estimate of the training set."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.allowed import Count
from genbench.core.dataset import DataSpec
from genbench.core.errors import DataError
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.fitted import FittedModel
from genbench.nn.mlp import flat

#: how many squared distances are held at once; more would not fit into the cache
CHUNK = 1 << 18
#: a smaller share of the largest squared distance is none
ROUNDING = 1e-13


@model("kde")
class KDE(FittedModel):
    r"""Creates the training set blurred by one Gaussian: what memory and smoothing alone can do.

    .. math::
        p(x) = \frac1N \sum_i N(x; x_i, h^2 I)

    The bandwidth h is the one, of powers of 2^(1/8), under which held-out points are likeliest: the best
    power of two first (from 2^-12 to 1, and on where an end is best), then the best of those around it.
    On data with a range samples are clamped to it, as the data set would do on the way to data space; the
    density is that of the unclamped estimate.

    References:
        | On Estimation of a Probability Density Function and Mode (Parzen, 1962)

    Arguments:
        points: How many points the estimate keeps at most.
        held_out: How many others choose the bandwidth, at most a fifth of all.
    """

    simple_fit = True
    paper = "Parzen, 1962"
    year = 1962

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        points: Count = 20_000,
        held_out: Count = 200,
    ) -> None:
        super().__init__(spec, rng)
        self.most, self.held_out = points, held_out
        zeros = torch.zeros(self.seeds, 1, spec.size)
        self.register_buffer("points", zeros, persistent=False)
        self.register_buffer("width", torch.ones(self.seeds, 1).double(), persistent=False)
        #: the bandwidths again, as numbers, which the density would have to wait for on a device
        self.widths = [1.0] * self.seeds
        self.points: Tensor
        self.width: Tensor

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Splits the training set at random, each seed in its own way, and chooses the bandwidth."""
        total = batch.x.shape[1]
        apart = min(self.held_out, total // 5)
        if apart < 1:
            raise DataError(f"kde needs at least 5 training points, got {total}; give more")
        order = rng.permutation(total)
        seeds = torch.arange(len(order), device=order.device).unsqueeze(1)
        shuffled = flat(batch.x)[seeds, order[:, : apart + self.most]]
        self.points = shuffled[:, apart:]
        chosen = [self._choose(x[:apart], x[apart:]) for x in shuffled]
        self.widths = chosen
        self.width = torch.tensor(chosen, dtype=torch.float64, device=order.device).unsqueeze(1)

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns kept points with noise, shape (S, n, D)."""
        rows = rng.integers(self.points.shape[1], n)
        seeds = torch.arange(len(rows), device=rows.device).unsqueeze(1)
        noise = rng.normal(n, self.spec.size)
        return self.points[seeds, rows].to(noise) + self.width.to(noise).unsqueeze(-1) * noise

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the exact log density in nats, shape (S, B)."""
        y = flat(x)
        logs = [
            torch.cat([_log_density(part, own, width) for part in _chunks(rows, len(own))])
            for rows, own, width in zip(y, self.points, self.widths, strict=True)
        ]
        return torch.stack(logs).to(x)

    def _choose(self, test: Tensor, points: Tensor) -> float:
        """The bandwidth under which the held-out points (M, D) are likeliest."""
        square = _squares(test, points)

        def best(widths: list[float]) -> float:
            return max(widths, key=lambda h: float(_log_mean(square, h, test.shape[1]).sum()))

        coarse = best([2.0**-i for i in range(13)])
        while coarse >= 1 and best([coarse, 2 * coarse]) > coarse:
            coarse *= 2
        # of points that are repeated the narrowest would be the likeliest, without end
        distinct = float(square.amin()) > ROUNDING * float(square.amax())
        while distinct and coarse <= 2.0**-12 and best([coarse, coarse / 2]) < coarse:
            coarse /= 2
        return best([coarse * 2 ** (i / 8) for i in range(-7, 8)])


def _chunks(x: Tensor, points: int) -> tuple[Tensor, ...]:
    return x.split(max(1, CHUNK // points))


def _squares(x: Tensor, points: Tensor) -> Tensor:
    # around their mean, since the products of numbers far from 0 hide what is between them
    centre = points.double().mean(0)
    return torch.cdist(x.double() - centre, points.double() - centre).square_()


def _log_density(x: Tensor, points: Tensor, width: float) -> Tensor:
    return _log_mean(_squares(x, points), width, x.shape[1])


def _log_mean(square: Tensor, width: float, dims: int) -> Tensor:
    norm = 0.5 * dims * math.log(2 * math.pi * width**2) + math.log(square.shape[1])
    least = square.amin(-1, keepdim=True)
    # what is 700 nats below the nearest kernel adds nothing, and its exponential would be slow
    away = (least - square).mul_(0.5 / width**2).clamp_min_(-700.0)
    return away.exp_().sum(-1).log() - least.squeeze(-1) * (0.5 / width**2) - norm
