"""The checkerboard."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.dataset import dataset
from genbench.core.quality import Quality
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.datasets._plane import Plane


@dataset("checkerboard")
class Checkerboard(Plane):
    """Points uniform on every other one of the sixteen squares of side 2 that tile [-4, 4]².

    The density is 1/32 on the eight squares and zero elsewhere, so the entropy is ln 32.

    References:
        | FFJORD: Free-form Continuous Dynamics for Scalable Reversible Generative Models (Grathwohl et
        | al., 2019), whose code draws these squares
    """

    quality = Quality(("js_to_truth",))
    paper = "Grathwohl et al., 2019"
    #: either coordinate alone is uniform on [-4, 4], of variance 16/3
    scale = 4 / math.sqrt(3)

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.truth = Truth(_log_prob, math.log(32), box=(-4.0, 4.0))

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, shape (S, n, 2)."""
        column, row = rng.integers(4, n), rng.integers(2, n)
        corner = torch.stack([column, 2 * row + column % 2], dim=-1)
        return 2 * (corner + rng.uniform(n, 2)) - 4


def _log_prob(x: Tensor) -> Tensor:
    column, row = torch.floor((x + 4) / 2).unbind(-1)
    inside = (column >= 0) & (column < 4) & (row >= 0) & (row < 4) & ((column + row) % 2 == 0)
    nowhere = torch.full(inside.shape, -math.inf, dtype=x.dtype, device=x.device)
    return nowhere.masked_fill(inside, -math.log(32))
