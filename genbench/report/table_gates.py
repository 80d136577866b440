"""What null rows and the test set make of a leaderboard's columns: bars of noise, and errors of scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean

from genbench.report.columns import Cell, TableColumn
from genbench.report.groups import Group
from genbench.statistics.null_rows import Gate, check_nulls, make_bar


def make_gate(
    column: TableColumn,
    groups: list[Group],
    cells: Mapping[tuple[str, TableColumn], Cell],
    error: float,
) -> Gate:
    """Returns what null rows make of a column: a model's rows of several budgets are one.

    Arguments:
        column: The column.
        groups: All rows of the table.
        cells: Its cells, by row and column.
        error: The standard deviation of the column's floor; 0 where it is not known.
    """
    rows: dict[str, list[float]] = defaultdict(list)
    for group in groups:
        if group.null:
            rows[group.model] += values_of(cells, group, column).values()
    floor, ideal = find_floor(column, cells), column.meaning.ideal
    points = _count_points(column, groups) if column.unit == "share" else None
    bar = make_bar(column.better, ideal, floor, column.unit, error=error, points=points)
    return check_nulls(rows, bar)


def _count_points(column: TableColumn, groups: list[Group]) -> int | None:
    """The fewest generated points that a column's scores are of."""
    asked = column.id, column.split
    rows = (m for g in groups for r in g.records for m in r.metrics if (m.id, m.split) == asked)
    return min((m.n_fake for m in rows if m.n_fake is not None), default=None)


def find_floor(column: TableColumn, cells: Mapping[tuple[str, TableColumn], Cell]) -> float | None:
    """Returns the mean of the column's floors over rows, or None without any."""
    floors = [c.floor for (_, k), c in cells.items() if k == column]
    values = [value for value in floors if value is not None]
    return fmean(values) if values else None


def values_of(
    cells: Mapping[tuple[str, TableColumn], Cell], group: Group, column: TableColumn
) -> Mapping[int, float]:
    """Returns a row's values in a column, by seed; none where it has none."""
    return cells.get((group.id, column), Cell({})).values
