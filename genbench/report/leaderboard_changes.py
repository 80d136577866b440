"""What differs between two leaderboards, as a submission of results shows it: rows, scores, ranks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from genbench.report.columns import Cell, TableColumn
from genbench.report.compact import compact_columns
from genbench.report.groups import Group
from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.sheet import to_markdown as markdown_lines
from genbench.report.tables import Table
from genbench.report.text import MISSING

Kind = Literal["new row", "row gone", "score", "rank"]
KINDS: tuple[Kind, ...] = ("new row", "row gone", "score", "rank")
#: what a summary calls them
WORDS: dict[Kind, str] = {
    "new row": "scores of new rows",
    "row gone": "scores of rows that are gone",
    "score": "scores that moved",
    "rank": "ranks that moved",
}
#: rows of a comment; a forge takes 65,536 characters
MOST = 120


@dataclass(frozen=True)
class Change:
    """One score, or its rank, that is not as it was.

    Arguments:
        kind: Whether its row is new or gone, or its score or rank moved.
        dataset: The leaderboard's name.
        model: The row's label.
        column: The column's heading.
        before: Mean, interval and ranks as they were.
        now: As they are.
    """

    kind: Kind
    dataset: str
    model: str
    column: str
    before: str
    now: str


def find_changes(before: Sequence[Table], now: Sequence[Table]) -> list[Change]:
    """Returns the scores of leaderboards' short forms that differ, new rows first.

    Arguments:
        before: The leaderboards that are compared with.
        now: The leaderboards.
    """
    old, new = ({table.name: table for table in tables} for tables in (before, now))
    changes = [c for name in {**new, **old} for c in _compare(name, old.get(name), new.get(name))]
    return sorted(changes, key=lambda change: KINDS.index(change.kind))


def _compare(name: str, old: Table | None, new: Table | None) -> Iterator[Change]:
    """The changes of one leaderboard."""
    groups: dict[str, Group] = {}
    columns: dict[TableColumn, None] = {}
    for table in (old, new):
        if table is not None:
            groups |= {group.id: group for group in table.groups}
            columns |= dict.fromkeys(compact_columns(table))
    for group in groups.values():
        sides = [_row(table, group) for table in (old, new)]
        for column in columns:
            was, is_now = (_text(side, column) for side in sides)
            kind = _kind(sides, column)
            if was != is_now and kind is not None:
                yield Change(kind, name, group.label, column.heading, was, is_now)


def _row(table: Table | None, group: Group) -> dict[TableColumn, Cell] | None:
    """A group's cells in a leaderboard that has it."""
    if table is None or all(other.id != group.id for other in table.groups):
        return None
    return {column: table.cell(group, column) for column in table.columns}


def _kind(sides: Sequence[dict[TableColumn, Cell] | None], column: TableColumn) -> Kind | None:
    old, new = sides
    if old is None:
        return "new row"
    if new is None:
        return "row gone"
    texts = {side[column].text if column in side else MISSING for side in (old, new)}
    return "rank" if len(texts) == 1 else "score"


def _text(side: dict[TableColumn, Cell] | None, column: TableColumn) -> str:
    cell = None if side is None else side.get(column)
    return MISSING if cell is None else f"{cell.text} {cell.rank_text}".rstrip()


def summary(changes: Sequence[Change]) -> str:
    """Returns how many changes of each kind there are, in a sentence."""
    counts = Counter(change.kind for change in changes)
    parts = [f"{counts[kind]} {WORDS[kind]}" for kind in KINDS if counts[kind]]
    return ", ".join(parts) or "nothing differs in the leaderboards"


def make_sheet(changes: Sequence[Change]) -> Sheet:
    """Returns changes as a sheet, a row each."""
    heads = ["what", "data set", "model", "column", "before", "now"]
    rows = [(c.kind, c.dataset, c.model, c.column, c.before, c.now) for c in changes]
    return Sheet(
        [Heading(head) for head in heads],
        [[Entry(text, value=text) for text in row] for row in rows],
    )


def to_markdown(changes: Sequence[Change]) -> str:
    """Returns changes as a comment for a pull request; ranks that moved are folded."""
    lines = ["### What changes in the leaderboards", "", f"{summary(changes)}."]
    ranks = [change for change in changes if change.kind == "rank"]
    others = [change for change in changes if change.kind != "rank"]
    if others:
        lines += ["", *_cut(others)]
    if ranks:
        lines += ["", "<details><summary>ranks that moved</summary>", "", *_cut(ranks)]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _cut(changes: Sequence[Change]) -> list[str]:
    """The lines of a table of the first changes, and how many are left out."""
    rest = len(changes) - MOST
    lines = markdown_lines(make_sheet(changes[:MOST]))
    more = f"{rest} more: genbench leaderboard --against FOLDER"
    return [*lines, *(["", more] if rest > 0 else [])]
