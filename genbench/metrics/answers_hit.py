"""How many of the right answers a model gives, and how often each."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Count, Several
from genbench.core.metric import Column, Score, metric
from genbench.core.model import Translator
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._model import lacks, mean_score, nothing
from genbench.metrics._pairs import Near, answers_to, is_near, one_answer

NOTHING_NEAR = "no output is near an answer"
COLUMNS = {
    "answers_hit": Column(
        "higher", "answers", None, "right answers to a source that are given", 46
    ),
    "answer_chances": Column(
        "lower",
        "nats",
        0.0,
        "KL of how often each answer is given to how often it is right",
        47,
        worst_if=(NOTHING_NEAR,),
    ),
}


@metric("answers_hit", view="model", columns=COLUMNS, needs=("translator", "answers"))
def answers_hit(
    trained: Trained,
    test: Tensor,
    *,
    rng: Rng,
    points: Several = 200,
    tries: Count = 16,
    tolerance: Near = 0.15,
) -> dict[str, Score]:
    r"""Returns how many right answers some tries give, and the divergence of their shares from the truth.

    .. math:: \sum_k \hat p_k \log \frac{\hat p_k}{p_k}

    with \hat p_k the share of the k-th answer among the outputs that are near an answer (`near_answer`), over
    all sources and tries. The shares of n exact draws of K answers have (K - 1)/(2n) nats.

    Arguments:
        trained: A model that is a Translator, of one seed, and its data set, which knows the answers.
        test: Held-out points in data space, shape (N, *event).
        rng: The model's own noise.
        points: How many sources are translated, the first ones.
        tries: How often each.
        tolerance: A share of the smallest squared distance between answers.

    Returns:
        The mean number of answers that are hit, its floor that of exact draws; and a divergence, null
        where no output is near an answer.
    """
    reason = lacks(trained, Translator, "translator")
    if reason is not None or trained.dataset.given is None:
        return nothing(COLUMNS, reason or "")
    sources = trained.dataset.given.points("test")[:points]
    answers, chances = answers_to(trained.dataset.truth, sources)
    reason = one_answer(answers)
    if reason is not None:
        return nothing(COLUMNS, reason)
    hits = torch.zeros_like(chances)
    for _ in range(tries):
        fake = trained.translate(sources, rng).double().flatten(1)
        which, near = is_near(fake, answers, tolerance)
        hits[torch.arange(len(hits)), which] += near
    count = mean_score((hits > 0).double().sum(1))
    floor = float((1 - (1 - chances) ** tries).sum(1).mean())
    facts = {"answers": answers.shape[1]}
    return {
        "answers_hit": Score(count.value, count.stderr, protocol=facts, floor=floor),
        "answer_chances": _divergence(hits.sum(0), chances.mean(0)),
    }


def _divergence(hits: Tensor, chances: Tensor) -> Score:
    """The divergence of counts from chances, in nats."""
    if hits.sum() == 0:
        return Score(None, reason=NOTHING_NEAR)
    share = hits / hits.sum()
    value = float(torch.special.xlogy(share, share / chances).sum())
    exact = (len(share) - 1) / (2 * float(hits.sum()))
    return Score(max(value, 0.0), kind="estimate", floor=exact)
