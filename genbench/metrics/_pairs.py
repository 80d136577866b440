"""What metrics of pairs ask of their input."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.truth import Truth
from genbench.metrics import _checks

#: how near an answer is near, as a share of the smallest squared distance between two: at 1/4 lies what is
#: halfway between these, the blurred average of both
Near = Annotated[float, Field(gt=0, lt=0.25, description="a number above 0 and below 0.25")]


def pairs(who: str, source: Tensor, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Returns true points and what was made of sources, (N, *event), after checking them row by row.

    Raises:
        DataError: If they differ in shape or number, or hold a value that is NaN or infinite.
    """
    real, fake = _checks.events(who, real, fake)
    counts = len(source), len(real), len(fake)
    if len(set(counts)) > 1:
        raise DataError(
            f"{who} needs a point for every source, got {counts[0]} sources, {counts[1]} real and "
            f"{counts[2]} fake points; give those that belong together"
        )
    return real, fake


def answers_to(truth: Truth | None, source: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the right answers to sources, (N, K, D), and their chances, (N, K), float64.

    Raises:
        DataError: If they are not known.
    """
    if truth is None or truth.answers is None:
        raise DataError("right answers needs a data set that knows them, got none; take another")
    answers, chances = truth.answers(source)
    return answers.double().flatten(2), chances.double()


def is_near(fake: Tensor, answers: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    """Returns which answer is nearest to each point, (N,), and whether it is near, bool, (N,).

    Near is within `tolerance` times the smallest squared distance between two answers to the same source.

    Arguments:
        fake: Points, shape (N, D), float64.
        answers: Of their sources, shape (N, K, D), K at least 2.
        tolerance: A share; below 1/4 no point is near two answers.
    """
    away = (answers - fake.unsqueeze(1)).square().sum(-1)
    least, which = away.min(1)
    between = torch.cdist(answers, answers).square()
    between.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    return which, least <= tolerance * between.flatten(1).amin(1)


def one_answer(answers: Tensor) -> str | None:
    """Returns why there is no gap between answers, or None where there is."""
    return None if answers.shape[1] > 1 else "a source has one right answer alone"
