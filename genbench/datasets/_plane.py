"""What the streams of points in the plane share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.core.streams import ScaledStream

#: the nodes of a curve from which the search for its nearest point starts
NODES = 2048
#: points compared with all nodes at once, which bounds memory at 64 MB
ROWS = 4096


class Plane(ScaledStream):
    """A stream of points in the plane, centred and scaled to unit root mean square for models.

    Subclasses set `mean` and `scale`, both exact, draw points, and say what is known of the truth.
    """

    mean: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.spec = DataSpec(self.name, (2,))
        self._mean = Constant(torch.tensor(self.mean))

    def to_model(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        """Subtracts the mean and divides by the exact root mean square of a coordinate."""
        return (x - self._mean.like(x)) / self.scale

    def to_data(self, y: Tensor) -> Tensor:
        """Undoes `to_model`."""
        return y * self.scale + self._mean.like(y)


def distance_to_curve(
    x: Tensor, curve: Callable[[Tensor], Tensor], low: float, high: float
) -> Tensor:
    """Returns the distances of points (…, 2) to a curve over [low, high], shape (…).

    The nearest of equally spaced nodes is refined by a ternary search between its neighbours, which
    is exact to rounding where the curve turns little between nodes.

    Arguments:
        x: Points, shape (…, 2).
        curve: Maps parameters (…) to points (…, 2).
        low: The parameter of the curve's one end.
        high: The parameter of its other end.
    """
    nodes = torch.linspace(low, high, NODES, dtype=torch.float64, device=x.device)
    points, step = x.reshape(-1, 2).double(), (high - low) / (NODES - 1)
    nearest = [torch.cdist(rows, curve(nodes)).argmin(-1) for rows in points.split(ROWS)]
    middle = nodes[torch.cat(nearest)]
    lower, upper = (middle - step).clamp_min(low), (middle + step).clamp_max(high)
    for _ in range(80):  # (2/3)^80 of a step is below the rounding of the parameter
        a, b = lower + (upper - lower) / 3, upper - (upper - lower) / 3
        nearer = (points - curve(a)).square().sum(-1) < (points - curve(b)).square().sum(-1)
        lower, upper = torch.where(nearer, lower, a), torch.where(nearer, b, upper)
    distance = (points - curve((lower + upper) / 2)).square().sum(-1).sqrt()
    return distance.view(x.shape[:-1]).to(x)
