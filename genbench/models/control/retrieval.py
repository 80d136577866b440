"""The training point whose source is nearest in place of a translation."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, model
from genbench.core.rng import Rng
from genbench.families.translation import ReferenceTranslator, needs_pairs, source_in
from genbench.nn.mlp import flat
from genbench.nn.translation import as_numbers, source_of

#: sources that are compared with all training sources at once
ROWS = 256


@model("retrieval")
class Retrieval(ReferenceTranslator):
    """Creates the training point whose source is nearest to the one given, in Euclidean distance.

    What memory alone does: its points are real, and their sources are nearly right. Captions are compared
    word by word. On a stream it remembers the pairs shown to `prepare`.
    """

    reads = True
    points: Tensor
    keys: Tensor

    def __init__(self, spec: DataSpec, rng: Rng) -> None:
        super().__init__(spec, rng)
        self.register_buffer("points", self.mean.clone(), persistent=False)
        self.register_buffer("keys", self.sources.clone(), persistent=False)

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Points must be shown beside their own sources."""
        return super().refuses(spec) or needs_pairs(spec)

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Keeps the training pairs."""
        super().prepare(batch, rng)
        self.points, self.keys = batch.x, self._key(source_in(batch))

    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns the points of the nearest sources, shape (S, B, *event)."""
        parts = []
        for part in source.split(ROWS, dim=1):
            # a row's sums must not depend on the others: a product of matrices would round by their number
            away = torch.cdist(
                flat(self._key(part)), flat(self.keys), compute_mode="donot_use_mm_for_euclid_dist"
            )
            rows = away.argmin(-1)
            parts.append(torch.stack([x[row] for x, row in zip(self.points, rows, strict=True)]))
        return torch.cat(parts, 1)

    def _key(self, source: Tensor) -> Tensor:
        """Sources as numbers; the distance of indicators is the number of words that differ."""
        spec = source_of(self.spec)
        return source if spec.tokens is None else as_numbers(source, spec, self.mean.dtype)
