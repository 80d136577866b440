"""Which columns of a leaderboard stand in its short form: what decides, headlines, what was asked for."""

from __future__ import annotations

from genbench.report.columns import TableColumn
from genbench.report.tables import Table


def compact_columns(table: Table) -> list[TableColumn]:
    """Returns what decides, then the other headlines, then what was asked for; all where that is nothing."""
    return [*deciding_columns(table, others=True), *_others(table)] or list(table.columns)


def whole_columns(table: Table) -> list[TableColumn]:
    """Returns every column, those of the short form first."""
    return list(dict.fromkeys((*compact_columns(table), *table.columns)))


def deciding_columns(table: Table, *, others: bool = False) -> list[TableColumn]:
    """Returns the columns that decide on a data set, each before what must be passed beside it.

    What they are never printed without stands behind them.

    Arguments:
        table: The leaderboard.
        others: Add what the data set declares and too few were measured by to decide.
    """
    columns = []
    for standings in table.contests:
        columns += [standings.column]
        columns += [check.column for check in standings.checks if check.column is not None]
    if others and columns:
        ids = {column.id for column in columns}
        declared = [id for s in table.contests for id in s.quality.primary if id not in ids]
        columns += [c for id in declared for c in table.columns if (c.id, c.split) == (id, "test")]
    return table.accompany(columns)


def asked_columns(table: Table) -> list[TableColumn]:
    """Returns the columns that a run named, or whose metric it named, and those of plugins' metrics.

    Of held-out data alone, in the table's order.
    """
    named = {name for g in table.groups for record in g.records for name in record.named}
    columns = [column for column in table.columns if column.split == "test"]
    return [c for c in columns if c.added or not named.isdisjoint((c.id, c.metric))]


def key_columns(table: Table) -> list[TableColumn]:
    """Returns what decides and the headlines, by which readers judge, in this order."""
    first = deciding_columns(table)
    return [*first, *(c for c in table.columns if c.headline and c not in first)]


def filled_columns(table: Table) -> list[TableColumn]:
    """Returns the short form's columns in which a row that competes has a value; all where there is none."""
    columns = compact_columns(table)
    running = [g for g in table.groups if not g.reference]
    return [c for c in columns if any(table.cell(g, c).values for g in running)] or columns


def _others(table: Table) -> list[TableColumn]:
    """The headlines that do not decide, and behind them columns that were asked for."""
    first = deciding_columns(table, others=True)
    rest = [column for column in table.columns if column not in first]
    headlines = [column for column in rest if column.headline]
    return [*headlines, *(c for c in asked_columns(table) if c in rest and c not in headlines)]
