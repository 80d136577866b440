"""Two spirals."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.dataset import dataset
from genbench.core.quality import CURVE
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.datasets._plane import Plane, distance_to_curve

#: the angle at which an arm ends, one turn and a half
END = 3 * math.pi


@dataset("spiral")
class Spiral(Plane):
    r"""Points on two interleaved Archimedean spirals that meet at the origin, without noise.

    .. math::
        \pm \tfrac13 (-t \cos t, t \sin t), \qquad t = 3\pi\sqrt{u}, \qquad u \sim U(0, 1)

    The root makes points nearly uniform along the arms. The distribution has no density in the plane; what is
    known is the distance of a point to the nearer arm.

    References:
        | FFJORD: Free-form Continuous Dynamics for Scalable Reversible Generative Models (Grathwohl et
        | al., 2019), whose code draws these two arms

    Differences: without that code's two kinds of noise (uniform on [0, 1/6] and Gaussian of 0.1).
    """

    quality = CURVE
    paper = "Grathwohl et al., 2019"
    #: the root of E t² / 2 / 9 = 9 pi² / 4 / 9
    scale = math.pi / 2

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.truth = Truth(box=(-END / 3, END / 3), distance=_distance)

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, shape (S, n, 2)."""
        sign = 2 * rng.integers(2, n, 1) - 1
        return sign * _arm(END * rng.uniform(n).sqrt())


def _arm(t: Tensor) -> Tensor:
    return torch.stack([-t * t.cos(), t * t.sin()], dim=-1) / 3


def _distance(x: Tensor) -> Tensor:
    return torch.minimum(
        distance_to_curve(x, _arm, 0.0, END), distance_to_curve(-x, _arm, 0.0, END)
    )
