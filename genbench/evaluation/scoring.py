"""The one loop that turns questions into measurements with their protocols."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import Dataset, Truth
from genbench.core.errors import ContractError
from genbench.core.metric import Column, Score
from genbench.core.rng import Rng
from genbench.evaluation.requests import Ask
from genbench.points.pairwise import clouds, together
from genbench.points.tokens import n_gram_law
from genbench.store import Measurement


@dataclass(frozen=True)
class Question:
    """A metric and what it is asked of.

    Arguments:
        ask: The metric with its options.
        given: What it is called with, or nothing where something is lacking.
        rng: Of one seed, the metric's own.
        lacking: Why it cannot be asked, or None.
        told: What `measurement` is to say beside the score.
    """

    ask: Ask
    given: tuple[Any, ...] = ()
    rng: Rng | None = None
    lacking: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


def measured(questions: Sequence[Question]) -> list[Measurement]:
    """Returns a row for every column of every question's metric."""
    out = []
    for question, (scores, seconds) in zip(questions, answers(questions), strict=True):
        ask, floors = question.ask, question.told.get("floors", {})
        told = {key: value for key, value in question.told.items() if key != "floors"}
        each = seconds / len(scores)
        for column in ask.metric.columns:
            floor = floors[column].value if column in floors else None
            out.append(measurement(ask, column, scores[column], floor=floor, seconds=each, **told))
    return out


@torch.no_grad()
def answers(questions: Sequence[Question]) -> list[tuple[dict[str, Score], float]]:
    """Returns each question's scores by column, and the seconds they took.

    Metrics that look at pairs of the same points go through them together.
    """
    found: dict[int, tuple[Any, float]] = {}
    groups: dict[Any, list[int]] = {}
    for k, question in enumerate(questions):
        if question.lacking is not None:
            empty = Score(None, reason=question.lacking)
            found[k] = (dict.fromkeys(question.ask.metric.columns, empty), 0.0)
        elif hasattr(question.ask.metric.function, "steps"):
            groups.setdefault(tuple(_place(x) for x in question.given), []).append(k)
        else:
            began = time.perf_counter()
            result = question.ask.metric.function(
                *question.given, rng=question.rng, **question.ask.options
            )
            found[k] = (result, time.perf_counter() - began)
    for group in groups.values():
        found |= zip(group, _together([questions[k] for k in group]), strict=True)
    return [
        (_by_column(question.ask, found[k][0]), found[k][1])
        for k, question in enumerate(questions)
    ]


def _together(questions: Sequence[Question]) -> list[tuple[Any, float]]:
    sets = clouds(*questions[0].given)
    return together(
        [q.ask.metric.function.steps(*sets, rng=q.rng, **q.ask.options) for q in questions]
    )


def _place(x: Tensor) -> tuple[Any, ...]:
    """What is equal for views of the same points."""
    return x.data_ptr(), x.shape, x.stride(), x.dtype


def _by_column(ask: Ask, result: Any) -> dict[str, Score]:
    """A Score a declared column.

    Raises:
        ContractError: If there are other columns than the metric declares.
    """
    if not isinstance(result, Mapping):
        result = {ask.metric.name: result}
    if set(result) != set(ask.metric.columns):
        raise ContractError(
            f"metric {ask.metric.name!r} needs to return {sorted(ask.metric.columns)}, got {sorted(result)}"
        )
    return {
        key: value if isinstance(value, Score) else Score(float(value))
        for key, value in result.items()
    }


def known_truth(dataset: Dataset) -> Truth | None:
    """Returns a data set's truth; for tokens without a known law, with n-grams counted in held-out points."""
    truth, tokens = dataset.truth, dataset.spec.tokens
    if tokens is None or (truth is not None and truth.n_grams is not None):
        return truth
    held = dataset.points("test").flatten(1)
    return replace(truth or Truth(), n_grams=lambda n: n_gram_law(held, n, tokens), counted=True)


def measurement(
    ask: Ask,
    column: str,
    score: Score,
    *,
    heads: Sequence[str] = (),
    split: str = "test",
    floor: float | None = None,
    n_real: int | None = None,
    n_fake: int | None = None,
    seconds: float = 0.0,
) -> Measurement:
    """Returns the record's row for one score; numbers that are not finite become null.

    Its protocol is the `heads` (extractor, numbers of points), then every option and every fact of
    the score's own, each once: where both name a key, the score knows what was really used.
    """
    meaning: Column = ask.metric.columns[column]
    value, reason = score.value, score.reason
    if value is not None and not math.isfinite(value):
        value, reason = None, f"{column} is {value}"
    facts = {**dict(sorted(ask.options.items())), **score.protocol}
    return Measurement(
        id=column,
        metric=ask.metric.name,
        version=ask.metric.version,
        key=ask.key,
        protocol=", ".join([*heads, *(f"{key}={_short(item)}" for key, item in facts.items())]),
        split="train" if split == "train" else "test",
        value=value,
        stderr=score.stderr if value is not None else None,
        floor=floor if floor is not None else score.floor,
        reason=reason,
        n_real=n_real,
        n_fake=n_fake,
        better=meaning.better,
        unit=meaning.unit,
        kind=score.kind,
        seconds=seconds,
    )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
