"""Two moons."""

from __future__ import annotations

import math
from pathlib import Path

import numpy
import torch
from torch import Tensor

from genbench.core.dataset import dataset
from genbench.core.quality import Quality
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.datasets._plane import Plane

STD = 0.1
#: enough Gauss-Legendre nodes on [0, pi] that the quadrature is exact to rounding at this noise
NODES = 160


@dataset("moons")
class Moons(Plane):
    r"""Two interleaved half circles with Gaussian noise of standard deviation 0.1, equally likely.

    .. math::
        (\cos t, \sin t) \text{ or } (1 - \cos t, \tfrac12 - \sin t), \qquad t \sim U(0, \pi)

    The density is an integral along the two arcs, computed by Gauss-Legendre quadrature.

    References:
        | Scikit-learn: Machine Learning in Python (Pedregosa et al., 2011), make_moons
        | FFJORD: Free-form Continuous Dynamics for Scalable Reversible Generative Models (Grathwohl et
        | al., 2019), for the noise

    Differences: angles are drawn and not equally spaced.
    """

    quality = Quality(("js_to_truth",))
    paper = "Pedregosa et al., 2011; Grathwohl et al., 2019"
    mean = (0.5, 0.25)
    #: about the mean the squares of the coordinates are 3/4 and 9/16 - 1/pi, the same on both arcs
    scale = math.sqrt((0.75 + 0.5625 - 1 / math.pi) / 2 + STD**2)
    #: -E log p by quadrature on a grid of spacing 0.01, which halving changes by less than 1e-11
    entropy = 1.00758483485

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        reach = 2.0 + 6 * STD
        self.truth = Truth(_log_prob, self.entropy, box=(-reach, reach))

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, shape (S, n, 2)."""
        angle, second = rng.uniform(n, high=math.pi), rng.integers(2, n, 1).bool()
        arcs = _arcs(angle)
        return torch.where(second, arcs[1], arcs[0]) + STD * rng.normal(n, 2)


def _arcs(t: Tensor) -> tuple[Tensor, Tensor]:
    cos, sin = t.cos(), t.sin()
    return torch.stack([cos, sin], dim=-1), torch.stack([1 - cos, 0.5 - sin], dim=-1)


def _log_prob(x: Tensor) -> Tensor:
    at, weight = (torch.from_numpy(a) for a in numpy.polynomial.legendre.leggauss(NODES))
    nodes = torch.cat(_arcs((at + 1) * math.pi / 2)).to(x.device)
    # the weights sum to 2, and each arc has half of the mass
    log_weight = (weight / 4).log().repeat(2).to(x.device)
    logs = []
    for rows in x.reshape(-1, 2).double().split(8192):
        square = torch.cdist(rows, nodes).square() / STD**2
        logs.append(torch.logsumexp(log_weight - 0.5 * square, dim=-1))
    return (torch.cat(logs) - math.log(2 * math.pi * STD**2)).view(x.shape[:-1]).to(x)
