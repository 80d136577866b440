"""The one loop that calls metrics and turns their scores into measurements with their protocols."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy
import torch
from torch import Tensor

from genbench.core.errors import ContractError, DataError, SpecError, writable
from genbench.core.guard import blamed, is_own, unchanged
from genbench.core.metric import Score
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.core.truth import Truth
from genbench.evaluation.requests import MetricRequest, describe_code
from genbench.points.pairwise import Cloud, Steps, clouds, together
from genbench.store import Measurement

#: what a metric raises that cannot use its points
REFUSALS = (DataError, SpecError, numpy.linalg.LinAlgError, torch.linalg.LinAlgError)


@dataclass(frozen=True)
class Facts:
    """What a measurement says beside the score.

    Arguments:
        heads: Begins the protocol: the extractor, the numbers of points.
        split: The reference, `test` or `train`.
        n_real: How many real points were compared, or None where the metric compares none.
        n_fake: Likewise generated ones.
        floors: By column, the score of real points in place of generated ones.
    """

    heads: Sequence[str] = ()
    split: str = "test"
    n_real: int | None = None
    n_fake: int | None = None
    floors: Mapping[str, Score] = field(default_factory=dict)


@dataclass(frozen=True)
class MetricCall:
    """A metric and what it is called with.

    Arguments:
        request: The metric with its options.
        arguments: What it is called with, or nothing where it cannot be computed.
        rng: Of one seed, the metric's own.
        reason: Why it cannot be computed, or None.
        facts: What the measurement says beside the score.
        function: What is called in place of the metric's own function, for moments.
    """

    request: MetricRequest
    arguments: tuple[Any, ...] = ()
    rng: Rng | None = None
    reason: str | None = None
    facts: Facts = Facts()
    function: Callable[..., Any] | None = None


def measure(calls: Sequence[MetricCall], *, lenient: bool = False) -> list[Measurement]:
    """Returns a row for every column of every call's metric.

    Arguments:
        calls: What is to be computed.
        lenient: Whether a metric that refuses its points is null with its reason; if not, it raises.
    """
    rows = []
    for call, (scores, seconds) in zip(calls, compute_scores(calls, lenient=lenient), strict=True):
        for column, score in scores.items():
            rows.append(make_row(call.request, column, score, call.facts, seconds / len(scores)))
    return rows


@torch.no_grad()
def compute_scores(
    calls: Sequence[MetricCall], *, lenient: bool = False
) -> list[tuple[dict[str, Score], float]]:
    """Returns each call's scores by column, and the seconds they took.

    Metrics that look at pairs of the same points go through them together.
    """
    refusals = (*REFUSALS, ContractError) if lenient else ()
    results: dict[int, tuple[Any, float]] = {}
    groups: dict[Any, list[int]] = {}
    for k, call in enumerate(calls):
        function = call.request.metric.function
        if call.reason is not None:
            results[k] = (_refuse(call.request, call.reason), 0.0)
        elif call.function is None and hasattr(function, "steps"):
            groups.setdefault(tuple(_place(x) for x in call.arguments), []).append(k)
        else:
            with _guarded([call]):
                began = time.perf_counter()
                try:
                    with _blamed(call):
                        if call.function is not None:
                            result = call.function(*call.arguments, **call.request.options)
                        else:
                            result = function(
                                *call.arguments, rng=call.rng, **call.request.options
                            )
                except refusals as error:
                    result = _refuse(call.request, error)
                results[k] = (result, time.perf_counter() - began)
    for group in groups.values():
        sets = clouds(*calls[group[0]].arguments)
        steps = [_go_through(calls[k], sets, refusals) for k in group]
        names = [_name(calls[k]) for k in group]
        with _guarded([calls[k] for k in group]):
            results |= zip(group, together(steps, names), strict=True)
    return [
        (_by_column(call.request, results[k][0]), results[k][1]) for k, call in enumerate(calls)
    ]


def _guarded(calls: Sequence[MetricCall]) -> AbstractContextManager[None]:
    """Refuses metrics that write into what they are called with."""
    foreign = [call for call in calls if not is_own(call.request.metric.function)]
    who = " or ".join(_name(call) for call in foreign or calls)
    inputs = [x for argument in calls[0].arguments for x in _tensors(argument)]
    return unchanged(who, inputs, code=(foreign or calls)[0].request.metric.function)


def _blamed(call: MetricCall) -> AbstractContextManager[None]:
    return blamed(_name(call), call.request.metric.function)


def _name(call: MetricCall) -> str:
    return f"metric {call.request.metric.name!r}"


def _tensors(argument: Any) -> list[Any]:
    """What a metric could write into: points, what is known of the truth, a model's weights."""
    if isinstance(argument, Truth):
        return [argument.centres, argument.weights]
    if isinstance(argument, Trained):
        return list(argument.model.parameters())
    return [argument]


def _go_through(
    call: MetricCall, sets: Sequence[Cloud], refusals: tuple[type[Exception], ...]
) -> Steps[Any]:
    """A metric's steps, of which one that refuses its points does not stop the others'."""
    steps = call.request.metric.function.steps  # type: ignore[attr-defined]
    try:
        with _blamed(call):
            return (yield from steps(*sets, rng=call.rng, **call.request.options))
    except refusals as error:
        return _refuse(call.request, error)


def _refuse(request: MetricRequest, reason: object) -> dict[str, Score]:
    return dict.fromkeys(request.metric.columns, Score(None, reason=" ".join(str(reason).split())))


def _place(x: Tensor) -> tuple[Any, ...]:
    """What is equal for views of the same points."""
    return x.data_ptr(), x.shape, x.stride(), x.dtype


def _by_column(request: MetricRequest, result: Any) -> dict[str, Score]:
    """A score per declared column, in their order.

    Raises:
        ContractError: If there are other columns than the metric declares.
    """
    columns = request.metric.columns
    if not isinstance(result, Mapping):
        result = {request.metric.name: result}
    if set(result) != set(columns):
        raise ContractError(
            f"metric {request.metric.name!r} needs to return {sorted(columns)}, "
            f"got {sorted(map(str, result))}"
        )
    values = {column: result[column] for column in columns}
    return {c: _to_score(request, c, value) for c, value in values.items()}


def _to_score(request: MetricRequest, column: str, value: Any) -> Score:
    """A column's value as a score.

    Raises:
        ContractError: If it is not a number.
    """
    try:
        return value if isinstance(value, Score) else Score(float(value))
    except (TypeError, ValueError, RuntimeError):
        raise ContractError(
            f"metric {request.metric.name!r} needs to return a number as {column!r}, "
            f"got {type(value).__name__}"
        ) from None


def make_row(
    request: MetricRequest, column: str, score: Score, facts: Facts, seconds: float = 0.0
) -> Measurement:
    """Returns the record's row for one score; numbers that are not finite become null.

    Its protocol is the facts' heads, then every option and every fact of the score's own, each once:
    where both name a key, the score knows what was really used. A user's metric ends with its `code`, so
    that numbers of two sources of it never share a column.
    """
    meaning = request.metric.columns[column]
    value, reason = score.value, score.reason
    if value is not None and not math.isfinite(value):
        value, reason = None, f"{column} is {value}"
    details = {**dict(sorted(request.options.items())), **score.protocol}
    details |= describe_code(request.metric)
    floor = facts.floors[column].value if column in facts.floors else None
    return Measurement(
        id=column,
        metric=request.metric.name,
        version=request.metric.version,
        key=request.key,
        protocol=writable(
            ", ".join([*facts.heads, *(f"{k}={_shorten(v)}" for k, v in details.items())])
        ),
        split="train" if facts.split == "train" else "test",
        value=value,
        stderr=score.stderr if value is not None else None,
        floor=floor if floor is not None else score.floor,
        reason=writable(reason) if isinstance(reason, str) else reason,
        n_real=facts.n_real,
        n_fake=facts.n_fake,
        better=meaning.better,
        unit=meaning.unit,
        kind=score.kind,
        seconds=seconds,
        note=writable(score.note) if score.note and value is not None else None,
    )


def _shorten(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
