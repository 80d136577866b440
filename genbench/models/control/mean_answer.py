"""The mean of the training points in place of a translation."""

from __future__ import annotations

from torch import Tensor

from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.translation import ReferenceTranslator


@model("mean_answer")
class MeanAnswer(ReferenceTranslator):
    """Creates the mean of the training points, whatever the source: the least that squared error asks."""

    simple_fit = True
    reads = True

    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns the mean for every source, shape (S, B, *event)."""
        return self.mean.expand(-1, source.shape[1], *self.spec.event)
