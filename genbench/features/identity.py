"""Points as they are."""

from __future__ import annotations

from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.feature import Extractor, extractor


@extractor("identity")
class Identity(Extractor):
    """Flattens each point and changes nothing else: the natural space of low-dimensional data."""

    computes = False

    @property
    def protocol(self) -> str:
        """The extractor's name: there is nothing else to know."""
        return "identity"

    def extract(self, x: Tensor) -> Tensor:
        """Flattens points (N, *event) to (N, D); integers become float32."""
        if x.dim() < 2:
            raise DataError(
                f"identity needs points of shape (N, ...), got {tuple(x.shape)}; give one row a point"
            )
        flat = x.flatten(1)
        return flat if flat.is_floating_point() else flat.float()
