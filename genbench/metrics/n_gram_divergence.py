"""How far the n-grams of generated sequences are from those of the source."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics import _checks
from genbench.points.tokens import n_gram_law

ORDERS = (1, 2, 3, 4)
COLUMNS = {
    f"n_gram_js_{n}": Column(
        "lower",
        "nats",
        0.0,
        f"Jensen-Shannon divergence of {n}-grams; ln 2 where none is shared",
        headline={2: 100, 4: 110}.get(n),
    )
    for n in ORDERS
}
#: the largest table of n-grams that is counted
CELLS = 1 << 22


@metric("n_gram_divergence", view="truth", columns=COLUMNS, needs=("n_grams",), paper="Lin, 1991")
def n_gram_divergence(fake: Tensor, truth: Truth, *, rng: Rng) -> dict[str, Score]:
    r"""Returns Jensen-Shannon divergences between generated and true n-grams, n from 1 to 4.

    .. math::
        \mathrm{JS}(p, q) = \tfrac12 \sum_w p_w \ln \frac{2 p_w}{p_w + q_w}
            + \tfrac12 \sum_w q_w \ln \frac{2 q_w}{p_w + q_w} \in [0, \ln 2]

    with p the exact distribution of n consecutive tokens at a uniformly drawn place and q their share among
    generated sequences (padding included). It is finite without smoothing, which the KL divergence
    needs and which decides its value. Counting N independent n-grams of K kinds puts exact samples
    about (K - 1)/8N above 0; the floor that the evaluator measures has that bias in it.

    Divergences of short n-grams say nothing of what spans more tokens: read them beside the
    likelihood, where there is one.

    References:
        | Divergence Measures Based on the Shannon Entropy (Lin, 1991), section 4
        | Texygen: A Benchmarking Platform for Text Generation Models (Zhu et al., 2018), for n-grams of
        | order 2 to 4

    Arguments:
        fake: Generated sequences of tokens, shape (M, L).
        truth: Its n_grams are the distribution; counted in held-out sequences where it is not known, which
            the protocol then says.
        rng: Not used.

    Returns:
        Nats, lower is better.
    """
    fake = _checks.points("n_gram_divergence", "fake", fake)
    if truth.n_grams is None:
        raise DataError(
            "n_gram_divergence needs a truth with n_grams, got none; use a data set of tokens"
        )
    tokens = len(truth.n_grams(1))
    if (fake != fake.round()).any() or fake.min() < 0 or fake.max() >= tokens:
        raise DataError(
            f"n_gram_divergence needs whole numbers from 0 to {tokens - 1}, got values from "
            f"{fake.min():g} to {fake.max():g}; give sequences of tokens"
        )
    protocol = {"law": "held-out" if truth.counted else "exact"}
    return {
        f"n_gram_js_{n}": _score(fake.long(), truth.n_grams(n), n, protocol)
        if tokens**n <= CELLS and fake.shape[1] >= n
        else Score(None, reason=_why_not(fake.shape[1], n, tokens))
        for n in ORDERS
    }


def jensen_shannon(p: Tensor, q: Tensor) -> float:
    """Returns the divergence of two distributions of one shape, in nats."""
    p, q = p.flatten().double(), q.flatten().double()
    mean = (p + q) / 2
    half = (torch.special.xlogy(p, p) + torch.special.xlogy(q, q)).sum() / 2
    return min(max(0.0, float(half - torch.special.xlogy(mean, mean).sum())), math.log(2))


def _score(fake: Tensor, truth: Tensor, n: int, protocol: dict[str, str]) -> Score:
    own = n_gram_law(fake, n, len(truth))
    return Score(jensen_shannon(truth.to(own), own), protocol=protocol)


def _why_not(length: int, n: int, tokens: int) -> str:
    if length < n:
        return f"sequences of {length} tokens have no {n}-grams"
    return f"{tokens} tokens have more than {CELLS} {n}-grams"
