"""Precision, recall, density and coverage by nearest neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Count
from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._neighbours import Smallest, slack
from genbench.points.pairwise import Cloud, Look, Steps, pairwise

COLUMNS = {
    "precision": Column("higher", "share", 1.0, "fakes inside the real manifold", headline=50),
    "recall": Column("higher", "share", 1.0, "reals inside the fake manifold", headline=60),
    "density": Column("higher", "ratio", 1.0, "real balls around a fake, over k; may exceed 1"),
    "coverage": Column("higher", "share", 1.0, "reals with a fake among their neighbours"),
}


@metric("prdc", view="features", columns=COLUMNS, paper="Naeem et al., 2020")
@pairwise
def prdc(real: Cloud, fake: Cloud, *, rng: Rng, neighbours: Count = 5) -> Steps[dict[str, Score]]:
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
    _checks.clouds("prdc", real, fake)
    if min(len(real), len(fake)) <= neighbours:
        raise DataError(
            f"prdc needs more than {neighbours} points of each kind, got {len(real)} real and "
            f"{len(fake)} fake; give more points or fewer neighbours"
        )
    near = [Smallest(len(x), min(neighbours + 1, len(x) - 1), x.x) for x in (real, fake)]
    yield [Look(x, x, nearest.within) for x, nearest in zip((real, fake), near, strict=True)]
    (real_radii, ties), (fake_radii, _) = (
        _radii(x, nearest.squares, neighbours)
        for x, nearest in zip((real, fake), near, strict=True)
    )
    shares = Shares(real_radii, fake_radii)
    yield [Look(real, fake, shares.see)]
    protocol = {"ties": round(ties, 4)}
    return {
        name: Score(value, protocol=protocol) for name, value in shares.values(neighbours).items()
    }


class Shares:
    """Counts who lies within whose ball.

    Arguments:
        real: The squared radii of the balls around real points, (N,).
        fake: Those of generated points, (M,).
    """

    def __init__(self, real: Tensor, fake: Tensor) -> None:
        self.real, self.fake, self.inside = real, fake, 0
        self.recalled, self.covered = (torch.zeros_like(real, dtype=torch.bool) for _ in range(2))
        self.precise = torch.zeros_like(fake, dtype=torch.bool)

    def see(self, row: int, column: int, tile: Tensor) -> None:
        """Looks at squared distances of real (rows) to generated points (columns)."""
        rows, columns = (
            slice(at, at + n) for at, n in zip((row, column), tile.shape, strict=True)
        )
        # as bytes: their largest is found twenty times as fast as whether any is true
        in_real = (tile <= self.real[rows].unsqueeze(1)).view(torch.uint8)
        in_fake = (tile <= self.fake[columns]).view(torch.uint8)
        self.inside += int(in_real.count_nonzero())
        self.covered[rows] |= in_real.amax(dim=1).bool()
        self.precise[columns] |= in_real.amax(dim=0).bool()
        self.recalled[rows] |= in_fake.amax(dim=1).bool()

    def values(self, neighbours: int) -> dict[str, float]:
        """Returns the four shares."""
        return {
            "precision": float(self.precise.double().mean()),
            "recall": float(self.recalled.double().mean()),
            "density": self.inside / (neighbours * len(self.fake)),
            "coverage": float(self.covered.double().mean()),
        }


def _radii(x: Cloud, nearest: Tensor, neighbours: int) -> tuple[Tensor, float]:
    """Squared distances to the k-th neighbour (N,), rounding included, and the share of ties."""
    radii = nearest[:, neighbours - 1].clamp_min(0)
    # rounding included, so that repeated points stay inside
    radii = radii + slack(x, radii)
    ties = (nearest[:, neighbours:] <= radii.unsqueeze(1)).sum()
    return radii, int(ties) / len(x)
