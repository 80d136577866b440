"""Scores generated against real points of any origin; no model is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from genbench.core.dataset import Dataset, Truth
from genbench.core.errors import DataError
from genbench.core.feature import Extractor, Logits
from genbench.core.metric import Metric
from genbench.core.rng import Rng
from genbench.evaluation.requests import EXTRACTED, SPACES, Ask
from genbench.evaluation.scoring import Question, known_truth, measured
from genbench.store import Measurement

Spaces = Mapping[str, Tensor]


def spaces_of(asks: Sequence[Ask], extractor: Extractor) -> set[str]:
    """Returns the spaces in which the metrics want points, as far as the extractor can make them."""
    wanted = {SPACES[ask.metric.view] for ask in asks if ask.metric.view in SPACES}
    return wanted if isinstance(extractor, Logits) else wanted - {"logits"}


def compare(
    fake: Spaces,
    real: Spaces,
    asks: Sequence[Ask],
    *,
    extractor: Extractor,
    train: Spaces | None = None,
    dataset: Dataset | None = None,
    seed: int = 0,
    memory: int | None = None,
) -> list[Measurement]:
    """Scores generated against real points, both as `points.gather` returns them.

    Arguments:
        fake: Generated points by space, one row a point.
        real: The reference's.
        asks: The metrics; those that lack something come back null with a reason.
        extractor: What made features and logits.
        train: The training points', for metrics of memorisation, or None.
        dataset: The reference's data set, whose truth metrics may need, or None.
        seed: For metrics that subsample.
        memory: The bytes that a metric's matrices may take, or None for no limit.

    Raises:
        DataError: If the two are points of different sizes.
    """
    for space in set(fake) & set(real):
        if fake[space].shape[1:] != real[space].shape[1:]:
            raise DataError(
                f"evaluate needs points of one shape, got samples {tuple(fake[space].shape)} and "
                f"reference {tuple(real[space].shape)}; compare like with like"
            )
    truth = known_truth(dataset) if dataset is not None else None
    rng = Rng([seed]).fork("evaluate")
    counts = len(next(iter(real.values()))), len(next(iter(fake.values())))
    questions = []
    for ask in asks:
        metric = ask.metric
        space = SPACES.get(metric.view, "")
        heads = [extractor.protocol] if space in EXTRACTED else []
        told = {
            "heads": [*heads, f"n={counts[0]}/{counts[1]}"],
            "n_real": counts[0],
            "n_fake": counts[1],
        }
        lacking = _lacking(metric, extractor, dataset, truth, train)
        lacking = lacking or _too_large(metric, real.get(space), memory)
        if lacking:
            questions.append(Question(ask, lacking=lacking, told=told))
            continue
        seen: list[Any] = [fake[space], truth] if metric.view == "truth" else []
        seen = seen or [real[space], fake[space]]
        if metric.view == "memory" and train is not None:
            seen.insert(0, train[space])
        questions.append(Question(ask, tuple(seen), rng.fork("metric", metric.name), told=told))
    return measured(questions)


def _too_large(metric: Metric, x: Tensor | None, memory: int | None) -> str | None:
    """Why a metric's matrices of dimensions by dimensions do not fit into memory, or None."""
    if x is None or memory is None or x.dim() != 2:
        return None
    need = 8 * metric.matrices * min(x.shape) * x.shape[1]
    if need <= memory:
        return None
    return (
        f"{metric.name} needs {need / 2**30:.3g} GiB for matrices of {x.shape[1]} dimensions, "
        f"--memory has {memory / 2**30:.3g} GiB; raise it, or take features of fewer dimensions"
    )


def _lacking(
    metric: Metric,
    extractor: Extractor,
    dataset: Dataset | None,
    truth: Truth | None,
    train: Spaces | None,
) -> str | None:
    """Why a metric cannot be asked of two sets of points, or None."""
    if metric.view == "model":
        return f"{metric.name} needs a model, got samples alone"
    if metric.view == "truth":
        if truth is None:
            return f"{metric.name} needs a data set whose truth is known as reference"
        unknown = [need for need in metric.needs if getattr(truth, need, None) is None]
        return f"{metric.name} needs a known {unknown[0]} as reference" if unknown else None
    if dataset is not None and dataset.spec.kind == "tokens":
        return f"{metric.name} compares numbers, {dataset.name} holds tokens"
    if metric.view == "memory" and train is None:
        return f"{metric.name} needs the training points too; name them by --train"
    if metric.view == "logits" and not isinstance(extractor, Logits):
        return f"{metric.name} needs class logits, which this extractor has not"
    return None
