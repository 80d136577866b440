"""Who wins a data set, from what is declared and what was measured, and which cells tables shade for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from genbench.report.columns import Cell, TableColumn
from genbench.report.contenders import Cells
from genbench.report.declared import find_listed, find_quality
from genbench.report.groups import Group
from genbench.report.placing import find_leading, find_standings
from genbench.report.standings import Standings


def settle(
    groups: Sequence[Group],
    columns: Sequence[TableColumn],
    lax: Sequence[TableColumn],
    cells: Cells,
    floor: Callable[[TableColumn], float | None],
) -> tuple[Standings | None, Standings | None]:
    """Returns the standings of models without labels, and of those that learn from them.

    Arguments:
        groups: The rows of a data set.
        columns: The columns that are judged.
        lax: Those that are not since a null row counts as good by them; what fails them is never first.
        cells: Every row's cell in a column.
        floor: What real points score in a column.
    """
    listed, quality = find_listed(groups), find_quality(groups[0].first.spec.dataset)
    find = partial(
        find_standings,
        groups,
        columns,
        lax,
        cells,
        quality=quality,
        is_listed=lambda group: group.id in listed,
        floor=floor,
    )
    own = find()
    # by the same features, that what labels bring can be seen
    apart = find(labels=True, beside=own)
    return own, apart


def shade(
    columns: Sequence[TableColumn], cells: Cells, standings: Standings
) -> dict[tuple[str, TableColumn], Cell]:
    """Returns the cells to shade: of one row per family those near the best that are not worse than it."""
    everyone = [e.group for e in standings.entrants]
    passing = [e.group for e in standings.entrants if not e.failed]
    shaded = {}
    for column in columns:
        if column.better != "none":
            rows = passing if column == standings.column else everyone
            for id in find_leading(rows, standings, column, cells):
                shaded[id, column] = replace(cells[id, column], leading=True)
    return shaded
