"""Jensen-Shannon divergence to a known distribution, by histograms."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated

import torch
from torch import Tensor

from genbench.core.allowed import whole
from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics import _checks

COLUMN = Column(
    "lower", "nats", 0.0, "by histograms; at most ln 2, for distributions that never meet"
)
#: the midpoints a cell and axis at which the density is averaged, at least, and of all cells at most
FINER, MOST = 8, 3200**2
#: midpoints at which the density is asked for at once
ROWS = 4096


@metric(
    "js_to_truth",
    view="truth",
    columns={"js_to_truth": COLUMN},
    needs=("log_prob",),
    paper="Lin, 1991",
)
def js_to_truth(
    fake: Tensor, truth: Truth, *, rng: Rng, cells: Annotated[int, whole(2, 1000)] = 50
) -> Score:
    r"""Returns the Jensen-Shannon divergence between samples and the truth, both on one grid.

    .. math:: \mathrm{JS} = \tfrac12 KL(p \,\|\, m) + \tfrac12 KL(q \,\|\, m), \quad m = (p + q) / 2

    p is the truth's mass in each cell of its box, by integration, q the samples' share; what lies
    outside is one more cell. It is the same estimator for every model, whether it has a density or not.
    Cells hide what is finer than they are; few samples leave cells empty that should not be, which
    biases it upwards, so read it beside its floor.

    References:
        | Divergence Measures Based on the Shannon Entropy (Lin, 1991)

    Arguments:
        fake: Generated points, shape (M, D), D of 1 or 2.
        truth: A density and the box that holds all but a negligible mass.
        rng: Not used.
        cells: How many cells an axis has.

    Returns:
        A Score in [0, ln 2], lower is better; null for more dimensions, for distributions of words, and for
        modes far narrower than the cells.
    """
    integers = not fake.is_floating_point()
    fake = _checks.points("js_to_truth", "fake", fake).double()
    size = fake.shape[1]
    if truth.log_prob is None or truth.box is None or size > 2:
        return Score(
            None, kind="estimate", reason=f"no grid over {size} coordinates of known reach"
        )
    low, high = truth.box
    edge = (high - low) / cells
    finer = _fineness(truth, edge)
    if finer > FINER and (cells * finer) ** size > MOST:
        reason = (
            f"modes of standard deviation {truth.std:.3g} are too narrow for cells of {edge:.3g}"
        )
        return Score(None, kind="estimate", reason=reason)
    p = _masses(truth, size, cells, finer).to(fake.device)
    # a distribution of words has no density to integrate: its mass in the box would not come out as 1
    if not 0.9 < float(p.sum()) < 1.001:
        what = "integers" if integers else "points"
        return Score(
            None,
            kind="estimate",
            reason=f"the distribution of these {what} has no density in a box",
        )
    if len(fake) == 0:
        raise DataError("js_to_truth needs fake points, got none; draw some")
    index = ((fake - low) / edge).floor().long()
    inside = ((index >= 0) & (index < cells)).all(dim=1)
    flat = index[inside, 0] if size == 1 else index[inside, 0] * cells + index[inside, 1]
    q = torch.bincount(flat, minlength=cells**size).double() / len(fake)
    p, q = (torch.cat([x, (1 - x.sum()).clamp_min(0).unsqueeze(0)]) for x in (p, q))
    p = p / p.sum()
    middle = (p + q) / 2
    value = (_entropy(middle) - (_entropy(p) + _entropy(q)) / 2).clamp_min(0)
    return Score(float(value), kind="estimate")


def _fineness(truth: Truth, edge: float) -> int:
    """How many midpoints a cell needs along an axis so that none of the modes lies between them."""
    return max(FINER, math.ceil(edge / truth.std)) if truth.std else FINER


@lru_cache(maxsize=4)
def _masses(truth: Truth, size: int, cells: int, finer: int = FINER) -> Tensor:
    """The truth's mass in each cell by the midpoint rule on a finer grid, shape (cells^D,)."""
    assert truth.log_prob is not None
    assert truth.box is not None
    low, high = truth.box
    edge = (high - low) / cells
    axis = low + (torch.arange(cells * finer, dtype=torch.float64) + 0.5) * edge / finer
    rows = []
    for part in axis.split(finer):
        points = part.unsqueeze(1) if size == 1 else torch.cartesian_prod(part, axis)
        density = torch.cat([truth.log_prob(few) for few in points.split(ROWS)]).exp()
        rows.append(density.view(finer, -1, finer if size == 2 else 1).mean(dim=(0, 2)))
    return torch.cat(rows) * edge**size


def _entropy(p: Tensor) -> Tensor:
    return -torch.special.xlogy(p, p).sum()
