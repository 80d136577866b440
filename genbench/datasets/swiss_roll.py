"""The Swiss roll, seen from its end."""

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

START, END = 1.5 * math.pi, 4.5 * math.pi
#: what the published curve is divided by, as the toys of Wasserstein GANs have it
UNIT = 7.5


@dataset("swiss_roll")
class SwissRoll(Plane):
    r"""Points on one spiral of a turn and a half that stays away from its centre, without noise.

    .. math::
        \tfrac{1}{7.5} (t \cos t, t \sin t), \qquad t \sim U(1.5\pi, 4.5\pi)

    Generative models are shown the roll in the plane, without the axis along which scikit-learn's roll
    of three dimensions is uniform. Points are uniform in t and so denser inside. The distribution has
    no density in the plane; what is known is the distance of a point to the curve.

    References:
        | Improved Training of Wasserstein GANs (Gulrajani et al., 2017), section 5 and its toy code
        | Deep Unsupervised Learning using Nonequilibrium Thermodynamics (Sohl-Dickstein et al., 2015)

    Differences: without the toy code's Gaussian noise (0.25 / 7.5).
    """

    quality = CURVE
    paper = "Sohl-Dickstein et al., 2015; Gulrajani et al., 2017"
    #: the root of E t² / 2 / 7.5², where E t² = 13/3 START² for t uniform on START times [1, 3]
    scale = START * math.sqrt(13 / 6) / UNIT

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.truth = Truth(box=(-END / UNIT, END / UNIT), distance=_distance)

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, shape (S, n, 2)."""
        return _curve(rng.uniform(n, low=START, high=END))


def _curve(t: Tensor) -> Tensor:
    return torch.stack([t * t.cos(), t * t.sin()], dim=-1) / UNIT


def _distance(x: Tensor) -> Tensor:
    return distance_to_curve(x, _curve, START, END)
