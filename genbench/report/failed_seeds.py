"""Seeds that failed, in leaderboards: what they count as where rows are compared, and the footnote."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from genbench.core.effect import fill_failed
from genbench.report.columns import DAGGER, Cell, TableColumn
from genbench.report.contenders import Cells, has_values
from genbench.report.groups import Group

#: what the mark behind a number says of a row some of whose seeds failed
NOTE = "means are of completed seeds; ranks and order count seeds that failed as the table's worst"


def count_failures(
    columns: Sequence[TableColumn], groups: Sequence[Group], cells: Cells
) -> dict[tuple[str, TableColumn], Cell]:
    """Returns the cells of rows some of whose seeds failed, with what those count as in comparisons.

    It is the worst value that any completed seed of the models that compete has: a reference may be as bad
    as noise. Costs are left as they are, since it is not known what a failed run would have cost.

    Arguments:
        columns: The columns of a table.
        groups: Its rows.
        cells: Every row's cell in a column.
    """
    counted = {}
    for column in columns:
        if column.better == "none" or column.is_cost:
            continue
        worst = -math.inf if column.better == "higher" else math.inf
        running = [g for g in groups if not g.reference and has_values(cells, g, column)]
        (filled,) = fill_failed(
            {
                g.id: {**cells[g.id, column].values, **dict.fromkeys(g.failed, worst)}
                for g in running
            }
        )
        for group in running:
            if group.failed:
                failed = {seed: filled[group.id][seed] for seed in group.failed}
                counted[group.id, column] = replace(cells[group.id, column], failed=failed)
    return counted


def describe_failures(groups: Sequence[Group]) -> list[str]:
    """Returns the footnote of a table whose rows these are: which have failed seeds; none without any."""
    failed = [
        f"{g.label} ({len(g.failed)} of {len(g.records)})" for g in groups if g.failed and g.ok
    ]
    return [f"{DAGGER} {NOTE}: {', '.join(failed)}"] if failed else []
