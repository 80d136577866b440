"""Data sets that are drawn afresh without end, from distributions that are known."""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import Dataset, DataSpec, Truth
from genbench.core.rng import Rng


class ScaledStream(Dataset):
    """A stream of real numbers, which models see divided by their exact root mean square.

    Subclasses set `scale`, that root of a coordinate, and draw points.
    """

    stream: ClassVar[bool] = True
    stream_size: ClassVar[int] = 20_000
    scale: float

    def points(self, split: str) -> Tensor:
        """Returns a fixed draw of `stream_size` points per split, float32, shape (N, D)."""
        return self.draw(self.stream_size, Rng([0]).fork("dataset", self.name, split))[0]

    def to_model(self, x: Tensor, rng: Rng | None = None) -> Tensor:
        """Divides by the root mean square, so that model space has unit scale."""
        return x / self.scale

    def to_data(self, y: Tensor) -> Tensor:
        """Multiplies by the root mean square."""
        return y * self.scale

    @property
    def log_volume(self) -> float:
        """-D log scale: the Jacobian of the scaling."""
        return -self.spec.size * math.log(self.scale)


class MixtureDataset(ScaledStream):
    """An equal-weight mixture of isotropic Gaussians on fixed centres, streamed exactly.

    Subclasses set `name`, `centres` (K, D) and `std`; everything else follows in closed form but the
    entropy, which is a fixed-seed Monte Carlo mean of -log p over 400,000 draws (s.e. about 0.0016
    nats) unless given.
    """

    centres: ClassVar[Tensor]
    std: ClassVar[float]
    entropy: ClassVar[float]

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.spec = DataSpec(self.name, (self.centres.shape[1],))
        self._centres = Constant(self.centres)
        reach = self.centres.abs().max().item() + 6 * self.std
        self.truth = Truth(self._log_prob, self.entropy, self.centres, self.std, (-reach, reach))
        #: the root mean square of a coordinate, exact, which sets the unit of model space
        self.scale = float((self.centres.double().square().mean() + self.std**2).sqrt())

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, shape (S, n, D)."""
        centres = self._centres.on(rng.device, rng.dtype)
        which = rng.integers(len(centres), n)
        return centres[which] + self.std * rng.normal(n, centres.shape[1])

    def _log_prob(self, x: Tensor) -> Tensor:
        centres = self._centres.like(x)
        dims = centres.shape[1]
        square = (x.unsqueeze(-2) - centres).square().sum(-1) / self.std**2
        norm = 0.5 * dims * math.log(2 * math.pi * self.std**2) + math.log(len(centres))
        return torch.logsumexp(-0.5 * square, dim=-1) - norm
