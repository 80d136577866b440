"""Bars and stripes: the smallest binary images whose distribution is known."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import Dataset, DataSpec, dataset
from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.core.truth import Truth


@dataset("bars_and_stripes")
class BarsAndStripes(Dataset):
    """Binary images whose rows are all alike or whose columns are, every such image equally likely.

    Of the 2^(n²) words of n×n bits 2^(n+1) - 2 are possible, so the entropy and every log probability
    are exact and a model of 16 bits can be summed over all words.

    References:
        | Learning and Relearning in Boltzmann Machines (Hinton and Sejnowski, 1986)
        | Information Theory, Inference, and Learning Algorithms (MacKay, 2003), section 43.3

    Differences: the empty and the full image, which are bars and stripes both, are counted once.

    Arguments:
        size: The number n of rows and of columns.
    """

    stream = True
    paper = "Hinton and Sejnowski, 1986; MacKay, 2003"
    stream_size = 20_000

    def __init__(
        self, *, size: int = 4, data_dir: Path | None = None, offline: bool = False
    ) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        if not 2 <= size <= 12:
            raise SpecError(
                f"bars_and_stripes needs a size from 2 to 12, got {size}; its 2^(size+1) - 2 images "
                "are listed in memory"
            )
        self.patterns = _patterns(size)
        self._patterns = Constant(self.patterns)
        self.spec = DataSpec(self.name, (1, size, size), kind="binary", range=(0.0, 1.0))
        self.truth = Truth(self._log_prob, math.log(len(self.patterns)), box=(0.0, 1.0))

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n exact samples per seed, shape (S, n, 1, size, size)."""
        patterns = self._patterns.on(rng.device, rng.dtype)
        return patterns[rng.integers(len(patterns), n)]

    def points(self, split: str) -> Tensor:
        """Returns a fixed draw of `stream_size` images per split, float32, (N, 1, size, size)."""
        return self.draw(self.stream_size, Rng([0]).fork("dataset", self.name, split))[0]

    def _log_prob(self, x: Tensor) -> Tensor:
        words = x.flatten(-3)
        possible = torch.zeros(words.shape[:-1], dtype=torch.bool, device=x.device)
        for pattern in self._patterns.like(x).flatten(1):
            possible |= (words == pattern).all(-1)
        nowhere = torch.full(possible.shape, -math.inf, dtype=x.dtype, device=x.device)
        return nowhere.masked_fill(possible, -math.log(len(self.patterns)))


def _patterns(n: int) -> Tensor:
    """The distinct images, shape (2^(n+1) - 2, 1, n, n): all stripes, then the other bars."""
    words = (torch.arange(2**n).unsqueeze(1) >> torch.arange(n)) & 1
    stripes = words.float().view(-1, 1, n, 1).expand(-1, 1, n, n)
    return torch.cat([stripes, stripes.transpose(2, 3)[1:-1]]).contiguous()
