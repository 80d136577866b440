"""Records as a table: a pandas frame, CSV, Parquet."""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from genbench.core.errors import SpecError, StoreError
from genbench.core.files import write_bytes
from genbench.store.folder import Store

if TYPE_CHECKING:
    import pandas

FORMATS = (".csv", ".parquet")


def results(root: Path | str = "results") -> pandas.DataFrame:
    """Returns all measurements of a results folder as a frame, one row a (cell, column, split)."""
    import pandas

    rows = []
    for record in Store(root).records():
        about = {
            "cell": record.cell,
            "group": record.group,
            "status": record.status,
            "reason": record.reason,
            "model": record.spec.model,
            "options": json.dumps(record.spec.options, sort_keys=True),
            "dataset": record.spec.dataset,
            "seed": record.spec.seed,
            "parameters": record.parameters,
            "train_seconds": record.used.seconds,
        }
        rows += [{**about, **m.model_dump()} for m in record.metrics] or [about]
    return pandas.DataFrame(rows)


def export(root: Path | str, path: Path) -> int:
    """Writes all measurements to a .csv or .parquet file; returns the number of rows.

    Raises:
        SpecError: For another ending, or where Parquet's library is missing.
        StoreError: If there are no records, or the file cannot be written.
    """
    if path.suffix not in FORMATS:
        raise SpecError(f"export needs a file that ends in .csv or .parquet, got {path.name!r}")
    if path.suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise SpecError(
            "export to Parquet needs pyarrow, which is not installed; "
            "pip install 'genbench[parquet]', or name a .csv file"
        )
    frame = results(root)
    if frame.empty:
        raise StoreError(f"{root} holds no records; make some with: genbench run demo -o {root}")
    held = io.BytesIO()
    if path.suffix == ".csv":
        frame.to_csv(held, index=False)
    else:
        frame.to_parquet(held, index=False)
    write_bytes(path, held.getvalue())
    return len(frame)
