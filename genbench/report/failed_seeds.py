"""Seeds without a number by the model's own fault: what they count as in leaderboards, and the footnotes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from genbench.core.effect import fill_failed
from genbench.report.columns import DAGGER, Cell, TableColumn
from genbench.report.contenders import Cells, has_values
from genbench.report.groups import Group
from genbench.store import Measurement

#: what the mark behind a number says of a row some of whose seeds failed
NOTE = "means are of completed seeds; ranks and order count seeds that failed as the table's worst"
#: the same of a number that does not exist, since the model is as bad as can be
UNDEFINED = "means are of seeds that have the number; ranks and order count the others as the table's worst"


def count_failures(
    columns: Sequence[TableColumn], groups: Sequence[Group], cells: Cells
) -> dict[tuple[str, TableColumn], Cell]:
    """Returns the cells of rows some of whose seeds failed, with what those count as in comparisons.

    So do seeds whose model is so bad that the column's number does not exist (`Column.worst_if`). It is the
    worst value that any completed seed of the models that compete has: a reference may be as bad as noise.
    Costs are left as they are, since it is not known what a failed run would have cost.

    Arguments:
        columns: The columns of a table.
        groups: Its rows.
        cells: Every row's cell in a column.
    """
    counted, nulls = {}, {g.id: list_nulls(g) for g in groups}
    for column in columns:
        if column.better == "none" or column.is_cost:
            continue
        worst = -math.inf if column.better == "higher" else math.inf
        running = [g for g in groups if not g.reference and has_values(cells, g, column)]
        lost = {g.id: [*g.failed, *find_undefined(nulls[g.id], column)] for g in running}
        (filled,) = fill_failed(
            {
                g.id: {**dict.fromkeys(lost[g.id], worst), **cells[g.id, column].values}
                for g in running
            }
        )
        for id, seeds in lost.items():
            values = cells[id, column].values
            failed = {seed: filled[id][seed] for seed in seeds if seed not in values}
            if failed:
                counted[id, column] = replace(cells[id, column], failed=failed)
    return counted


def list_nulls(group: Group) -> list[tuple[int, Measurement]]:
    """Returns the numbers that a row's completed seeds do not have, by seed."""
    return [(r.spec.seed, m) for r in group.ok for m in r.metrics if m.value is None]


def find_undefined(nulls: Sequence[tuple[int, Measurement]], column: TableColumn) -> list[int]:
    """Returns the seeds whose model leaves a column's number undefined, being as bad as can be.

    What does not exist is neither exact nor an estimate, so that its kind is of no account.
    """
    return [
        seed
        for seed, m in nulls
        if (m.id, m.protocol, m.split, m.version) == _place(column)
        and column.meaning.is_worst(m.reason)
    ]


def _place(column: TableColumn) -> tuple[str, str, str, int]:
    return column.id, column.protocol, column.split, column.version


def describe_failures(groups: Sequence[Group], cells: Cells) -> list[str]:
    """Returns the footnotes of a table: which rows have failed seeds, and which lack which numbers.

    Arguments:
        groups: The rows.
        cells: Every row's cell in a column.
    """
    failed = [
        f"{g.label} ({len(g.failed)} of {len(g.records)})" for g in groups if g.failed and g.ok
    ]
    undefined = [
        f"{column.id} of {g.label} ({len(lost)} of {len(g.records)})"
        for g in groups
        for (id, column), cell in sorted(cells.items())
        if id == g.id and (lost := cell.failed.keys() - set(g.failed))
    ]
    notes = ((NOTE, failed), (UNDEFINED, dict.fromkeys(undefined)))
    return [f"{DAGGER} {note}: {', '.join(rows)}" for note, rows in notes if rows]
