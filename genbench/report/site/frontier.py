"""Which entrants are better than every other, in quality or in cost, beyond what intervals leave open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from genbench.report.columns import TableColumn
from genbench.report.groups import TRAINING, Group
from genbench.report.standings import Entrant
from genbench.report.tables import Table
from genbench.statistics.intervals import Estimate, mean_interval
from genbench.statistics.ranking import Ranking

#: costs nearer than this ratio are not distinguished, however narrow their intervals
NEAR = 1.1

#: reads what a row costs
Price = Callable[[Group], Estimate]


def find_cost(table: Table) -> tuple[str, Price]:
    """Returns what a sample costs and how to read it: its latency, else the seconds of training.

    Latency, where it has been measured of half of the entrants or more.
    """
    by_id = {c.id: c for c in reversed(table.columns) if c.is_cost}
    entrants = [e.group for standings in table.contests[:1] for e in standings.entrants]
    for column in sorted(by_id.values(), key=lambda c: c.order):
        measured = [g for g in entrants if table.cell(g, column).values]
        if entrants and 2 * len(measured) >= len(entrants):
            return column.meaning.cost, partial(_read_column, table, column)
    return TRAINING, _read_training


def _read_column(table: Table, column: TableColumn, group: Group) -> Estimate:
    return table.cell(group, column).estimate


def _read_training(group: Group) -> Estimate:
    """A row's seconds of training; seeds of one stack share them, so that there is no interval."""
    return mean_interval([]) if group.seconds is None else mean_interval([group.seconds])


def find_front(rows: Sequence[tuple[Entrant, Estimate]], ranking: Ranking) -> list[Entrant]:
    """Returns the entrants that are better than each other one, in quality or in cost; the cheapest first.

    In quality by the tests behind the ranks, in cost as `is_cheaper` has it. Of two that differ in neither
    none is returned.

    Arguments:
        rows: The entrants that pass, with what they cost.
        ranking: Which rows are significantly better than which.
    """

    def betters(one: tuple[Entrant, Estimate], other: tuple[Entrant, Estimate]) -> bool:
        above = ranking.above.get(other[0].group.id, frozenset())
        return one[0].group.id in above or is_cheaper(one[1], other[1])

    front = [row for row in rows if all(betters(row, other) for other in rows if other is not row)]
    return [entrant for entrant, _ in sorted(front, key=lambda row: row[1].mean or 0.0)]


def is_cheaper(one: Estimate, other: Estimate) -> bool:
    """Returns whether one cost is less than another: their intervals are apart, and their means not near."""
    if one.mean is None or other.mean is None or one.mean * NEAR > other.mean:
        return False
    high = one.mean if one.high is None else one.high
    low = other.mean if other.low is None else other.low
    return high < low
