"""Classes of what was made of sources, by an independent judge."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.feature import Extractor, Logits
from genbench.core.metric import Score
from genbench.metrics._model import mean_score, nothing
from genbench.metrics._pairs import pairs


def judge_classes(
    who: str,
    columns: tuple[str, str],
    points: tuple[Tensor, Tensor, Tensor],
    labels: Tensor | None,
    judge: Extractor,
) -> dict[str, Score]:
    """Returns how often outputs are of their class, and how varied they are within a class.

    Arguments:
        who: The metric.
        columns: Those of the share and of the spread.
        points: Sources, true points and outputs, a row each.
        labels: The class that each output should be of, (N,), or None where it is not known.
        judge: The evaluation's extractor.

    Returns:
        The share with its standard error, its floor that of the true points; and the total variance of
        outputs within a class over that of the true points of the class, averaged over classes.
    """
    real, fake = pairs(who, *points)
    reason = None if isinstance(judge, Logits) else f"{judge.protocol} has no class logits"
    if labels is None:
        reason = f"{who} needs the classes of true points, which nobody gave"
    if reason is not None or labels is None or not isinstance(judge, Logits):
        return nothing(columns, reason or "")
    labels = labels.cpu()
    right = (judge.logits(fake).argmax(-1).cpu() == labels).double()
    floor = (judge.logits(real).argmax(-1).cpu() == labels).double().mean()
    share = mean_score(right)
    return {
        columns[0]: Score(share.value, share.stderr, floor=float(floor)),
        columns[1]: spread_within(real, fake, labels),
    }


def spread_within(real: Tensor, fake: Tensor, groups: Tensor) -> Score:
    """Returns the variance of outputs within a group over that of true points, averaged over groups."""
    ratios = []
    for group in groups.unique():
        rows = (groups == group).to(real.device)
        least = real[rows]
        if len(least) > 1 and float(_variance(least)) > 0:
            ratios.append(float(_variance(fake[rows]) / _variance(least)))
    if not ratios:
        return Score(None, reason="no class has two true points that differ")
    return Score(float(torch.tensor(ratios).double().mean()))


def spread_of_same(real: Tensor, fake: Tensor, groups: Tensor, sources: Tensor) -> Score:
    """Returns the variance of outputs of the same source over that of a group's true points, averaged.

    A group is of sources whose true points have one distribution; the variance within its sources is pooled,
    so that no output of one source is compared with another's. The floor is that of the true points.

    Arguments:
        real: True points, shape (N, *event).
        fake: Outputs, shape (N, *event).
        groups: The group of each, (N,).
        sources: Which source each is of, (N,).
    """
    ratios: list[tuple[float, float]] = []
    for group in groups.unique():
        rows = (groups == group).to(real.device)
        own = sources[rows.to(sources.device)]
        within = _pooled_variance(real[rows], own), _pooled_variance(fake[rows], own)
        whole = float(_variance(real[rows])) if len(own) > 1 else 0.0
        if whole > 0 and within[0] is not None and within[1] is not None:
            ratios.append((within[0] / whole, within[1] / whole))
    if not ratios:
        return Score(None, reason="no source with more than one output in a group of true points")
    floor, value = torch.tensor(ratios, dtype=torch.float64).mean(0).tolist()
    return Score(value, floor=floor)


def _pooled_variance(x: Tensor, sources: Tensor) -> float | None:
    """The total variance within sources, over those that have several rows; None where none has."""
    total, degrees = 0.0, 0
    for source in sources.unique():
        rows = x[(sources == source).to(x.device)]
        if len(rows) > 1:
            total += float(_variance(rows)) * (len(rows) - 1)
            degrees += len(rows) - 1
    return total / degrees if degrees else None


def _variance(x: Tensor) -> Tensor:
    return x.double().flatten(1).var(0).sum()
