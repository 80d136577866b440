"""What no run writes into a record, however well it is sealed: edits by hand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from genbench.store.record import Measurement, Record

#: numbers of a measurement that are finite or absent, and those that are not negative, too
NUMBERS, AMOUNTS = ("value", "stderr", "floor"), ("n_real", "n_fake", "seconds")


def find_contradictions(record: Record) -> Iterator[str]:
    """Yields what contradicts itself: scores of a failure, the same score twice, numbers that are none."""
    if record.metrics and record.status != "ok":
        yield f"it is {record.status} and has scores of {record.metrics[0].id}"
    rows = Counter((m.id, m.split, m.key, m.protocol) for m in record.metrics)
    for (name, split, *_), count in rows.items():
        if count > 1:
            yield f"{name} ({split}) is there {count} times"
    for measurement in record.metrics:
        yield from _find_wrong_numbers(measurement)
    used = record.used
    if min(used.steps, used.examples, used.seconds) < 0 or used.seeds_sharing < 1:
        yield "what training used is negative, or of no seed"


def _find_wrong_numbers(measurement: Measurement) -> Iterator[str]:
    for name in (*NUMBERS, *AMOUNTS):
        number = getattr(measurement, name)
        if number is not None and (not math.isfinite(number) or (name in AMOUNTS and number < 0)):
            yield f"{name} of {measurement.id} ({measurement.split}) cannot be {number:g}"
            return
