"""The unit circle."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.dataset import dataset
from genbench.core.quality import CURVE
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.datasets._plane import Plane


@dataset("circle")
class Circle(Plane):
    """Points uniform on the unit circle, without noise: the simplest manifold of one dimension.

    The distribution has no density in the plane, so a model's likelihood has no upper bound; what is known is
    the distance of a point to the circle, | |x| - 1 |.
    """

    quality = CURVE
    #: the root mean square of a coordinate, E cos² = 1/2
    scale = math.sqrt(0.5)

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.truth = Truth(box=(-1.0, 1.0), distance=_distance)

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, shape (S, n, 2)."""
        angle = rng.uniform(n, high=2 * math.pi)
        return torch.stack([angle.cos(), angle.sin()], dim=-1)


def _distance(x: Tensor) -> Tensor:
    return (x.square().sum(-1).sqrt() - 1).abs()
