"""Leaderboards for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table as Grid
from rich.text import Text

from genbench.report.findings import caveats
from genbench.report.text import number

if TYPE_CHECKING:
    from rich.console import Console

    from genbench.report.columns import Cell, Column
    from genbench.report.groups import Group
    from genbench.report.tables import Table

NAME_WIDTH = 24


def print_leaderboard(console: Console, tables: Iterable[Table]) -> None:
    """Prints compact tables: headline columns, training time and seeds that ended well.

    Columns that do not fit the console's width go on in a further block below.

    Arguments:
        console: Where to print.
        tables: What `genbench.report.tables.leaderboards` returned.
    """
    tables = list(tables)
    for table in tables:
        columns = [column for column in table.columns if column.headline]
        console.print(Text(table.name, style="bold"))
        for block in _blocks(_columns(table, columns), _names(table), console.width):
            console.print(_grid(table, block))
        for i, column in enumerate(columns, 1):
            console.print(Text(f"[{i}] {column.id}: {column.about}", style="dim"))
        console.print()
    for sentence in caveats(tables):
        console.print(Text(f"! {sentence}", style="yellow"))
    if not tables:
        console.print("no records yet; `genbench run` makes some")


def _columns(table: Table, columns: Sequence[Column]) -> list[list[Text]]:
    """Every column from its head down to its floor, then the costs."""
    found = [
        [
            Text(f"{column.heading} [{i}]"),
            *(_cell(table.cell(group, column)) for group in table.groups),
            Text(number(table.floor(column)), style="dim"),
        ]
        for i, column in enumerate(columns, 1)
    ]
    for cost in ("training", "ok"):
        found.append([Text(cost), *(Text(g.costs[cost]) for g in table.groups), Text("")])
    return found


def _blocks(
    columns: Sequence[list[Text]], names: Sequence[Text], width: int
) -> Iterator[list[list[Text]]]:
    """Packs as many columns side by side as the width holds."""
    room = width - min(NAME_WIDTH, max(len(name) for name in names)) - 4
    block: list[list[Text]] = []
    left = room
    for column in columns:
        needs = max(len(text) for text in column) + 3
        if block and needs > left:
            yield block
            block, left = [], room
        block.append(column)
        left -= needs
    yield block


def _grid(table: Table, block: Sequence[list[Text]]) -> Grid:
    grid = Grid(show_footer=True)
    grid.add_column(
        "model", footer=Text("floor", style="dim"), max_width=NAME_WIDTH, overflow="fold"
    )
    for head, *_, floor in block:
        grid.add_column(head, footer=floor, justify="right", no_wrap=True)
    for i, name in enumerate(_names(table), 1):
        grid.add_row(name, *(column[i] for column in block))
    return grid


def _names(table: Table) -> list[Text]:
    return [_name(group) for group in table.groups]


def _name(group: Group) -> Text:
    if group.reference:
        return Text(f"{group.label} (reference)", style="italic dim")
    return Text(group.label, style="" if len(group.ok) == len(group.records) else "red")


def _cell(cell: Cell) -> Text:
    return Text(cell.text, style="bold green" if cell.best else "")
