"""Data sets that are drawn afresh without end, from distributions that are known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import Dataset, DataSpec
from genbench.core.quality import MIXTURE, Quality
from genbench.core.rng import Rng
from genbench.core.truth import Truth

#: how many points tell an entropy, and how many of them are drawn at once
DRAWS, ROWS = 400_000, 10_000


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
    """A mixture of isotropic Gaussians on fixed centres, streamed exactly.

    Subclasses set `name`, `centres` (K, D) and `std`, and `weights` (K,) unless modes are equally likely;
    everything else follows in closed form but the entropy, which is a fixed-seed Monte Carlo mean of
    -log p over 400,000 draws (s.e. about 0.0016 nats) unless given.
    """

    quality: ClassVar[Quality | None] = MIXTURE
    centres: ClassVar[Tensor]
    std: ClassVar[float]
    #: in nats; None for a mean over draws
    entropy: ClassVar[float | None] = None
    #: the modes' probabilities, shape (K,); None for equal ones
    weights: ClassVar[Tensor | None] = None

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.spec = DataSpec(self.name, (self.centres.shape[1],))
        self._centres = Constant(self.centres)
        low, high = (float(end) for end in self.centres.double().aminmax())
        self.truth = Truth(
            self._log_prob,
            self.entropy,
            self.centres,
            self.std,
            (low - 6 * self.std, high + 6 * self.std),
            weights=self.weights,
        )
        shares = self.truth.shares
        assert shares is not None
        self._edges, self._log_shares = Constant(shares.cumsum(0)[:-1]), Constant(shares.log())
        if self.entropy is None:
            self.truth = replace(self.truth, entropy=self._mean_entropy())
        #: the root mean square of a coordinate, exact, which sets the unit of model space
        squares = self.centres.double().square()
        mean = squares.mean() if self.weights is None else (shares @ squares).mean()
        self.scale = float((mean + self.std**2).sqrt())

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, shape (S, n, D)."""
        centres = self._centres.on(rng.device, rng.dtype)
        if self.weights is None:
            which = rng.integers(len(centres), n)
        else:
            edges = self._edges.on(rng.device, rng.dtype)
            which = torch.searchsorted(edges, rng.uniform(n), right=True)
        return centres[which] + self.std * rng.normal(n, centres.shape[1])

    def _mean_entropy(self) -> float:
        rng = Rng([0], dtype=torch.float64).fork("dataset", self.name, "entropy")
        parts = [self._log_prob(self.draw(ROWS, rng)[0]) for _ in range(DRAWS // ROWS)]
        return -float(torch.cat(parts).mean())

    def _log_prob(self, x: Tensor) -> Tensor:
        centres = self._centres.like(x)
        dims = centres.shape[1]
        square = (x.unsqueeze(-2) - centres).square().sum(-1) / self.std**2
        norm = 0.5 * dims * math.log(2 * math.pi * self.std**2)
        if self.weights is None:
            return torch.logsumexp(-0.5 * square, dim=-1) - (norm + math.log(len(centres)))
        return torch.logsumexp(self._log_shares.like(x) - 0.5 * square, dim=-1) - norm
