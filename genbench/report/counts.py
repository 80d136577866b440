"""How many seeds a number is of, wherever that is not all that completed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from genbench.report.columns import Cell, TableColumn
from genbench.report.groups import Group

if TYPE_CHECKING:
    from genbench.report.tables import Table

#: what the count behind a number says; failed seeds are another matter, which a dagger marks
FEWER = "n=k: the mean is of k seeds, fewer than completed (ok): the others were never measured by the column"


def count_text(group: Group, cell: Cell) -> str:
    """Returns " n=8" where a column was measured of fewer seeds than completed, else nothing.

    Seeds whose model leaves the number undefined were measured: they count as failed, and are marked.
    """
    return f" n={cell.estimate.n}" if _lacks_seeds(group, cell) else ""


def describe_counts(
    table: Table, columns: Sequence[TableColumn], groups: Iterable[Group]
) -> list[str]:
    """Returns the note below a table that has such counts.

    Arguments:
        table: The leaderboard.
        columns: The columns that are shown.
        groups: The rows that are shown.
    """
    cells = [(group, table.cell(group, column)) for group in groups for column in columns]
    fewer = [cell for group, cell in cells if _lacks_seeds(group, cell)]
    reasons = sorted({reason for cell in fewer if not cell.failed for reason in cell.reasons})
    return [FEWER + "".join(f", or: {reason}" for reason in reasons)] if fewer else []


def _lacks_seeds(group: Group, cell: Cell) -> bool:
    return bool(cell.values) and any(r.spec.seed not in cell.outcomes for r in group.ok)
