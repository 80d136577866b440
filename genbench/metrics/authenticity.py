"""Authenticity: the share of samples that are no copies of training points."""

from __future__ import annotations

from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._neighbours import Smallest, nearest_of, slack
from genbench.points.pairwise import Cloud, Look, Steps, pairwise

COLUMN = Column(
    "none", "share", None, "samples that copy no training point; below the floor: memorised"
)


@metric("authenticity", view="memory", columns={"authenticity": COLUMN}, paper="Alaa et al., 2022")
@pairwise
def authenticity(train: Cloud, test: Cloud, fake: Cloud, *, rng: Rng) -> Steps[Score]:
    r"""Returns the share of samples that are not nearer to a training point than any other one is.

    With i(j) the training point nearest to the sample y_j,

    .. math:: \frac1M \sum_j 1\{|y_j - x_{i(j)}| > \min_{i \ne i(j)} |x_i - x_{i(j)}|\}

    Fresh true points do not score 1 (about 1/2 in the plane, more in many dimensions): the floor is what
    the held-out points score. Lower means copies; higher means samples off the data, so that neither way
    is better.

    References:
        | How Faithful is your Synthetic Data? (Alaa et al., 2022), section 4 and appendix

    Arguments:
        train: Features of the training set, shape (N, F).
        test: Features of held-out points, shape (T, F).
        fake: Generated features, shape (M, F).
        rng: Not used.

    Returns:
        A share in [0, 1] with its binomial standard error.
    """
    _checks.clouds("authenticity", train, fake)
    _checks.clouds("authenticity", train, test)
    sets = (fake, test)
    near = [Smallest(len(x), 1, x.x) for x in sets]
    yield [Look(x, train, nearest.add) for x, nearest in zip(sets, near, strict=True)]
    value, floor = (_share(train, x, nearest) for x, nearest in zip(sets, near, strict=True))
    return Score(value, (value * (1 - value) / len(fake)) ** 0.5, floor=floor)


def _share(train: Cloud, x: Cloud, near: Smallest) -> float:
    # the reach only of training points that are nearest to a sample: few of a large set
    points, back = near.rows[:, 0].unique(return_inverse=True)
    chosen = Cloud(train.x, train, points)
    reach = nearest_of(chosen, train, own=points)[0]
    squares = near.squares[:, 0].clamp_min(0)
    return float((squares > (reach + slack(train, reach, points))[back]).double().mean())
