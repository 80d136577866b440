"""The test for data copying."""

from __future__ import annotations

import math

import numpy
import torch
from torch import Tensor

from genbench.core.allowed import Count
from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._neighbours import Smallest
from genbench.points import memmap
from genbench.points.pairwise import Cloud, Look, Steps, pairwise

COLUMN = Column(
    "none", "standard deviations", 0.0, "below 0: samples are nearer to training than true points"
)
#: the fewest points of each kind that a cell must hold to count
LEAST = 20


@metric("c_t", view="memory", columns={"c_t": COLUMN}, paper="Meehan et al., 2020")
@pairwise
def c_t(train: Cloud, test: Cloud, fake: Cloud, *, rng: Rng, cells: Count = 1) -> Steps[Score]:
    r"""Returns the z-scored Mann-Whitney test of distances to the training set, fakes against test.

    .. math:: C_T = \sum_\pi \frac{P_n(\pi)}{\sum_\pi P_n(\pi)}
        \frac{U_\pi - \tfrac12 n_\pi m_\pi}{\sqrt{n_\pi m_\pi (n_\pi + m_\pi + 1) / 12}}

    U counts the pairs in which the sample is farther from its nearest training point than the
    held-out point is, half where they are equal. Below -3 copying is sure, above 3 underfitting.

    References:
        | A Non-Parametric Test to Detect Data-Copying in Generative Models (Meehan et al., 2020)

    Differences:
        One cell unless more are asked for; cells with fewer than 20 points of a kind are left out and
        the protocol says which share of the held-out points stayed.

    Arguments:
        train: Features of the training set, shape (N, F).
        test: Features of held-out points, shape (T, F).
        fake: Generated features, shape (M, F).
        rng: Seeds the k-means of the cells.
        cells: Into how many cells k-means cuts the training points.

    Returns:
        A Score near 0 for fresh true points, within about 2; null where no cell holds enough points.
    """
    _checks.clouds("c_t", train, fake)
    _checks.clouds("c_t", train, test)
    near = [Smallest(len(x), 1, x.x) for x in (test, fake)]
    yield [Look(x, train, nearest.add) for x, nearest in zip((test, fake), near, strict=True)]
    homes = _cells(train, (test, fake), cells, rng)
    far = [nearest.squares[:, 0].clamp_min(0) for nearest in near]
    total = counted = 0.0
    for cell in range(cells):
        real, generated = (
            d[home == cell].cpu().numpy() for d, home in zip(far, homes, strict=True)
        )
        if min(len(real), len(generated)) >= LEAST:
            total += len(real) * _z_score(real, generated)
            counted += len(real)
    protocol = {"kept": round(counted / len(test), 4)}
    if counted == 0:
        reason = f"no cell holds {LEAST} held-out and {LEAST} generated points"
        return Score(None, reason=reason, protocol=protocol)
    return Score(total / counted, protocol=protocol, floor=0.0)


def _cells(train: Cloud, sets: tuple[Cloud, ...], cells: int, rng: Rng) -> list[Tensor]:
    """The cell of every point of each set."""
    if cells == 1:
        return [torch.zeros(len(x), dtype=torch.int64) for x in sets]
    from sklearn.cluster import KMeans

    seed = int(rng.fork("cells").integers(2**31 - 1, 1))
    # of a training set that is larger than a block, k-means sees points at even distances in its order
    step = -(-len(train) // (4 * memmap.height(train.x)))
    points = memmap.take(train.x, torch.arange(0, len(train), step)) - train.centre
    if cells > len(points):
        raise DataError(
            f"c_t needs as many training points as cells, got {len(points)} for {cells} cells; give more "
            f"points or fewer cells"
        )
    clusters = KMeans(cells, n_init="auto", random_state=seed).fit(points.cpu().numpy())
    return [
        memmap.joined(
            x.blocks(),
            len(x),
            lambda p: torch.from_numpy(clusters.predict(p.cpu().numpy())).long(),
        )
        for x in sets
    ]


def _z_score(real: numpy.ndarray, generated: numpy.ndarray) -> float:
    from scipy.stats import rankdata

    n, m = len(real), len(generated)
    ranks = rankdata(numpy.concatenate([real, generated]))
    larger = ranks[n:].sum() - m * (m + 1) / 2
    return float((larger - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12))
