"""Enlargement by repeated pixels, which knows nothing of the data."""

from __future__ import annotations

from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.families.enlargement import enlarge, needs_enlargement
from genbench.families.translation import ReferenceTranslator


@model("nearest")
class Nearest(ReferenceTranslator):
    """Creates the enlargement of a source by repeating its pixels, clipped to the data's range."""

    simple_fit = True

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Sources must be images smaller than points."""
        return super().refuses(spec) or needs_enlargement(spec)

    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns the enlarged sources, shape (S, B, *event)."""
        return enlarge(source, self.spec, "nearest")
