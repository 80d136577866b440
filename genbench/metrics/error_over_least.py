"""How far outputs are from true points, beside the least that is possible."""

from __future__ import annotations

from torch import Tensor

from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics._model import mean_score
from genbench.metrics._pairs import answers_to, one_answer, pairs

COLUMNS = {
    "error_over_least": Column(
        "none", "ratio", None, "squared error over the least: 1 by averages, 2 by exact draws", 45
    ),
    "mean_over_least": Column(
        "none", "ratio", None, "squared distance from the average answer, likewise: 0, 1"
    ),
}


@metric("error_over_least", view="pairs", columns=COLUMNS, needs=("translator", "answers"))
def error_over_least(
    source: Tensor, real: Tensor, fake: Tensor, truth: Truth | None, *, rng: Rng
) -> dict[str, Score]:
    r"""Returns the squared error, and the distance from the average answer, over the least squared error.

    .. math:: \frac{E \|x - y\|^2}{E \|x - \bar a\|^2}, \qquad \frac{E \|y - \bar a\|^2}{E \|x - \bar a\|^2}

    for the average answer \bar a(s) = E[x | s]. It is the best prediction by squared error: 1 and 0. A
    draw of the exact distribution of answers pays twice the least error, 2 and 1: that is the price of
    answers that might be true.

    References:
        | The Perception-Distortion Tradeoff (Blau and Michaeli, 2018), theorem 2, for the factor of two

    Arguments:
        source: What the points were made from, shape (N, *source.event).
        real: Their true points, shape (N, *event).
        fake: What was made, shape (N, *event).
        truth: Knows the answers.
        rng: Not used.

    Returns:
        Ratios with standard errors over points; null where sources have one answer alone.
    """
    real, fake = pairs("error_over_least", source, real, fake)
    answers, chances = answers_to(truth, source)
    reason = one_answer(answers)
    if reason is not None:
        return dict.fromkeys(COLUMNS, Score(None, reason=reason))
    average = (chances.unsqueeze(-1) * answers).sum(1)
    away = (answers - average.unsqueeze(1)).square().mean(-1)
    least = (chances * away).sum(1).mean()
    x, y = real.double().flatten(1), fake.double().flatten(1)
    return {
        "error_over_least": mean_score((x - y).square().mean(1) / least),
        "mean_over_least": mean_score((y - average).square().mean(1) / least),
    }
