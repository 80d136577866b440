"""Whether what was made of a source is of the class of the true point."""

from __future__ import annotations

from torch import Tensor

from genbench.core.feature import Extractor
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics._judged import judge_classes

COLUMNS = {
    "class_kept": Column(
        "higher",
        "share",
        None,
        "outputs judged of their true point's class",
        49,
        beside=("class_kept_spread",),
    ),
    "class_kept_spread": Column(
        "none", "ratio", None, "variance of outputs within a class over that of true points"
    ),
}


@metric(
    "class_kept",
    view="judged",
    columns=COLUMNS,
    needs=("translator",),
    paper="Isola et al., 2017",
)
def class_kept(
    source: Tensor,
    real: Tensor,
    fake: Tensor,
    labels: Tensor | None,
    judge: Extractor,
    *,
    rng: Rng,
) -> dict[str, Score]:
    """Returns how often an independent classifier finds the true point's class in what was made.

    The likeness of the FCN-score: a network that was trained on real points alone recognises in an output
    what its source is of. It never stands without the spread: an average of a class is recognised well.

    References:
        | Image-to-Image Translation with Conditional Adversarial Networks (Isola et al., 2017), section
        | 3.4, where classes are those of pixels

    Arguments:
        source: What the points were made from, shape (N, *source.event).
        real: Their true points, shape (N, *event).
        fake: What was made, shape (N, *event).
        labels: The classes of the true points, shape (N,), or None.
        judge: The evaluation's extractor, with class logits.
        rng: Not used.

    Returns:
        A share in [0, 1], whose floor is what true points have; and the variance of outputs within a class
        over that of true points (1 is right, 0 is one picture a class). Null without labels or logits.
    """
    names = "class_kept", "class_kept_spread"
    return judge_classes("class_kept", names, (source, real, fake), labels, judge)
