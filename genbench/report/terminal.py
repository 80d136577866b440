"""Leaderboards for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from genbench.report.compact import compact_columns, whole_columns
from genbench.report.findings import find_caveats
from genbench.report.formats import make_sheet
from genbench.report.groups import TRAINING
from genbench.report.sheet import Heading, print_sheet
from genbench.report.standings import Standings
from genbench.report.tables import Table
from genbench.report.text import RANKS
from genbench.report.winners import LAX, NOT_MEASURED, WHY_LAX, describe_column, name_entrant

if TYPE_CHECKING:
    from rich.console import Console


def print_leaderboards(console: Console, tables: Sequence[Table], *, whole: bool = False) -> None:
    """Prints tables: who is first; what decides and the headlines with ranks, training time, completed runs.

    Columns that do not fit the console's width go on in a further block below.

    Arguments:
        console: Where to print.
        tables: What `genbench.report.tables.make_leaderboards` returned.
        whole: Show every column and all costs.
    """
    for table in tables:
        columns = whole_columns(table) if whole else compact_columns(table)
        costs = list(table.costs(table.groups[0])) if whole else [TRAINING, "ok"]
        heads = [f"{column.heading} [{i}]" for i, column in enumerate(columns, 1)]
        sheet = make_sheet(
            table,
            columns,
            heads=[Heading(head, align="right") for head in (*heads, *costs)],
            costs=lambda group, own=table.costs, names=costs: [own(group)[name] for name in names],
            after=lambda cell: f" {cell.rank_text}".rstrip(),
        )
        console.print(Text(table.name, style="bold"))
        for standings in table.contests:
            console.print(Text(describe_first(table, standings)))
        print_sheet(console, sheet)
        for i, column in enumerate(columns, 1):
            console.print(Text(f"[{i}] {column.id}: {table.about(column)}", style="dim"))
        for note in sheet.notes:
            console.print(Text(note, style="dim"))
        console.print()
    for sentence in find_caveats(tables):
        console.print(Text(f"! {sentence}", style="yellow"))
    if tables:
        console.print(Text(RANKS, style="dim"))
    else:
        console.print("no records yet; `genbench run` makes some")


def describe_first(table: Table, standings: Standings) -> str:
    """Returns who is first on a data set, by what, how sure that is, and what casts doubt on it."""
    labels = " of models that are told the class" if standings is table.labelled else ""
    by = f"First{labels} by {describe_column(standings)}"
    if standings.first is None:
        return f"{by}: {standings.how_sure}."
    first = standings.first
    parts = [f"{name_entrant(first)} {first.cell.text}", standings.how_sure]
    if first.unchecked:
        parts.append(f"{', '.join(first.unchecked)}{NOT_MEASURED}")
    if first.loses_to:
        parts.append(f"but a simple fit is significantly better: {', '.join(first.loses_to)}")
    if any(check.lax for check in standings.checks):
        parts.append(f"{LAX} {WHY_LAX}")
    return f"{by}: {'; '.join(parts)}."
