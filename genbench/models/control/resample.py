"""The training set itself, drawn from with replacement."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, Model, Player, model
from genbench.core.rng import Rng


@model("resample")
class Resample(Model):
    """Creates a sampler of training points: what perfect memory does to every metric.

    A score that this row wins measures memory as much as quality; a model that comes near it on
    held-out data is as good as the data allow. On a stream it draws from the points shown to `prepare`.
    """

    taxonomy = "reference"

    def __init__(self, spec: DataSpec, rng: Rng) -> None:
        super().__init__(spec, rng)
        self.register_buffer("points", torch.zeros(self.seeds, 1, *spec.event), persistent=False)

    def players(self) -> tuple[Player, ...]:
        """None: there is nothing to train."""
        return ()

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Keeps the training set as it is given, possibly one array for all seeds."""
        self.points = batch.x

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns training points with replacement, shape (S, n, *event)."""
        rows = rng.integers(self.points.shape[1], n)
        seeds = torch.arange(len(rows), device=rows.device).unsqueeze(1)
        return self.points[seeds, rows]
