"""How much worse a column may get before the gate looks at chance."""

from __future__ import annotations

import math

from pydantic import Field

from genbench.core.spec import Strict
from genbench.store.record import OF_TIME


class Tolerance(Strict):
    """How much worse a mean may get: the largest of the parts; none at all where all are 0.

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
USUAL_TIME = Tolerance(ratio=1.5)
_SHARE = Tolerance(absolute=0.02, spreads=0.5)
_NATS = Tolerance(absolute=0.02, spreads=0.5)
#: by unit, then by column; None is not guarded: it repeats another column, or is mostly noise
BY_UNIT: dict[str, Tolerance | None] = {
    "share": _SHARE,
    "modes": Tolerance(absolute=0.5, spreads=0.5),
    "nats": _NATS,
    "steps": Tolerance(),
    **dict.fromkeys(OF_TIME, USUAL_TIME),
}
BY_COLUMN: dict[str, Tolerance | None] = {
    # what else the machine does moves these more than the fastest call
    "latency_1_p50_ms": None,
    "latency_1_p95_ms": None,
    "latency_1024_p50_ms": None,
    "latency_1024_p95_ms": None,
    "samples_per_s": None,
    "kid_subsets": None,
    "reverse_kl_corrected": None,
    "bits_per_dim": None,
    "autocorrelation_time": USUAL,
    "effective_sample_steps": USUAL,
}


def usual_tolerance(column: str, unit: str) -> Tolerance | None:
    """Returns the tolerance of a column unless a baseline says otherwise; None: not guarded."""
    return BY_COLUMN[column] if column in BY_COLUMN else BY_UNIT.get(unit, USUAL)
