"""Which models cannot be distinguished: the critical-difference groups of headline columns."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from genbench.report import text
from genbench.report.columns import TableColumn
from genbench.report.groups import Group
from genbench.report.tables import Table

#: groups that are drawn side by side; with more of them the ranks say it better
MOST = 12


def find_significance_groups(table: Table) -> list[dict[str, Any]]:
    """Returns one entry per headline column in which two rows or more have a rank.

    {"column", "letters", "rows", "many"}: a row has label, mean, rank, and for every letter whether
    it belongs to that group, whose rows cannot be distinguished; many says that there are too many
    groups to be drawn.
    """
    labels = {group.id: group for group in table.groups}
    entries = []
    for column in table.columns:
        ranking = table.rankings.get(column)
        if not column.headline or ranking is None or len(ranking.order) < 2:
            continue
        cliques = ranking.cliques(MOST)
        groups = cliques or []
        rows = [_row(table, column, labels[id], groups) for id in ranking.order]
        letters = list(ascii_lowercase[: len(groups)])
        many = cliques is None
        entries.append({"column": column, "letters": letters, "rows": rows, "many": many})
    return entries


def _row(table: Table, column: TableColumn, group: Group, cliques: list[Any]) -> dict[str, Any]:
    cell = table.cell(group, column)
    rank = text.rank_text(cell.rank, cell.last)
    members = [group.id in clique for clique in cliques]
    return {"label": group.label, "mean": cell.text, "rank": rank, "in": members}
