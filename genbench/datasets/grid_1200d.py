"""Ten Gaussians of 700 dimensions in a space of 1,200."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import DataSpec, dataset
from genbench.core.rng import Rng
from genbench.core.streams import ScaledStream
from genbench.core.truth import Truth

LEVELS = torch.tensor([-1.0, -0.5, 0.0, 0.5, -2.0, -2.5, 10.0, 0.25, -13.0, -5.5])
_LEVELS = Constant(LEVELS)
SIZE, NOISY = 1200, 700


@dataset("grid_1200d")
class Grid1200D(ScaledStream):
    """Ten modes on the diagonal of 1,200 dimensions, with unit noise in the first 700 of them alone.

    All coordinates of a mode's centre are one number (-13, -5.5, -2.5, -2, -1, -0.5, 0, 0.25, 0.5 or
    10); the last 500 coordinates have no noise, so the distribution has no density. What is known is the
    distance to the ten affine spaces that hold it.

    A point is of high quality within sqrt(700) + 10 standard deviations of its nearest centre: ten
    more than an exact sample's root mean square. The published rule, ten standard deviations, in which
    coordinates without noise count as if they had it, excludes every exact sample (they lie about 26.5
    away), so shares by that rule do not compare with these.

    References:
        | VEEGAN: Reducing Mode Collapse in GANs (Srivastava et al., 2017), section 4.1
        | PacGAN: The power of two samples in generative adversarial networks (Lin et al., 2018),
        | whose code has the ten centres
    """

    #: a third of the other streams', for 48 MB a split
    stream_size = 10_000
    paper = "Srivastava et al., 2017"
    #: the root mean square of a coordinate, exact
    scale = math.sqrt(float(LEVELS.double().square().mean()) + NOISY / SIZE)

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.spec = DataSpec(self.name, (SIZE,))
        radius = math.sqrt(NOISY) + 10
        half = torch.tensor([NOISY / 2, radius**2 / 2], dtype=torch.float64)
        self.truth = Truth(
            centres=LEVELS.double().unsqueeze(1).expand(-1, SIZE),
            std=1.0,
            box=(-13.0 - 6, 10.0 + 6),
            distance=_distance,
            high_quality=(radius, float(torch.special.gammainc(half[0], half[1]))),
        )

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, shape (S, n, 1200)."""
        level = _LEVELS.on(rng.device, rng.dtype)[rng.integers(len(LEVELS), n, 1)]
        x = level.repeat(1, 1, SIZE)
        x[..., :NOISY] += rng.normal(n, NOISY)
        return x


def _distance(x: Tensor) -> Tensor:
    """Distances to the nearest mode in the coordinates without noise."""
    still = x[..., NOISY:].unsqueeze(-2) - _LEVELS.like(x).unsqueeze(-1)
    return still.square().sum(-1).sqrt().amin(-1)
