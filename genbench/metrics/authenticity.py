"""Authenticity: the share of samples that are no copies of training points."""

from __future__ import annotations

from torch import Tensor

from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics._neighbours import nearest, slack

COLUMN = Column(
    "none", "share", None, "samples that copy no training point; below the floor: memorised"
)


@metric("authenticity", view="memory", columns={"authenticity": COLUMN}, paper="Alaa et al., 2022")
def authenticity(train: Tensor, test: Tensor, fake: Tensor, *, rng: Rng) -> Score:
    r"""Returns the share of samples that are not nearer to a training point than any other one is.

    With i(j) the training point nearest to the sample y_j,

    .. math:: \frac1M \sum_j 1\{|y_j - x_{i(j)}| > \min_{i \ne i(j)} |x_i - x_{i(j)}|\}

    Fresh true points score about 1/2, not 1: that is the floor, measured on the held-out points.
    Lower means copies; higher means samples off the data, so that neither way is better.

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
    train, fake = (x.double() for x in _checks.pair("authenticity", train, fake))
    test = _checks.pair("authenticity", train, test)[1].double()
    centre = train.mean(dim=0)
    train, test, fake = train - centre, test - centre, fake - centre
    reach = nearest(train, train, itself=True)[0]
    value, floor = (_share(train, reach, x) for x in (fake, test))
    return Score(value, (value * (1 - value) / len(fake)) ** 0.5, floor=floor)


def _share(train: Tensor, reach: Tensor, x: Tensor) -> float:
    squares, rows = nearest(x, train)
    return float((squares > reach[rows] + slack(train, x)).double().mean())
