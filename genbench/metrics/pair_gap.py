"""How much worse translations are of sources that were not shown."""

from __future__ import annotations

import math

from genbench.core.allowed import Several
from genbench.core.metric import Column, Score, metric
from genbench.core.model import Translator
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._model import lacks, mean_score, squared_error

COLUMN = Column(
    "lower", "log ratio", None, "log squared error on test pairs over that on training pairs"
)


@metric("pair_gap", view="model", columns={"pair_gap": COLUMN}, needs=("translator",))
def pair_gap(trained: Trained, test: object, *, rng: Rng, points: Several = 1000) -> Score:
    r"""Returns the logarithm of the mean squared error on held-out pairs over that on training pairs.

    .. math:: \log \frac{E_{test} \| G(s) - x \|^2}{E_{train} \| G(s) - x \|^2}

    0 is a model that does as well on what it has never seen; memory makes it large.

    References:
        | Generalization and equilibrium in generative adversarial nets (Arora et al., 2017), section 2, for
        | the question

    Arguments:
        trained: A model that is a Translator, of one seed, and its data set.
        test: Not used: sources and points are the data set's own.
        rng: The model's own noise.
        points: How many pairs of each count, the first ones, at least two.

    Returns:
        A logarithm with its standard error to first order; null for data sets without training pairs (a
        stream, or unpaired), and where the training error is nothing.
    """
    data = trained.dataset
    reason = lacks(trained, Translator, "translator")
    if reason is None and (
        data.given is None or data.stream or not data.paired or not data.matched
    ):
        reason = f"{data.name} shows no fixed training pairs"
    if reason is not None or data.given is None:
        return Score(None, reason=reason)
    errors = {}
    for split in ("train", "test"):
        sources, real = data.given.points(split)[:points], data.points(split)[:points]
        fake = trained.translate(sources, rng.fork(split))
        errors[split] = mean_score(squared_error(real, fake))
    low, high = (errors[split].value or 0.0 for split in ("train", "test"))
    if not low or not high:
        return Score(None, reason="the error on training or test pairs is nothing")
    spread = math.hypot(*((errors[k].stderr or 0.0) / (errors[k].value or 1.0) for k in errors))
    return Score(math.log(high / low), spread)
