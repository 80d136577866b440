"""Which family wins where: the best row of every family on every data set, by the data set's quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genbench.report import sheet
from genbench.report.columns import Cell, TableColumn
from genbench.report.groups import Group
from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.tables import Table

RULE = (
    "Of every family the row of the best mean, over training seeds ± half the 95 % interval. Bold: no row of "
    "another family may share the first rank."
)


@dataclass(frozen=True)
class Champion:
    """The best row of a family in a column."""

    family: str
    group: Group
    cell: Cell


@dataclass(frozen=True)
class Contest:
    """A data set, the column that decides, and the champions of all families, the best first."""

    table: Table
    column: TableColumn
    champions: tuple[Champion, ...]

    @property
    def sure(self) -> bool:
        """Whether no row of another family may be as good as the winner."""
        winner = self.champions[0]
        if winner.cell.rank is None:
            return False
        alike = self.table.rankings[self.column].alike(winner.group.id)
        families = {g.id: g.family for g in self.table.groups}
        return all(families[id] == winner.family for id in alike)


def quality_column(table: Table) -> TableColumn | None:
    """Returns what stands for quality: the first headline with a direction that is no cost."""
    good = [
        c
        for c in table.columns
        if c.headline and c.better != "none" and not c.is_cost and table.judges(c)
    ]
    return min(good, key=lambda c: c.order, default=None)


def find_contests(tables: Sequence[Table]) -> list[Contest]:
    """Returns the contest of every data set that has a column to decide it."""
    contests = []
    for table in tables:
        column = quality_column(table)
        champions = _champions(table, column) if column is not None else []
        if column is not None and champions:
            contests.append(Contest(table, column, tuple(champions)))
    return contests


def _champions(table: Table, column: TableColumn) -> list[Champion]:
    sign = 1.0 if column.better == "lower" else -1.0
    best: dict[str, tuple[float, str, Champion]] = {}
    for group in table.groups:
        cell = table.cell(group, column)
        if group.reference or not cell.values:
            continue
        row = (
            sign * (cell.estimate.mean or 0.0),
            group.label,
            Champion(group.family, group, cell),
        )
        best[group.family] = min(row, best.get(group.family, row), key=lambda r: r[:2])
    return [champion for *_, champion in sorted(best.values(), key=lambda r: r[:2])]


def make_sheet(contests: Sequence[Contest]) -> Sheet:
    """Returns a line a data set: the winner, the best of the other families, and whether that is sure."""
    heads = [Heading(name) for name in ("data set", "by", "first", "next")]
    rows = []
    for contest in contests:
        first, *others = contest.champions
        rows.append(
            [
                Entry(contest.table.name),
                Entry(contest.column.heading),
                Entry(_describe(first), "best" if contest.sure else ""),
                Entry(_describe(others[0]) if others else "no other family"),
            ]
        )
    return Sheet(heads, rows, title="Which family wins where", notes=[RULE])


def to_markdown(tables: Sequence[Table]) -> str:
    """Returns the lines for a README."""
    lines = sheet.to_markdown(make_sheet(find_contests(tables)))
    return "\n".join([*lines, "", RULE]) + "\n"


def _describe(champion: Champion) -> str:
    return f"{champion.family}: {champion.group.model} {champion.cell.text}"
