"""Whether what real points score is a bound for outputs, and what to say where it is none."""

from __future__ import annotations

from collections.abc import Iterable

from genbench.core.dataset import DATASETS
from genbench.core.errors import GenbenchError
from genbench.core.metric import METRICS
from genbench.report.columns import TableColumn
from genbench.report.contenders import stand_apart
from genbench.report.tables import Table

#: views of metrics that compare two samples, whatever point belongs to which
TWO_SAMPLES = ("points", "events", "features", "logits")
NO_BOUND = (
    "The floor of scores that compare two samples is what other real points score, and no bound here: "
    "outputs are made from the sources of the very test points that they are compared with, and may be "
    "nearer to these than other real points are."
)


def is_bound(table: Table, column: TableColumn) -> bool:
    """Returns whether a column's floor is a bound, which only luck or copies may pass.

    It is none for metrics of two samples on data of pairs, where outputs belong to the test points. Where no
    test point is a right answer to its source, outputs are no nearer to them than other points.
    """
    if not stand_apart(table.groups) or not _is_matched(table.dataset):
        return True
    return column.metric not in METRICS or METRICS.get(column.metric).view not in TWO_SAMPLES


def describe_floors(table: Table, columns: Iterable[TableColumn]) -> list[str]:
    """Returns why floors are no bounds, for a table that has such floors in some of these columns."""
    bounds = (is_bound(table, column) for column in columns if table.floor(column) is not None)
    return [] if all(bounds) else [NO_BOUND]


def _is_matched(dataset: str) -> bool:
    """Whether test points are right answers to their sources; so it is taken of what is not installed."""
    try:
        return DATASETS.get(dataset).matched if dataset in DATASETS else True
    except GenbenchError:
        return True
