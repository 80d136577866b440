"""The two-sample test by a classifier."""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal

import numpy
from torch import Tensor

from genbench.core.allowed import Several
from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.points import memmap

Kind = Literal["neighbours", "logistic", "network"]
COLUMNS = {
    "c2st": Column(
        "lower", "share", 0.5, "held-out accuracy of telling real from fake; 1/2 is best"
    ),
    "c2st_p": Column(
        "none", "probability", None, "of such accuracy if both sets had one distribution"
    ),
}


@metric("c2st", view="features", columns=COLUMNS, paper="Lopez-Paz and Oquab, 2017")
def c2st(
    real: Tensor,
    fake: Tensor,
    *,
    rng: Rng,
    classifier: Kind = "neighbours",
    folds: Several = 5,
    points: Several = 2000,
) -> dict[str, Score]:
    r"""Returns how well a classifier tells real from generated points it was not trained on.

    .. math:: \hat t = \frac1n \sum_i 1\{f_{-i}(z_i) = l_i\}, \qquad
        p = 1 - \Phi\left(2 \sqrt n (\hat t - \tfrac12)\right)

    Every point is judged once, by the classifier trained on the other folds.

    References:
        | Revisiting Classifier Two-Sample Tests (Lopez-Paz and Oquab, 2017), section 3

    Differences:
        Cross-validated where the paper splits once, by the paper's binomial, though folds share training
        points: accuracies of one law spread up to a quarter wider than it, and p is below .05 in 6 to 10 of
        100 draws. Copies of real points lie beside their originals, whose label is the
        other one, and can bring the accuracy below 1/2.

    Arguments:
        real: Held-out features, shape (N, F).
        fake: Generated features, shape (M, F).
        rng: Draws which points count and their folds.
        classifier: The paper's nearest neighbours (root of n of them), or its network of 20 rectified
            units, or logistic regression; all on standardised features.
        folds: Into how many parts the points are cut.
        points: How many points of each kind count at most; as many real as generated ones.

    Returns:
        The accuracy, lower is better, with its standard error, and the one-sided p-value.
    """
    from scipy.stats import norm

    real, fake = _checks.pair("c2st", real, fake)
    size = min(len(real), len(fake), points)
    if size < 2 * folds:
        raise DataError(
            f"c2st needs at least {2 * folds} points of each kind, got {size}; give more points"
        )
    chosen = [
        memmap.take(x, rng.fork(name).permutation(len(x))[0][:size]).cpu().numpy()
        for name, x in (("real", real), ("fake", fake))
    ]
    seed = int(rng.fork("folds").integers(2**31 - 1, 1))
    share = _accuracy(
        numpy.concatenate(chosen),
        size,
        _make_classifier(classifier, size, folds, seed),
        folds,
        seed,
    )
    error = math.sqrt(share * (1 - share) / (2 * size))
    p = float(norm.sf(2 * math.sqrt(2 * size) * (share - 0.5)))
    protocol = {"points": size}
    return {
        "c2st": Score(share, error, kind="estimate", protocol=protocol, floor=0.5),
        "c2st_p": Score(p, kind="estimate", protocol=protocol),
    }


def _make_classifier(classifier: Kind, size: int, folds: int, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if classifier == "neighbours":
        count = max(1, math.isqrt(2 * size * (folds - 1) // folds))
        inner: Any = KNeighborsClassifier(count + 1 - count % 2)
    elif classifier == "logistic":
        inner = LogisticRegression(max_iter=1000)
    else:
        inner = MLPClassifier((20,), max_iter=100, random_state=seed)
    return make_pipeline(StandardScaler(), inner)


def _accuracy(x: numpy.ndarray, size: int, classifier: Any, folds: int, seed: int) -> float:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    labels = numpy.repeat([0, 1], size)
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # a fixed number of epochs is the protocol
        warnings.simplefilter("ignore", ConvergenceWarning)
        predictions = cross_val_predict(classifier, x, labels, cv=parts)
    return float(numpy.mean(predictions == labels))
