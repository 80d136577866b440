"""Makes the cells of a leaderboard's row of what its records measured."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from statistics import fmean

from genbench.report.columns import Cell, TableColumn
from genbench.report.groups import Group
from genbench.statistics.intervals import Estimate
from genbench.store import Measurement, Record
from genbench.store.measurement_error import estimate_score, read_measurement_errors


def read_cells(group: Group) -> dict[TableColumn, Cell]:
    """Returns a row's cells by column, without ranks: what its completed seeds were measured by."""
    by_column: dict[TableColumn, dict[int, Measurement]] = defaultdict(dict)
    for record in group.ok:
        for measurement in record.metrics:
            by_column[TableColumn.of(measurement)][record.spec.seed] = measurement
    return {column: _cell(by_seed, column) for column, by_seed in by_column.items()}


def estimate_column(
    values: Sequence[float], id: str, records: Iterable[Record], keys: Container[str]
) -> Estimate:
    """Returns the mean of a column of some records as leaderboards show it, with the same interval.

    Arguments:
        values: One per seed.
        id: The column, against test points.
        records: The records.
        keys: What its measurements are keyed by.
    """
    for record in records:
        for m in record.metrics:
            if (m.id, m.split) == (id, "test") and m.key in keys:
                scale = TableColumn.of(m).meaning.interval_scale
                error = read_measurement_errors().find_of(record.spec.dataset, m)
                return estimate_score(values, scale, error)
    return estimate_score(values)


def _cell(by_seed: dict[int, Measurement], column: TableColumn) -> Cell:
    values = {
        seed: m.value
        for seed, m in by_seed.items()
        if m.value is not None and math.isfinite(m.value)
    }
    floors = [m.floor for m in by_seed.values() if m.floor is not None]
    reasons = {m.reason or "no finite value" for seed, m in by_seed.items() if seed not in values}
    notes = tuple(m.note for seed, m in by_seed.items() if seed in values and m.note)
    floor = fmean(floors) if floors else None
    scale = column.meaning.interval_scale
    return Cell(values, floor, tuple(sorted(reasons)), notes=notes, scale=scale)
