"""Waves of an autoregressive process on sixteen levels, whose law is known."""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec, QuantisedDataset, dataset
from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.datasets._markov import MarkovLaw

LEVELS = 16
#: the longest wave: two seconds at 16,000 samples a second
LONGEST = 32_000
#: samples in a split, so that long waves are fewer
SAMPLES = 512_000


@dataset("ar_wave")
class ARWave(QuantisedDataset):
    r"""Waves of 256 to 16,000 samples and more: a resonance driven by noise, quantised as it goes on.

    .. math::
        x_t = Q(2 r \cos(2\pi/T)\, x_{t-1} - r^2 x_{t-2} + \sigma e_t), \qquad e_t \sim N(0, 1)

    Q rounds to the nearest of the sixteen levels -7.5, -6.5, …, 7.5. As what goes in is what has been
    quantised, the levels are a Markov chain of order 2 whose table is a difference of normal distribution
    functions; started in its stationary state, so that log probabilities, entropy and spectrum are exact.
    Points are levels, in [0, 1]; a unit of x is a fifteenth.

    References:
        | On a Method of Investigating Periodicities in Disturbed Series (Yule, 1927)

    Arguments:
        length: Samples of a wave.
        radius: The modulus r of the resonance's poles, in (0, 1): how long it rings.
        period: The resonance's period T in samples, more than 2.
        noise: The standard deviation sigma of what drives it, in steps between levels.
        data_dir: Not used.
        offline: Not used.
    """

    paper = "Yule, 1927"
    levels = LEVELS
    stream: ClassVar[bool] = True

    def __init__(
        self,
        *,
        length: int = 256,
        radius: float = 0.75,
        period: float = 10.0,
        noise: float = 1.5,
        data_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        if not 3 <= length <= LONGEST or not 0 < radius < 1 or not period > 2 or not noise >= 0.2:
            raise SpecError(
                f"ar_wave needs a length from 3 to {LONGEST}, a radius between 0 and 1, a period above 2 "
                f"and noise of at least 0.2, got length={length}, radius={radius}, period={period} and "
                f"noise={noise}; the usual are 256, 0.75, 10 and 1.5"
            )
        super().__init__(data_dir=data_dir, offline=offline)
        self.spec = DataSpec(
            "ar_wave", (length,), range=(0.0, 1.0), levels=LEVELS, dequantisation="uniform"
        )
        self.law = MarkovLaw(_make_table(radius, period, noise))
        self.truth = Truth(self._log_prob, self.law.entropy(length))

    def points(self, split: str) -> Tensor:
        """Returns a fixed draw per split, 512,000 samples in all, (N, length)."""
        count = max(SAMPLES // self.spec.size, 1)
        return self.draw(count, Rng([0]).fork("dataset", self.name, split))[0]

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact waves per seed, shape (S, n, length)."""
        return self.law.draw(n, self.spec.size, rng).to(rng.dtype) / (LEVELS - 1)

    def spectrum(self) -> Tensor:
        r"""Returns the expected periodogram at frequencies j / length, in squared steps, (length // 2 + 1,).

        .. math:: E \frac1L |\sum_t x_t e^{-2\pi i j t / L}|^2 = \sum_{|k| < L} (1 - |k| / L)\, r_k
            \cos(2\pi j k / L)

        r are the autocovariances, and the mean is zero by symmetry.
        """
        length = self.spec.size
        lags = self.law.autocovariance(values(), length)
        share = 1 - torch.arange(length, dtype=torch.float64) / length
        # lag k and lag k - L have the same cosine
        wrapped = share * lags
        wrapped[1:] += wrapped[1:].flip(0)
        return torch.fft.rfft(wrapped).real

    def _log_prob(self, x: Tensor) -> Tensor:
        """Log probabilities in nats, float64, of waves (…, length) in [0, 1]."""
        return self.law.log_prob((x * (LEVELS - 1)).round().clamp(0, LEVELS - 1))


def values() -> Tensor:
    """Returns what the levels stand for, -7.5 … 7.5, float64."""
    return torch.arange(LEVELS, dtype=torch.float64) - (LEVELS - 1) / 2


def _make_table(radius: float, period: float, noise: float) -> Tensor:
    """Probabilities of the next level after two, float64, shape (256, 16), the older one first."""
    x = values()
    pull = 2 * radius * math.cos(2 * math.pi / period), -(radius**2)
    mean = (pull[0] * x.unsqueeze(0) + pull[1] * x.unsqueeze(1)).flatten().unsqueeze(1)
    edges = (x[:-1] + 0.5 - mean) / noise
    ends = torch.full_like(mean, torch.inf)
    edges = torch.cat([-ends, edges, ends], 1)
    low, high = edges[:, :-1], edges[:, 1:]
    # above the mean by the upper tails, which are exact where the lower ones round to 1
    above = low > 0
    a, b = torch.where(above, -high, low), torch.where(above, -low, high)
    return torch.special.ndtr(b) - torch.special.ndtr(a)
