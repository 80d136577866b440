"""Which entrants cannot be distinguished: their critical-difference groups."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from genbench.report import text
from genbench.report.columns import TableColumn
from genbench.report.groups import Group
from genbench.report.standings import Entrant, rank_rows
from genbench.report.tables import Table
from genbench.statistics.ranking import Ranking

#: more groups than letters; a dozen families cannot have as many
MOST = len(ascii_lowercase)


def find_significance_groups(table: Table) -> list[dict[str, Any]]:
    """Returns one entry per headline column in which two entrants or more can be ranked.

    {"column", "letters", "rows"}: a row has name, mean, rank among the entrants, and for every
    letter whether it belongs to that group, whose rows cannot be distinguished.
    """
    if table.standings is None:
        return []
    first = table.standings.column
    names = {e.group.id: _name(e) for e in table.standings.entrants}
    entrants = [entrant.group for entrant in table.standings.entrants]
    columns = [c for c in table.columns if c.headline and c.better != "none" and table.judges(c)]
    entries = []
    for column in sorted(columns, key=lambda c: (c != first, c.order)):
        ranking = rank_rows(entrants, column, table.cells)
        if len(ranking.order) < 2:
            continue
        cliques = ranking.cliques(MOST) or []
        by_id = {group.id: group for group in entrants}
        rows = [
            _row(table, column, by_id[id], names[id], cliques, ranking) for id in ranking.order
        ]
        letters = list(ascii_lowercase[: len(cliques)])
        entries.append({"column": column, "letters": letters, "rows": rows})
    return entries


def _name(entrant: Entrant) -> str:
    own = entrant.group.label
    return own if entrant.name != entrant.family else f"{entrant.family}: {own}"


def _row(
    table: Table,
    column: TableColumn,
    group: Group,
    name: str,
    cliques: list[Any],
    ranking: Ranking,
) -> dict[str, Any]:
    members = [group.id in clique for clique in cliques]
    about = {"name": name, "mean": table.cell(group, column).text}
    return {**about, "rank": text.rank_text(*ranking.ends(group.id)), "in": members}
