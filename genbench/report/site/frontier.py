"""Which entrants are better than every other, in quality significantly or in cost by more than a tenth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from genbench.report.columns import TableColumn
from genbench.report.costs import Conditions, Cost, choose_records, find_usual
from genbench.report.groups import TRAINING, Group
from genbench.report.standings import Entrant
from genbench.report.tables import Table
from genbench.statistics.ranking import Ranking
from genbench.store import Record

#: costs nearer than this ratio are not distinguished, however narrow their intervals
NEAR = 1.1

#: reads what a row costs
Price = Callable[[Group], Cost]


def find_cost(table: Table) -> tuple[str, Price]:
    """Returns what a sample costs and how to read it: its latency, else the seconds of training.

    Latency, where it has been measured of half of the entrants or more. Both of the seeds that have the
    score that decides.
    """
    by_id = {c.id: c for c in reversed(table.columns) if c.is_cost}
    entrants = [e.group for standings in table.contests[:1] for e in standings.entrants]
    for column in sorted(by_id.values(), key=lambda c: c.order):
        measured = [g for g in entrants if table.cell(g, column).values]
        if entrants and 2 * len(measured) >= len(entrants):
            return column.meaning.cost, make_price(table, column)
    return TRAINING, table.training


def make_price(table: Table, column: TableColumn) -> Price:
    """Returns how a column that is a cost is read: of seeds with the deciding score, on one kind of machine.

    That on which most entrants were measured, else that of most of a row's seeds.
    """

    def read(group: Group) -> list[Record]:
        values = table.cell(group, column).values
        return [record for record in table.scored(group) if record.spec.seed in values]

    entrants = [e.group for standings in table.contests for e in standings.entrants]
    conditions = partial(Conditions.of_time, column=column)
    usual = find_usual(map(read, entrants or table.groups), conditions)

    def price(group: Group) -> Cost:
        records = choose_records(read(group), usual, conditions)
        if not records:
            return Cost()
        cell, own = table.cell(group, column), conditions(records[0])
        seeds = [record.spec.seed for record in records]
        e = replace(cell, values={seed: cell.values[seed] for seed in seeds}).estimate
        return Cost(e.mean, e.low, e.high, own, own.describe(usual))

    return price


def find_front(rows: Sequence[tuple[Entrant, Cost]], ranking: Ranking) -> list[Entrant]:
    """Returns the entrants that pass and are better than every other that does not fail, the cheapest first.

    In quality by the tests behind the ranks, in cost as `is_cheaper` has it. Of two that differ in neither
    none is returned, nor is one that was not measured by what must be passed.

    Arguments:
        rows: The entrants, with what they cost.
        ranking: Which rows are significantly better than which.
    """

    def betters(one: tuple[Entrant, Cost], other: tuple[Entrant, Cost]) -> bool:
        above = ranking.above.get(other[0].group.id, frozenset())
        return one[0].group.id in above or is_cheaper(one[1], other[1])

    rows = [row for row in rows if row[0].passes is not False]
    front = [
        row
        for row in rows
        if row[0].passes and all(betters(row, other) for other in rows if other is not row)
    ]
    return [entrant for entrant, _ in sorted(front, key=lambda row: row[1].mean or 0.0)]


def is_cheaper(one: Cost, other: Cost) -> bool:
    """Returns whether one cost is less than another: by more than a tenth, and all that is known of it.

    Their intervals are apart, or of several timings all. Costs of other conditions do not compare.
    """
    if one.mean is None or other.mean is None or one.conditions != other.conditions:
        return False
    high = one.mean if one.high is None else one.high
    low = other.mean if other.low is None else other.low
    return one.mean * NEAR < other.mean and high < low
