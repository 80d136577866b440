"""How much worse a column's mean may get before a change of code counts as a regression."""

from __future__ import annotations

import math

from pydantic import Field

from genbench.core.spec import Strict


class Tolerance(Strict):
    """How much worse a mean may get: the largest of the parts; not at all where all are 0.

    Times have a `ratio` instead, between geometric means.
    """

    absolute: float = Field(default=0.0, ge=0)
    relative: float = Field(default=0.0, ge=0, description="of the baseline's absolute mean")
    spreads: float = Field(
        default=0.0, ge=0, description="of the baseline's standard deviation over seeds"
    )
    ratio: float | None = Field(default=None, gt=1)

    def allowed(self, mean: float, spread: float) -> float:
        """Returns the tolerance around a mean, in its unit (of times: the logarithm of the ratio)."""
        if self.ratio is not None:
            return math.log(self.ratio)
        return max(self.absolute, self.relative * abs(mean), self.spreads * spread)


USUAL = Tolerance(relative=0.05, spreads=0.5)
