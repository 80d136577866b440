"""Results on disk: records, the folder they lie in, and what can be asked of it."""

from __future__ import annotations

from genbench.store.folder import Store
from genbench.store.record import (
    EXTERNAL,
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
    "EXTERNAL",
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
