"""Realism: how deep samples lie in the manifold of real points."""

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

COLUMN = Column("higher", "ratio", None, "median over samples; from 1 on inside the real manifold")


@metric("realism", view="features", columns={"realism": COLUMN}, paper="Kynkaanniemi et al., 2019")
@pairwise
def realism(real: Cloud, fake: Cloud, *, rng: Rng, neighbours: Count = 3) -> Steps[Score]:
    r"""Returns the median over samples of their realism.

    .. math:: R(y) = \max_{i: r_i \le \mathrm{median}(r)} \frac{r_i}{|y - x_i|}

    r_i is the distance of a real point to its k-th neighbour; the half of the real points whose radii
    are larger is left out, since balls in sparse regions would let anything in.

    References:
        | Improved Precision and Recall Metric for Assessing Generative Models (Kynkaanniemi et al.,
        | 2019), section 5 and equation 3

    Differences:
        The paper scores single images; the column is their median, which copies of real points, whose
        realism has no bound, do not move. The authors' code has the ratio of squared distances.

    Arguments:
        real: Held-out features, shape (N, F), N > neighbours.
        fake: Generated features, shape (M, F).
        rng: Not used.
        neighbours: The rank k of the neighbour that sets the radius; a point is not its own neighbour.

    Returns:
        A Score > 0, higher is better.
    """
    _checks.clouds("realism", real, fake)
    if len(real) <= neighbours:
        raise DataError(
            f"realism needs more than {neighbours} real points, got {len(real)}; give more points or "
            f"fewer neighbours"
        )
    near = Smallest(len(real), neighbours, real.x)
    yield [Look(real, real, near.within)]
    # what a distance of 0 may come to by rounding, so that repeated points lie at the edge, at 1
    squares = near.squares[:, -1]
    least = slack(real, torch.zeros_like(squares)).clamp_min(torch.finfo(torch.float64).tiny)
    ratios = Ratios(squares, len(fake), least)
    yield [Look(real, fake, ratios.see)]
    return Score(float(_median(ratios.best.sqrt())))


def _median(x: Tensor) -> Tensor:
    """The mean of the two middle values, which `Tensor.median` does not give."""
    ordered = x.sort().values
    return 0.5 * (ordered[(len(x) - 1) // 2] + ordered[len(x) // 2])


class Ratios:
    """The largest ratio of a real point's squared radius to its squared distance, of each sample.

    Arguments:
        squares: The squared radii, (N,).
        count: The number of samples.
        least: The smallest square at each real point that is told from 0, (N,).
    """

    def __init__(self, squares: Tensor, count: int, least: Tensor) -> None:
        narrow = squares <= _median(squares)
        self.radii = torch.where(narrow, squares.maximum(least), 0.0)
        self.least, self.best = least, squares.new_zeros(count)

    def see(self, row: int, column: int, tile: Tensor) -> None:
        """Looks at squared distances of real (rows) to generated points (columns)."""
        rows = slice(row, row + len(tile))
        ratios = self.radii[rows, None] / tile.maximum(self.least[rows, None])
        best = self.best[column : column + tile.shape[1]]
        torch.maximum(best, ratios.amax(dim=0), out=best)
