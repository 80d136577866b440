"""The logit that takes data with a range to the real line, as a step of a flow."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from genbench.core.dataset import DataSpec

#: how far the logit keeps the range of the data from 0 and 1
MARGIN = 0.05


def to_logits(x: Tensor, spec: DataSpec) -> tuple[Tensor, Tensor]:
    """Maps flat points (S, B, D) to the real line, and returns the log-determinants (S, B).

    A share of the range, kept `MARGIN` from 0 and 1, passes a logit; data without a range pass as
    they are.

    References:
        | Density Estimation Using Real NVP (Dinh et al., 2017), section 4.1
    """
    if spec.range is None:
        return x, x.new_zeros(x.shape[:-1])
    low, high = spec.range
    slope = (1 - 2 * MARGIN) / (high - low)
    y = torch.logit(MARGIN + (x - low) * slope)
    return y, (functional.softplus(y) + functional.softplus(-y) + math.log(slope)).sum(-1)


def from_logits(y: Tensor, spec: DataSpec) -> Tensor:
    """Undoes `to_logits`; points may lie up to the margin's share beyond the range."""
    if spec.range is None:
        return y
    low, high = spec.range
    return low + (torch.sigmoid(y) - MARGIN) * (high - low) / (1 - 2 * MARGIN)
