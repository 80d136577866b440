"""How much worse a column may get before the gate looks at chance, unless a baseline says otherwise."""

from __future__ import annotations

from genbench.core.metric import column_of
from genbench.core.tolerance import USUAL, Tolerance
from genbench.store import Measurement
from genbench.store.record import OF_TIME

BY_UNIT: dict[str, Tolerance] = {
    "share": Tolerance(absolute=0.02, spreads=0.5),
    "modes": Tolerance(absolute=0.5, spreads=0.5),
    "nats": Tolerance(absolute=0.02, spreads=0.5),
    # logarithms, of which a share of the mean means nothing, and likenesses near 1
    "dB": Tolerance(absolute=0.1, spreads=0.5),
    "log ratio": Tolerance(absolute=0.05, spreads=0.5),
    "likeness": Tolerance(absolute=0.01, spreads=0.5),
    "steps": Tolerance(),
    **dict.fromkeys(OF_TIME, Tolerance(ratio=1.5)),
}


def usual_tolerance(measurement: Measurement, *, times: bool = False) -> Tolerance | None:
    """Returns the tolerance of a measurement's column; None where the column is not guarded.

    The column of an installed metric may have one of its own; otherwise the unit decides.

    Arguments:
        measurement: Of the column.
        times: Guard the fastest calls' absolute times too.
    """
    column = column_of(measurement.metric, measurement.id)
    fastest = measurement.unit in OF_TIME and measurement.id.endswith("_min_ms")
    if column is not None and not column.guarded and not (times and fastest):
        return None
    own = column.tolerance if column is not None else None
    return own or BY_UNIT.get(measurement.unit, USUAL)
