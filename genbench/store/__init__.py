"""Results on disk: records, the folder they lie in, and what can be asked of it."""

from __future__ import annotations

from genbench.store.folder import Store
from genbench.store.record import (
    FAILURES,
    SCHEMA,
    CurvePoint,
    Measurement,
    Record,
    Status,
    Used,
    contents,
)

__all__ = [
    "FAILURES",
    "SCHEMA",
    "CurvePoint",
    "Measurement",
    "Record",
    "Status",
    "Store",
    "Used",
    "contents",
]
