"""A random training point in place of a translation."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.translation import ReferenceTranslator


@model("random_target")
class RandomTarget(ReferenceTranslator):
    """Creates a random training point for every source: perfect to metrics that do not look at sources.

    A translation that comes near it in FID has learnt what points look like; what it has learnt of
    sources is what it does better in metrics of pairs.
    """

    reads = True
    points: Tensor

    def __init__(self, spec: DataSpec, rng: Rng) -> None:
        super().__init__(spec, rng)
        self.register_buffer("points", self.mean.clone(), persistent=False)

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Keeps the training points."""
        super().prepare(batch, rng)
        self.points = batch.x

    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns training points with replacement, shape (S, B, *event)."""
        rows = rng.integers(self.points.shape[1], source.shape[1])
        return torch.stack([x[row] for x, row in zip(self.points, rows, strict=True)])
