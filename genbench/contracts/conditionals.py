"""Whether the densities of points given their sources are those of the points that are made of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genbench.contracts.abilities import ask
from genbench.contracts.densities import (
    SAMPLES,
    evaluated,
    expect_fit,
    expect_points_follow,
    rejection,
)
from genbench.contracts.models import MODEL_SPACE, expect_in_range
from genbench.contracts.rules import Case, Unchecked, expect, expect_tensor, rule
from genbench.contracts.small import draw_batch, open_small
from genbench.contracts.tiny import LENGTH, LETTERS, TINY
from genbench.core.model import MODELS, ConditionalDensity, Translator
from genbench.core.rng import Rng

#: sources on which densities are compared with translations
SOURCES = 3
#: rounding of a sum of probabilities in single precision
ROUNDING = 1e-4
#: steps of training, after which words depend on their images
STEPS = 200
#: stands in place of a data set where a model takes none of them
NONE = "no tiny data set"


def on_tiny(name: str) -> list[Case]:
    """Returns the tiny data sets that a model of densities given a source takes."""
    cls = MODELS.get(name)
    if not (issubclass(cls, ConditionalDensity) and issubclass(cls, Translator)):
        return []
    takes = [data for data in TINY if cls.refuses(open_small(data).spec) is None]
    return [(data,) for data in takes or [NONE]]


@rule("model", on_tiny)
def densities_given_a_source_are_those_of_translations(name: str, data: str) -> None:
    """`log_prob_given` is normalised for each source, and 5,000 translations are as frequent as it says."""
    if data == NONE:
        raise Unchecked(
            "refuses() lets through neither words of 3 letters from images of 8×8 pixels nor points of the "
            "plane from others, so that log_prob_given is not compared with what translate draws; take one"
        )
    model, rng = evaluated(name, data, STEPS)
    source = draw_batch(data, rng).source
    assert source is not None
    compare = _compare_words if model.spec.kind == "tokens" else _compare_dots
    for row in range(SOURCES):
        compare(model, source[:, row : row + 1], rng.fork("source", row))


def _repeat(source: Tensor, n: int) -> Tensor:
    """One source (1, 1, *event), n times, (1, n, *event)."""
    return source.repeat(1, n, *(1,) * (source.dim() - 2))


def _translations(model: Any, source: Tensor, rng: Rng) -> Tensor:
    """Many translations of one source (1, 1, *event), shape (N, *event)."""
    x = ask(model, "translate", _repeat(source, SAMPLES), rng=rng)
    expect_tensor(x, "translate", (1, SAMPLES, *model.spec.event), fix=MODEL_SPACE)
    expect_in_range(x, model.spec, "what translate returns")
    return x[0]


def _log_prob(model: Any, x: Tensor, source: Tensor, rng: Rng) -> Tensor:
    """The log densities (N,) of points (N, *event) given one source."""
    return ask(model, "log_prob_given", x.unsqueeze(0), _repeat(source, len(x)), rng=rng)[0]


def _compare_words(model: Any, source: Tensor, rng: Rng) -> None:
    words = torch.cartesian_prod(*[torch.arange(LETTERS)] * LENGTH)
    p = _log_prob(model, words, source, rng).double().exp()
    expect(
        abs(p.sum().item() - 1) <= ROUNDING,
        f"exp(log_prob_given) needs to sum to 1 over all words, got {p.sum():.6g}; normalise it",
    )
    places = LETTERS ** torch.arange(LENGTH - 1, -1, -1)
    counts = (_translations(model, source, rng) * places).sum(1).bincount(minlength=len(words))
    expect_fit(rejection(counts, SAMPLES * p), "translate", "log_prob_given")


def _compare_dots(model: Any, source: Tensor, rng: Rng) -> None:
    def log_prob(points: Tensor) -> Tensor:
        parts = [_log_prob(model, part, source, rng) for part in points.split(20_000)]
        return torch.cat(parts).double()

    translations = _translations(model, source, rng)
    expect_points_follow(log_prob, translations, 8, ("translate", "log_prob_given"))
