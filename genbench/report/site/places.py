"""Where a model stands on every data set: its row by what decides, beside who is first there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genbench.report.columns import Cell
from genbench.report.groups import Group
from genbench.report.placing import prefer_tuned
from genbench.report.site.site import Site
from genbench.report.standings import Standings
from genbench.report.tables import Table
from genbench.report.winners import describe, describe_column


@dataclass(frozen=True)
class Place:
    """A model's row on a data set.

    Arguments:
        page: The data set's page.
        dataset: The data set.
        by: What decides, and what must be passed.
        group: The row: the entrant if it is one of the model's, else the best by its mean, of tuned ones if
            there are any.
        cell: What it scores.
        fails: What must be passed and it does not pass.
        first: Who is first there, with the score.
        leads: Whether that is this row.
    """

    page: str
    dataset: str
    by: str
    group: Group
    cell: Cell
    fails: tuple[str, ...]
    first: str
    leads: bool


def list_places(site: Site, model: str) -> list[Place]:
    """Returns where a model stands on the data sets whose deciding column it was measured by."""
    return [
        place
        for page, groups in site.rows(model)
        for standings in page.table.contests[:1]
        if (place := _find_place(page.file, page.table, standings, groups)) is not None
    ]


def _find_place(
    file: str, table: Table, standings: Standings, groups: Sequence[Group]
) -> Place | None:
    means = {
        group.id: mean
        for group in groups
        if (mean := table.cell(group, standings.column).estimate.mean) is not None
    }
    entered = [e.group.id for e in standings.entrants if e.group.id in means]
    measured = [group for group in groups if group.id in (entered[:1] or means)]
    if not measured:
        return None
    sign = -1 if standings.column.better == "higher" else 1
    group = min(prefer_tuned(measured), key=lambda one: sign * means[one.id])
    first = standings.first
    fails = [
        check.beside.column
        for check in standings.checks
        if check.column is not None and check.passes(table.cell(group, check.column)) is False
    ]
    return Place(
        file,
        table.name,
        describe_column(standings),
        group,
        table.cell(group, standings.column),
        tuple(fails),
        describe(first, standings) if first is not None else standings.how_sure,
        first is not None and first.group.id == group.id,
    )
