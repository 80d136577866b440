"""How much worse a column's mean may get before a change of code counts as a regression."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field, model_validator

from genbench.core.allowed import Weight
from genbench.core.spec import NUMBER, Strict

NotNegative = Annotated[Weight, NUMBER]


class Tolerance(Strict):
    """How much worse a mean may get: the largest of the parts; not at all where all are 0.

    Times have a `ratio` instead, between geometric means.
    """

    absolute: NotNegative = 0.0
    relative: NotNegative = Field(default=0.0, description="of the baseline's absolute mean")
    spreads: NotNegative = Field(
        default=0.0, description="of the baseline's standard deviation over seeds"
    )
    ratio: Annotated[float, Field(gt=1), NUMBER] | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> Tolerance:
        if self.ratio is not None and (self.absolute or self.relative or self.spreads):
            raise ValueError("ratio stands alone; leave it out, or absolute, relative and spreads")
        return self

    def allowed(self, mean: float, spread: float) -> float:
        """Returns the tolerance around a mean, in its unit (of times: the logarithm of the ratio)."""
        if self.ratio is not None:
            return math.log(self.ratio)
        return max(self.absolute, self.relative * abs(mean), self.spreads * spread)


USUAL = Tolerance(relative=0.05, spreads=0.5)
