"""Whether what was made of a source is one of the right answers."""

from __future__ import annotations

from torch import Tensor

from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics._model import mean_score
from genbench.metrics._pairs import Near, answers_to, is_near, one_answer, pairs

COLUMN = Column("higher", "share", 1.0, "outputs that are near one of the right answers", 44)


@metric(
    "near_answer",
    view="pairs",
    columns={"near_answer": COLUMN},
    needs=("translator", "answers"),
)
def near_answer(
    source: Tensor,
    real: Tensor,
    fake: Tensor,
    truth: Truth | None,
    *,
    rng: Rng,
    tolerance: Near = 0.15,
) -> Score:
    """Returns the share of outputs that are near one of the right answers to their source.

    Near is within `tolerance` times the smallest squared distance between two answers. It must lie below
    what the average of the answers has, or a blurred average would count: with equal chances that is a
    third of the squared distance where answers are equally far apart, with chances of 1/2, 1/4, 1/4 it
    is 0.19 of it.

    References:
        | Unsupervised Learning of Visual Structure Using Predictive Generative Networks (Lotter et al.,
        | 2015), for the question: does a prediction show one future or their average

    Arguments:
        source: What the points were made from, shape (N, *source.event).
        real: Their true points, shape (N, *event).
        fake: What was made, shape (N, *event).
        truth: Knows the answers.
        rng: Not used.
        tolerance: A share of the smallest squared distance between answers.

    Returns:
        A share in [0, 1]; null where sources have one answer alone.
    """
    real, fake = pairs("near_answer", source, real, fake)
    answers, _ = answers_to(truth, source)
    reason = one_answer(answers)
    if reason is not None:
        return Score(None, reason=reason)
    _, near = is_near(fake.double().flatten(1), answers, tolerance)
    return mean_score(near.double())
