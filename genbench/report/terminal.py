"""Leaderboards for a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.table import Table as Grid
from rich.text import Text

from genbench.report.findings import caveats
from genbench.report.text import number

if TYPE_CHECKING:
    from rich.console import Console

    from genbench.report.columns import Cell
    from genbench.report.groups import Group
    from genbench.report.tables import Table


def print_leaderboard(console: Console, tables: Iterable[Table]) -> None:
    """Prints one compact table a data set: headline columns, training time and seeds that ended well.

    Arguments:
        console: Where to print.
        tables: What `genbench.report.tables.leaderboards` returned.
    """
    tables = list(tables)
    for table in tables:
        console.print(_grid(table))
        columns = [column for column in table.columns if column.headline]
        for i, column in enumerate(columns, 1):
            console.print(Text(f"  [{i}] {column.id}: {column.about}", style="dim"))
        console.print()
    for sentence in caveats(tables):
        console.print(Text(f"! {sentence}", style="yellow"))
    if not tables:
        console.print("no records yet; `genbench run` makes some")


def _grid(table: Table) -> Grid:
    columns = [column for column in table.columns if column.headline]
    grid = Grid(title=Text(table.name, style="bold"), title_justify="left", show_footer=True)
    grid.add_column("model", footer="floor", overflow="fold")
    for i, column in enumerate(columns, 1):
        grid.add_column(
            Text(f"{column.heading} [{i}]"), footer=number(table.floor(column)), justify="right"
        )
    grid.add_column("training", justify="right")
    grid.add_column("ok", justify="right")
    for group in table.groups:
        cells = [_cell(table.cell(group, column)) for column in columns]
        grid.add_row(_name(group), *cells, group.costs["training"], group.costs["ok"])
    return grid


def _name(group: Group) -> Text:
    if group.reference:
        return Text(f"{group.label} (reference)", style="italic dim")
    return Text(group.label, style="" if len(group.ok) == len(group.records) else "red")


def _cell(cell: Cell) -> Text:
    return Text(cell.text, style="bold green" if cell.best else "")
