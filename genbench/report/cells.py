"""Makes the cells of a leaderboard's row of what its records measured."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import fmean

from genbench.report.columns import Cell, TableColumn
from genbench.report.groups import Group
from genbench.store import Measurement


def read_cells(group: Group) -> dict[TableColumn, Cell]:
    """Returns a row's cells by column, without ranks: what its completed seeds were measured by."""
    by_column: dict[TableColumn, dict[int, Measurement]] = defaultdict(dict)
    for record in group.ok:
        for measurement in record.metrics:
            by_column[TableColumn.of(measurement)][record.spec.seed] = measurement
    return {column: _cell(by_seed, column) for column, by_seed in by_column.items()}


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
