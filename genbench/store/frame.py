"""Records as a table: a pandas frame, CSV, Parquet."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genbench.core.catalogue import family_of
from genbench.core.errors import SpecError
from genbench.core.files import write_bytes
from genbench.store.record import Record

if TYPE_CHECKING:
    import pandas

FORMATS = (".csv", ".parquet")
#: how a text begins that a spreadsheet works out as a formula
FORMULAS = ("=", "+", "@", "\t", "\r")


def make_frame(records: Iterable[Record]) -> pandas.DataFrame:
    """Returns all measurements of records, one row per (cell, column, split).

    A record without measurements has one row, without a column's id. All that decides what a number may
    be averaged with is a column; rows of one `group` differ in their seed alone.
    """
    import pandas

    rows = []
    for record in records:
        about = _about(record)
        rows += [{**about, **m.model_dump()} for m in record.metrics] or [about]
    return pandas.DataFrame(rows)


def describe_settings(record: Record) -> dict[str, Any]:
    """Returns all that decides a cell's weights beside model, data set and seed, and its claims' scale."""
    spec = record.spec
    training = spec.training
    return {
        "model_version": spec.model_version,
        "options": json.dumps(spec.options, sort_keys=True),
        "dataset_version": spec.dataset_version,
        "dataset_options": json.dumps(spec.dataset_options, sort_keys=True),
        "budget_steps": spec.budget.steps,
        "budget_examples": spec.budget.examples,
        "budget_seconds": spec.budget.seconds,
        "batch": spec.batch,
        "labelled": spec.labelled,
        "precision": spec.precision,
        "autocast": spec.autocast,
        "compiled": spec.compiled,
        "training": None
        if training is None
        else json.dumps(training.model_dump(exclude_none=True), sort_keys=True),
        "scale": record.scale,
    }


def _about(record: Record) -> dict[str, Any]:
    spec, used = record.spec, record.used
    return {
        "cell": record.cell,
        "group": record.group,
        "status": record.status,
        "reason": record.reason,
        "model": spec.model,
        "taxonomy": record.taxonomy,
        "family": family_of(spec.model, record.taxonomy, record.family),
        "dataset": spec.dataset,
        **describe_settings(record),
        "seed": spec.seed,
        "parameters": record.parameters,
        "train_seconds": used.seconds,
        "seeds_sharing": used.seeds_sharing,
        "samples": spec.samples,
    }


def check_format(path: Path) -> None:
    """Checks that a file's format can be written.

    Raises:
        SpecError: For another ending than .csv and .parquet, or where Parquet's library is missing.
    """
    if path.suffix not in FORMATS:
        raise SpecError(f"export needs a file that ends in .csv or .parquet, got {path.name!r}")
    if path.suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise SpecError(
            "export to Parquet needs pyarrow, which is not installed; "
            "pip install 'genbench[parquet]', or name a .csv file"
        )


def quote_formula(value: Any) -> Any:
    """Returns a cell of a CSV file: a text that a spreadsheet would work out gets a quote before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULAS else value


def write_frame(frame: pandas.DataFrame, path: Path) -> None:
    """Writes a frame to a .csv or .parquet file.

    Raises:
        SpecError: As `check_format` does.
        WriteError: If the file cannot be written.
    """
    check_format(path)
    buffer = io.BytesIO()
    if path.suffix == ".csv":
        frame.map(quote_formula).to_csv(buffer, index=False)
    else:
        frame.to_parquet(buffer, index=False)
    write_bytes(path, buffer.getvalue())
