"""Whether what was made shows, or says, what was asked for."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics._judged import spread_of_same, spread_within
from genbench.metrics._model import mean_score
from genbench.metrics._pairs import pairs

COLUMNS = {
    "caption_accuracy": Column(
        "higher", "share", 1.0, "outputs with all attributes right", 54, beside=("caption_spread",)
    ),
    "caption_readable": Column(
        "higher", "share", 1.0, "outputs whose attributes can be read at all"
    ),
    "caption_spread": Column(
        "none", "ratio", None, "variance of outputs of one meaning over that of true points"
    ),
    "same_caption_spread": Column(
        "none",
        "ratio",
        None,
        "variance of outputs of one and the same caption over that of true points of its meaning",
    ),
}


@metric(
    "caption_accuracy",
    view="pairs",
    columns=COLUMNS,
    needs=("translator", "described"),
    paper="Reed et al., 2016",
)
def caption_accuracy(
    source: Tensor, real: Tensor, fake: Tensor, truth: Truth | None, *, rng: Rng
) -> dict[str, Score]:
    """Returns how often all attributes of an output are those that were asked for.

    They are read as the data set says: images by a judge that was trained on real ones, captions by their
    grammar. It never stands without the spread: one picture a caption is as right, and so is an average.
    Captions of one meaning are several, for its synonyms, and one picture for each of them is as varied as
    many by `caption_spread`; the variance within outputs of the very same caption is 0 then, and that of
    exact draws about that of all true points of its meaning, which does not depend on the words.

    References:
        | Generative Adversarial Text to Image Synthesis (Reed et al., 2016), section 5, where people look

    Arguments:
        source: What the points were made from, shape (N, *source.event).
        real: Their true points, shape (N, *event).
        fake: What was made, shape (N, *event).
        truth: Reads them.
        rng: Not used.

    Returns:
        Shares in [0, 1], the first with what true points have as its floor; and the variance of outputs of
        one meaning, and of one caption, over that of true points of the meaning, null for captions. The floor
        of the last is what true points have; it is null where no caption stands twice.
    """
    numbers = real.is_floating_point()
    if truth is None or truth.described is None:
        raise DataError(
            "caption_accuracy needs a data set that reads captions, got none; take another metric"
        )
    if numbers:
        real, fake = pairs("caption_accuracy", source, real, fake)
    described = truth.described
    targets, outputs = described.wanted(source, real), described.read(fake)
    right = (targets == outputs).all(1)
    score = mean_score(right.double())
    floor = float((described.read(real) == targets).all(1).double().mean())
    spread = same = Score(None, reason="captions have no variance")
    if numbers:
        _, groups = torch.unique(targets, dim=0, return_inverse=True)
        spread = spread_within(real, fake, groups)
        _, strings = torch.unique(source.cpu().flatten(1), dim=0, return_inverse=True)
        same = spread_of_same(real, fake, groups, strings)
    return {
        "caption_accuracy": Score(score.value, score.stderr, floor=floor),
        "caption_readable": mean_score((outputs >= 0).all(1).double()),
        "caption_spread": spread,
        "same_caption_spread": same,
    }
