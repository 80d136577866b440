"""Precision, recall, density and coverage by nearest neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.errors import DataError, SpecError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks, _tiles

COLUMNS = {
    "precision": Column("higher", "share", 1.0, "fakes inside the real manifold"),
    "recall": Column("higher", "share", 1.0, "reals inside the fake manifold"),
    "density": Column("higher", "ratio", 1.0, "real balls around a fake, over k; may exceed 1"),
    "coverage": Column("higher", "share", 1.0, "reals with a fake among their neighbours"),
}
#: numbers in a slab of distances: 32 MiB in float64
SLAB = 2**22


@metric("prdc", view="features", columns=COLUMNS, paper="Naeem et al., 2020")
def prdc(real: Tensor, fake: Tensor, *, rng: Rng, neighbours: int = 5) -> dict[str, Score]:
    r"""Returns four shares that split quality from diversity, by balls that reach the k-th neighbour.

    With B(x) the ball around x that reaches its k-th neighbour in its own set,

    .. math:: \mathrm{precision} = \frac1M \sum_j 1\{\exists i: y_j \in B(x_i)\}, \quad
        \mathrm{recall} = \frac1N \sum_i 1\{\exists j: x_i \in B(y_j)\}
    .. math:: \mathrm{density} = \frac1{kM} \sum_{ij} 1\{y_j \in B(x_i)\}, \quad
        \mathrm{coverage} = \frac1N \sum_i 1\{\exists j: y_j \in B(x_i)\}

    References:
        | Improved Precision and Recall Metric for Assessing Generative Models (Kynkaanniemi et al., 2019)
        | Reliable Fidelity and Diversity Metrics for Generative Models (Naeem et al., 2020)

    Differences:
        Balls are closed (<=), where the reference code of density and coverage has <: equal sets of
        repeated points score 1 and not 0. On continuous data the two agree.

    Arguments:
        real: Held-out features, shape (N, F), N > neighbours.
        fake: Generated features, shape (M, F), M > neighbours.
        rng: Not used.
        neighbours: The rank k of the neighbour that sets the radius; a point is not its own neighbour.

    Returns:
        Scores, higher is better; `ties` in their protocol is the share of real points whose k-th and
        (k+1)-th neighbours are equally far, where the choice of <= or < would matter.
    """
    if neighbours < 1:
        raise SpecError(f"prdc needs neighbours >= 1, got {neighbours}; the usual is 5")
    real, fake = (x.double() for x in _checks.pair("prdc", real, fake))
    if min(len(real), len(fake)) <= neighbours:
        raise DataError(
            f"prdc needs more than {neighbours} points of each kind, got {len(real)} real and "
            f"{len(fake)} fake; give more points or fewer neighbours"
        )
    centre = real.mean(dim=0)
    real, fake = real - centre, fake - centre
    (real_radii, real_ties), (fake_radii, _) = (_radii(x, neighbours) for x in (real, fake))
    protocol = {"ties": round(real_ties, 4)}
    shares = _shares(real, fake, real_radii, fake_radii, neighbours)
    return {name: Score(shares[name], protocol=protocol) for name in COLUMNS}


def _shares(
    real: Tensor, fake: Tensor, real_radii: Tensor, fake_radii: Tensor, neighbours: int
) -> dict[str, float]:
    precise = torch.zeros(len(fake), dtype=torch.bool, device=fake.device)
    inside = recalled = covered = 0
    left, right = _tiles.square_factors(real)[0], _tiles.square_factors(fake)[1]
    rows = max(1, SLAB // len(fake))
    for part, radii in zip(left.split(rows), real_radii.split(rows), strict=True):
        squares = part @ right.T
        in_real = squares <= radii.unsqueeze(1)
        precise |= in_real.any(dim=0)
        inside += int(in_real.sum())
        covered += int(in_real.any(dim=1).sum())
        recalled += int((squares <= fake_radii).any(dim=1).sum())
    return {
        "precision": float(precise.double().mean()),
        "recall": recalled / len(real),
        "density": inside / (neighbours * len(fake)),
        "coverage": covered / len(real),
    }


def _radii(x: Tensor, neighbours: int) -> tuple[Tensor, float]:
    """Squared distances to the k-th neighbour (N,), rounding included, and the share of ties."""
    left, right = _tiles.square_factors(x)
    # what a distance of 0 may come to by rounding, so that repeated points stay inside
    slack = 2 * torch.finfo(x.dtype).eps * (x.shape[1] + 4) * _tiles.squared_norms(x).max()
    found, ties = [], 0
    ranks = min(neighbours + 1, len(x) - 1)
    start = 0
    for part in left.split(max(1, SLAB // len(x))):
        squares = part @ right.T
        rows = torch.arange(len(part), device=x.device)
        squares[rows, rows + start] = torch.inf
        nearest = squares.topk(ranks, dim=1, largest=False).values
        ties += int((nearest[:, neighbours:] <= nearest[:, [neighbours - 1]] + slack).sum())
        found.append(nearest[:, neighbours - 1].clamp_min(0) + slack)
        start += len(part)
    return torch.cat(found), ties / len(x)
