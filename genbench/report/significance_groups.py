"""Who can be told apart: the critical-difference groups of a data set's headline columns."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from genbench.report import text
from genbench.report.columns import Column
from genbench.report.tables import Table

#: groups that are drawn side by side; with more of them the ranks say it better
MOST = 12


def told_apart(table: Table) -> list[dict[str, Any]]:
    """Returns one entry a headline column in which two rows or more have a rank.

    {"column", "letters", "rows", "many"}: a row has label, mean, rank, and for every letter whether
    it belongs to that group, of which no two rows can be told apart; many says that there are
    too many groups to be drawn.
    """
    labels = {group.id: group for group in table.groups}
    found = []
    for column in table.columns:
        ranking = table.rankings.get(column)
        if not column.headline or ranking is None or len(ranking.order) < 2:
            continue
        cliques = ranking.cliques(MOST)
        groups = cliques or []
        rows = [_row(table, column, labels[id], id, groups) for id in ranking.order]
        letters = list(ascii_lowercase[: len(groups)])
        found.append({"column": column, "letters": letters, "rows": rows, "many": cliques is None})
    return found


def _row(table: Table, column: Column, group: Any, id: str, cliques: list[Any]) -> dict[str, Any]:
    cell = table.cell(group, column)
    rank = text.rank_text(cell.rank, cell.last)
    held = [id in clique for clique in cliques]
    return {"label": group.label, "mean": cell.text, "rank": rank, "in": held}
