"""Seeds without a number by the model's own fault: what they count as in leaderboards, and the footnotes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from genbench.core.effect import fill_failed
from genbench.report.columns import DAGGER, Cell, TableColumn
from genbench.report.contenders import Cells, has_values
from genbench.report.groups import Group
from genbench.store import Measurement, Record

#: what the mark behind a number says of a row some of whose seeds failed
NOTE = "means are of completed seeds; ranks and order count seeds that failed as the table's worst"
#: the same of a number that does not exist, since the model is as bad as can be
UNDEFINED = "means are of seeds that have the number; ranks and order count the others as the table's worst"
#: what is said of a row where seeds failed of which some of its columns were not asked
UNASKED = "columns without the mark were not asked of the seeds that failed, and do not count them"
#: whether a measurement is one of a column
Belongs = Callable[[Measurement], bool]


def count_failures(
    columns: Sequence[TableColumn], groups: Sequence[Group], cells: Cells
) -> dict[tuple[str, TableColumn], Cell]:
    """Returns the cells of rows some of whose seeds failed, with what those count as in comparisons.

    So do seeds whose model is so bad that the column's number does not exist (`Column.worst_if`). It is the
    worst value that any completed seed of the models that compete has: a reference may be as bad as noise.
    A seed that failed counts in the columns that were asked of it (`list_failed`).
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
        lost = {
            g.id: [*_find_failed(g, column), *find_undefined(nulls[g.id], column)] for g in running
        }
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


def list_failed(records: Sequence[Record], belongs: Belongs) -> list[int]:
    """Returns the seeds that failed and of which a column was asked, as far as that is known.

    A record that failed does not say what was asked of it: its companions do, which have the column or say
    why they lack the number. Without companions nothing does, and the seed counts, so that options with which
    all seeds fail do not look better for it.

    Arguments:
        records: The records of one row.
        belongs: Whether a measurement is one of the column.
    """
    failed = [r for r in records if r.status not in ("ok", "skipped")]
    companions = {r.spec.seed: find_companions(r, records) for r in failed}
    return [
        seed
        for seed, some in companions.items()
        if not some or any(belongs(m) for r in some for m in r.metrics)
    ]


def find_companions(failed: Record, records: Sequence[Record]) -> list[Record]:
    """Returns the completed records of which the same was asked as of one that failed, as far as is known.

    They are those of its stack, whose seeds begin at one moment. Of a seed that was tried alone they are
    those of the seeds before and behind it, since runs ask the same of all seeds of a range.
    """
    stack = [r for r in records if r.begun == failed.begun]
    near = {failed.spec.seed - 1, failed.spec.seed + 1}
    some = stack if len(stack) > 1 else [r for r in records if r.spec.seed in near]
    return [r for r in some if r.status == "ok"]


def _find_failed(group: Group, column: TableColumn) -> list[int]:
    return list_failed(
        group.records, lambda m: is_asked(m, column.id, column.protocol, column.split)
    )


def is_asked(m: Measurement, id: str, protocol: str, split: str = "test") -> bool:
    """Returns whether a measurement shows that a column was asked for.

    One without a number may have another protocol than those that have one.
    """
    return (m.id, m.split) == (id, split) and (m.value is None or m.protocol == protocol)


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
    own = {g.id: {c: cell for (id, c), cell in cells.items() if id == g.id} for g in groups}
    lost = [g for g in groups if g.failed and g.ok]
    failed = [_count(g) for g in lost if _count_columns(g, own[g.id], asked=True)]
    unasked = [_count(g) for g in lost if _count_columns(g, own[g.id], asked=False)]
    undefined = [
        f"{column.id} of {g.label} ({len(missing)} of {len(g.records)})"
        for g in groups
        for column, cell in sorted(own[g.id].items())
        if (missing := cell.failed.keys() - set(g.failed))
    ]
    notes = {
        f"{DAGGER} {NOTE}": failed,
        UNASKED: unasked,
        f"{DAGGER} {UNDEFINED}": dict.fromkeys(undefined),
    }
    return [f"{note}: {', '.join(rows)}" for note, rows in notes.items() if rows]


def _count(group: Group) -> str:
    """A row's name and the share of its seeds that failed."""
    return f"{group.label} ({len(group.failed)} of {len(group.tried)})"


def _count_columns(group: Group, cells: Mapping[TableColumn, Cell], *, asked: bool) -> int:
    """In how many of a row's columns, of which failures count, they do, or do not since none was asked."""
    judged = [
        c for c, cell in cells.items() if cell.values and c.better != "none" and not c.is_cost
    ]
    return sum(bool(_find_failed(group, column)) == asked for column in judged)
