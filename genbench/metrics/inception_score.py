"""Inception score: how sure a classifier is of each sample, and how evenly of all."""

from __future__ import annotations

import itertools
import math

import numpy
import torch
from torch import Tensor

from genbench.core.allowed import Count, Seed
from genbench.core.metric import Alias, Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.points import memmap

#: what torch-fidelity takes unless told otherwise
TAKEN = {"splits": 10, "order_seed": 2020}
COLUMNS = {
    "inception_score": Column(
        "higher",
        "classes",
        None,
        "exp of the mean KL of p(y|x) to p(y); at most classes",
        alias=Alias("inception_score_mean", TAKEN),
    ),
    "inception_score_std": Column(
        "none",
        "classes",
        None,
        "the splits' standard deviation",
        alias=Alias("inception_score_std", TAKEN),
    ),
}


@metric(
    "inception_score",
    view="logits",
    columns=COLUMNS,
    version=2,
    paper="Salimans et al., 2016",
)
def inception_score(
    real: Tensor, fake: Tensor, *, rng: Rng, splits: Count = 10, order_seed: Seed = 2020
) -> dict[str, Score]:
    r"""Returns the mean over splits of exp E KL(p(y|x) || p(y)).

    Its classes are those of the extractor, so only scores of one extractor compare; it never looks at
    real points, rewards one perfect sample a class, and grows with n.

    References:
        | Improved Techniques for Training GANs (Salimans et al., 2016), section 4
        | A Note on the Inception Score (Barratt and Sharma, 2018)

    Arguments:
        real: Class logits of held-out points, shape (N, classes); their score is the floor.
        fake: Class logits of generated points, shape (M, classes).
        rng: Not used: the splits are the same in every run, those of torch-fidelity.
        splits: Into how many parts the points are cut.
        order_seed: The seed of the order in which points are dealt to the splits.

    Returns:
        Scores: in [1, classes], higher is better, with the standard error of the splits' mean; and
        the plain spread, which other tools print. Null where a split would hold one point, whose score is 1
        whatever it is.
    """
    real, fake = _checks.pair("inception_score", real, fake)
    if len(fake) < 2 * splits:
        reason = f"{len(fake)} points make no {splits} splits of two or more; take fewer splits"
        return dict.fromkeys(COLUMNS, Score(None, kind="estimate", reason=reason))
    values = _values(fake, splits, order_seed)
    std = float(values.std())
    error = std / math.sqrt(len(values)) if len(values) > 1 else None
    protocol = {"splits": len(values), "classes": fake.shape[1]}
    floor = float(_values(real, splits, order_seed).mean()) if len(real) >= 2 * splits else None
    return {
        "inception_score": Score(
            float(values.mean()), error, "estimate", protocol=protocol, floor=floor
        ),
        "inception_score_std": Score(std, kind="estimate", protocol=protocol),
    }


def _values(logits: Tensor, splits: int, seed: int) -> numpy.ndarray:
    """The score of each split, shape (splits,)."""
    order = torch.from_numpy(numpy.random.RandomState(seed).permutation(len(logits)))
    edges = [i * len(logits) // splits for i in range(splits + 1)]
    return numpy.array([_score(logits, order[a:b]) for a, b in itertools.pairwise(edges)])


def _score(logits: Tensor, rows: Tensor) -> float:
    """The score of some rows, read twice: for the marginal, then for what it is off each of them."""
    parts = rows.split(memmap.height(logits))
    sums = [_log_p(logits, part).logsumexp(dim=0) for part in parts]
    marginal = torch.stack(sums).logsumexp(dim=0) - math.log(len(rows))
    total = 0.0
    for part in parts:
        log_p = _log_p(logits, part)
        total += float((log_p.exp() * (log_p - marginal)).sum())
    return math.exp(total / len(rows))


def _log_p(logits: Tensor, rows: Tensor) -> Tensor:
    return memmap.take(logits, rows).log_softmax(dim=1)
