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
#: pairs whose distances are summed at once
PAIRS = 10_000
#: a bound on the relative error of a squared distance by a product of matrices in single precision
ROUNDING = 1e-4


@model("retrieval")
class Retrieval(ReferenceTranslator):
    """Creates the training point whose source is nearest to the one given, in Euclidean distance.

    What memory alone does: its points are real, and their sources are nearly right. Captions are compared
    word by word. On a stream it remembers the pairs shown to `prepare`.
    """

    reads = True
    waits = dict.fromkeys(
        ("sample", "translate"), "how many are as near as the nearest is known late"
    )
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
        sources, keys = flat(self._key(source)), flat(self.keys)
        answers = [
            x[torch.cat([find_nearest(part, own) for part in some.split(ROWS)])]
            for x, some, own in zip(self.points, sources, keys, strict=True)
        ]
        return torch.stack(answers)

    def _key(self, source: Tensor) -> Tensor:
        """Sources as numbers; the distance of indicators is the number of words that differ."""
        spec = source_of(self.spec)
        return source if spec.tokens is None else as_numbers(source, spec, self.mean.dtype)


def find_nearest(asked: Tensor, keys: Tensor) -> Tensor:
    """Returns the row of the nearest of `keys` (N, D) to each of `asked` (B, D), the first of equals.

    A product of matrices finds those that its rounding, which depends on how many rows there are, cannot
    tell from the nearest; their distances are then summed pair by pair.
    """
    lengths = keys.square().sum(-1)
    near = lengths - 2 * asked @ keys.T  # squared distances, but for a constant of the row
    slack = ROUNDING * (asked.square().sum(-1, keepdim=True) + lengths.max())
    rows, candidates = (near <= near.amin(-1, keepdim=True) + slack).nonzero(as_tuple=True)
    pairs = zip(rows.split(PAIRS), candidates.split(PAIRS), strict=True)
    away = torch.cat([(asked[row] - keys[key]).square().sum(-1) for row, key in pairs])
    least = away.new_full((len(asked),), torch.inf).scatter_reduce(0, rows, away, "amin")
    beyond = rows.new_full((len(asked),), len(keys))
    nearest = torch.where(away == least[rows], candidates, len(keys))
    return beyond.scatter_reduce(0, rows, nearest, "amin")
