"""Feature likelihood divergence: the likelihood of held-out points under Gaussians around samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.allowed import Count, Several
from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.points import memmap

COLUMNS = {
    "fld": Column(
        "lower",
        "nats per 100 dimensions",
        None,
        "held-out likelihood lost against training points",
    ),
    "fld_gap": Column(
        "none", "nats per 100 dimensions", None, "train less test; far below 0: memorised"
    ),
}
#: as in the authors' code: Adam's step on log variances, what keeps a first variance above 0, by how
#: much the mean is drawn near the points, and what log variances are kept within
STEP, FIRST, NEAR, WITHIN = 0.5, 1e-3, 0.9**2, (-40.0, 20.0)
#: rows of the matrix of distances that are worked on at once
ROWS = 512


@metric("fld", view="memory", columns=COLUMNS, paper="Jiralerspong et al., 2023")
def fld(
    train: Tensor,
    test: Tensor,
    fake: Tensor,
    *,
    rng: Rng,
    points: Several = 10_000,
    epochs: Count = 50,
) -> dict[str, Score]:
    r"""Returns the feature likelihood divergence and its generalisation gap.

    .. math:: p(x) = \frac1M \sum_j \mathcal N(x; y_j, \sigma_j^2 I), \quad
        \mathrm{FLD} = \frac{100}{F} \left( E_{\mathrm{test}} [-\log p] - C \right)

    Features are standardised by the held-out points. The widths are fitted to training points, so that
    a sample that copies one gets a narrow Gaussian and helps no held-out point. C is what Gaussians
    around half of the training points, fitted to the rest, reach. The gap is the same of training
    points less that of held-out ones.

    References:
        | Feature Likelihood Divergence: Evaluating the Generalization of Generative Models Using
        | Samples (Jiralerspong et al., 2023), and its code for all constants

    Differences:
        No more than `points` of the training and generated points are used, where the code limits the
        generated ones alone; one batch an epoch; features without spread are left as they are.

    Arguments:
        train: Features of the training set, shape (N, F), N > 3.
        test: Features of held-out points, shape (T, F).
        fake: Generated features, shape (M, F).
        rng: Draws which points are used, and the halves of the training points.
        points: The largest number of Gaussians and of points that they are fitted to.
        epochs: Steps of the fit.

    Returns:
        Scores, lower is better (for the gap neither way is), with standard errors over test points.
    """
    train, fake = _checks.pair("fld", train, fake)
    train, test = _checks.pair("fld", train, test)
    if len(train) < 4:
        raise DataError(f"fld needs at least 4 training points, got {len(train)}; give more")
    chosen = {
        name: _choose(x, points, rng.fork(name)) for name, x in (("train", train), ("fake", fake))
    }
    mean, std = _statistics(test)
    real, test_points = (
        (chosen["train"] - mean) / std,
        (memmap.rows(test, 0, len(test)) - mean) / std,
    )
    samples, half = (chosen["fake"] - mean) / std, min(len(fake), points, len(real) // 2)
    widths = _fit(samples, real, epochs)
    losses, own = _losses(samples, widths, test_points), _losses(samples, widths, real)
    base = _losses(real[:half], _fit(real[:half], real[half:], epochs), test_points)
    protocol = {"used": f"{len(real)}/{len(samples)}"}
    apart = losses - base
    error = [100 * float(x.std()) / math.sqrt(len(x)) for x in (apart, losses, own)]
    return {
        "fld": Score(100 * float(apart.mean()), error[0], "estimate", protocol=protocol),
        "fld_gap": Score(
            100 * float(own.mean() - losses.mean()),
            math.hypot(*error[1:]),
            "exact" if (len(real), len(samples)) == (len(train), len(fake)) else "estimate",
            protocol=protocol,
        ),
    }


def _choose(x: Tensor, count: int, rng: Rng) -> Tensor:
    return memmap.take(x, rng.permutation(len(x))[0][:count])


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    mean = memmap.mean(x)
    squares = sum((part - mean).square().sum(dim=0) for part in memmap.blocks(x))
    std = (torch.as_tensor(squares) / (len(x) - 1)).sqrt()
    return mean, std.masked_fill_(memmap.constant(x) | (std == 0), 1.0)


def _fit(centres: Tensor, x: Tensor, epochs: int) -> Tensor:
    """The log variances of Gaussians around centres (M, F) under which points (N, F) are likeliest."""
    squares = _squares(x, centres)
    size = x.shape[1]
    near = NEAR * (x - x.mean(dim=0)).square().sum(dim=1)
    first = ((squares.amin(dim=0).double() + FIRST) / size).log()
    logs = [first, first.new_zeros(())]
    adam = torch.optim.Adam(logs, lr=STEP)
    for _ in range(epochs):
        # the derivative of -mean(log p) / F by log variances: shares times (1 - |x - y|² / F var) / 2N
        slopes = [torch.zeros_like(log) for log in logs]
        for at in range(0, len(x), ROWS):
            part, own = squares[at : at + ROWS].double(), near[at : at + ROWS]
            scaled, far = part / logs[0].exp(), own / logs[1].exp()
            terms = -(scaled + size * logs[0]) / 2 - math.log(len(centres))
            # the mean of the points, as likely as all centres together, keeps far points from deciding
            mean = (-(far + size * logs[1]) / 2).unsqueeze(1)
            whole = torch.logaddexp(terms.logsumexp(dim=1, keepdim=True), mean)
            slopes[0] += ((terms - whole).exp() * (1 - scaled / size)).sum(dim=0)
            slopes[1] += ((mean - whole).exp()[:, 0] * (1 - far / size)).sum()
        for log, slope in zip(logs, slopes, strict=True):
            log.grad = slope / (2 * len(x))
        adam.step()
        logs[0].clamp_(*WITHIN)
    return logs[0]


def _losses(centres: Tensor, logs: Tensor, x: Tensor) -> Tensor:
    """-log p(x) / F under the Gaussians, shape (N,), float64."""
    size, losses = x.shape[1], []
    for part in x.split(ROWS):
        squares = _squares(part, centres).double()
        terms = -(squares / logs.exp() + size * (logs + math.log(2 * math.pi))) / 2
        losses.append(math.log(len(centres)) - terms.logsumexp(dim=1))
    return torch.cat(losses) / size


def _squares(x: Tensor, y: Tensor) -> Tensor:
    """Squared distances, (N, M); float32, in which many pairs take half the room."""
    return torch.cat([torch.cdist(part, y).square().float() for part in x.split(ROWS)])
