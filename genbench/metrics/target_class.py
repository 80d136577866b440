"""Whether what was made of a source is of the class that was asked for."""

from __future__ import annotations

from torch import Tensor

from genbench.core.feature import Extractor
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics._judged import judge_classes

COLUMNS = {
    "target_class": Column(
        "higher",
        "share",
        None,
        "outputs judged of the target's class",
        51,
        beside=("target_class_spread",),
    ),
    "target_class_spread": Column(
        "none", "ratio", None, "variance of outputs over that of points of the target's class"
    ),
}


@metric(
    "target_class",
    view="judged",
    columns=COLUMNS,
    needs=("translator",),
    paper="Zhu et al., 2017",
    beside=("content_kept",),
    matched=False,
)
def target_class(
    source: Tensor,
    real: Tensor,
    fake: Tensor,
    labels: Tensor | None,
    judge: Extractor,
    *,
    rng: Rng,
) -> dict[str, Score]:
    """Returns how often an independent classifier finds the target's class in what was made.

    Any picture of the target counts, whatever its source, so that it never stands without `content_kept`,
    nor without the spread: one picture for all sources would do.

    References:
        | Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (Zhu et al.,
        | 2017), section 5.2, where people look at it

    Arguments:
        source: What the points were made from, shape (N, *source.event).
        real: Points of the target's class, shape (N, *event); none is the answer to a source.
        fake: What was made, shape (N, *event).
        labels: The target's class, shape (N,), or None.
        judge: The evaluation's extractor, with class logits.
        rng: Not used.

    Returns:
        A share in [0, 1], whose floor is what real points of the target have; and the variance of outputs
        over that of those points (1 is right, 0 is one picture). Null without labels or logits.
    """
    names = "target_class", "target_class_spread"
    return judge_classes("target_class", names, (source, real, fake), labels, judge)
