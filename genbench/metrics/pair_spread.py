"""How varied what a model makes of one source is."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Several
from genbench.core.metric import Column, Score, metric
from genbench.core.model import Translator
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._model import lacks, mean_score
from genbench.metrics._pairs import answers_to

COLUMN = Column(
    "none", "ratio", None, "variance of outputs of one source over that of true points", 48
)


@metric("pair_spread", view="model", columns={"pair_spread": COLUMN}, needs=("translator",))
def pair_spread(
    trained: Trained, test: Tensor, *, rng: Rng, points: Several = 200, tries: Several = 4
) -> Score:
    r"""Returns the variance of outputs of one source, over the variance of true points.

    .. math:: \frac{E_s \, \mathrm{tr} \, \mathrm{Var}(y \mid s)}{\mathrm{tr} \, \mathrm{Var}(x)}

    0 is one answer a source, 1 means that outputs ignore their sources.

    References:
        | Toward Multimodal Image-to-Image Translation (Zhu et al., 2017), section 4, for the diversity of
        | outputs of one source, there by a perceptual distance

    Arguments:
        trained: A model that is a Translator, of one seed, and its data set.
        test: Held-out points in data space, shape (N, *event).
        rng: The model's own noise.
        points: How many sources are translated, the first ones.
        tries: How often each, at least twice.

    Returns:
        A ratio with its standard error over sources; its floor is that of the right answers, where they
        are known.
    """
    reason = lacks(trained, Translator, "translator")
    if reason is not None or trained.dataset.given is None:
        return Score(None, reason=reason)
    if not test.is_floating_point():
        return Score(
            None, reason=f"points of {trained.dataset.name} are words, which have no variance"
        )
    total = test.double().flatten(1).var(0).sum()
    if total <= 0:
        return Score(None, reason="the true points are constant")
    sources = trained.dataset.given.points("test")[:points]
    fakes = [trained.translate(sources, rng).double().flatten(1) for _ in range(tries)]
    score = mean_score(torch.stack(fakes).var(0).sum(1) / total)
    truth, floor = trained.dataset.truth, None
    if truth is not None and truth.answers is not None:
        answers, chances = answers_to(truth, sources)
        average = (chances.unsqueeze(-1) * answers).sum(1, keepdim=True)
        floor = float((chances * (answers - average).square().sum(-1)).sum(1).mean() / total)
    return Score(score.value, score.stderr, floor=floor)
