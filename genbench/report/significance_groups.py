"""Which entrants cannot be distinguished: their critical-difference groups."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from genbench.report import text
from genbench.report.columns import TableColumn
from genbench.report.compact import key_columns
from genbench.report.placing import rank_rows
from genbench.report.standings import Entrant
from genbench.report.tables import Table
from genbench.statistics.ranking import Ranking

#: more groups than letters; a dozen families cannot have as many
MOST = len(ascii_lowercase)


def find_significance_groups(table: Table) -> list[dict[str, Any]]:
    """Returns one entry per column that decides or is a headline in which two entrants or more can be ranked.

    {"column", "letters", "rows"}: a row has name, family, label, mean, rank among the entrants, and for every
    letter whether it belongs to that group, whose rows cannot be distinguished.
    """
    if table.standings is None:
        return []
    first = table.standings.column
    by_id = {entrant.group.id: entrant for entrant in table.standings.entrants}
    entrants = [entrant.group for entrant in by_id.values()]
    columns = [c for c in key_columns(table) if c.better != "none" and table.judges(c)]
    entries = []
    for column in sorted(columns, key=lambda c: (c != first, c.order)):
        ranking = rank_rows(entrants, column, table.cells)
        if len(ranking.order) < 2:
            continue
        cliques = ranking.cliques(MOST) or []
        rows = [_row(table, column, by_id[id], cliques, ranking) for id in ranking.order]
        letters = list(ascii_lowercase[: len(cliques)])
        entries.append({"column": column, "letters": letters, "rows": rows})
    return entries


def _row(
    table: Table, column: TableColumn, entrant: Entrant, cliques: list[Any], ranking: Ranking
) -> dict[str, Any]:
    group = entrant.group
    members = [group.id in clique for clique in cliques]
    about = {"name": entrant.name, "family": group.family, "label": group.label}
    others = [
        f"{c.id} {table.cell(group, c).text}"
        for c in table.beside(column)
        if c.id in column.meaning.beside
    ]
    mean = ", ".join([table.cell(group, column).text, *others])
    rank = text.rank_text(*ranking.ends(group.id))
    return {**about, "mean": mean, "rank": rank, "in": members}
