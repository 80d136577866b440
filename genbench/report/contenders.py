"""Who competes on a data set, as what, and by which of its declared columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from genbench.core.catalogue import uses_labels
from genbench.core.dataset import has_sources
from genbench.report.columns import Cell, TableColumn
from genbench.report.groups import Group, make_labels

Cells = Mapping[tuple[str, TableColumn], Cell]
#: the contender that a row stands for
Naming = Callable[[Group], str]


def competes(group: Group, labels: bool) -> bool:
    """Returns whether a row is in a contest: of models that learn from labels, or of the others.

    Reference rows are in none, nor are rows that were shown a part of the labels, which is another task.
    """
    if group.reference or group.first.spec.labelled is not None:
        return False
    return uses_labels(group.model) == labels


def stand_apart(groups: Iterable[Group]) -> bool:
    """Returns whether every row competes for itself and not for its family: on data of pairs.

    There all models translate, so that families would leave one contender.
    """
    return any(has_sources(record.data_hashes) for group in groups for record in group.records)


def name_family(group: Group) -> str:
    """Returns the family that a row stands for; samples from elsewhere stand for nobody else's."""
    return f"{group.family} {group.model}" if group.external else group.family


def name_rows(groups: Sequence[Group]) -> Naming:
    """Returns the naming under which rows stand for themselves: models, with what tells namesakes apart."""
    labels = make_labels({group.id: list(group.records) for group in groups})
    return lambda group: labels[group.id]


def headline(columns: Iterable[TableColumn]) -> TableColumn | None:
    """Returns the first headline with a direction that is no cost: where a data set declares nothing."""
    good = [c for c in columns if c.headline and c.better != "none" and not c.is_cost]
    return min(good, key=lambda c: c.order, default=None)


def choose_column(
    ids: Sequence[str],
    groups: Sequence[Group],
    columns: Sequence[TableColumn],
    cells: Cells,
    naming: Naming = name_family,
    *,
    is_listed: Callable[[Group], bool] | None = None,
    prefer: TableColumn | None = None,
) -> TableColumn | None:
    """Returns the first column by which half of the contenders were measured, else that of most.

    Of several protocols of a column that of the most entrants that are laid down counts, where those are
    told: older cells by another network's features may be more. So does one that is preferred, as that of the
    contest beside this one, where anybody was measured by it. Samples from elsewhere, which may have been
    measured by anything, have no say where others compete.
    """
    groups = [g for g in groups if not g.external] or groups
    everyone = {naming(g) for g in groups}
    best: tuple[int, TableColumn] | None = None

    def count(column: TableColumn) -> tuple[bool, int, int, int]:
        rows = [g for g in groups if has_values(cells, g, column)]
        listed = sum(is_listed(g) for g in rows) if is_listed is not None else 0
        return bool(rows) and column == prefer, listed, len({naming(g) for g in rows}), len(rows)

    for id in ids:
        by_id = [c for c in columns if c.id == id and c.split == "test" and c.better != "none"]
        column = min(by_id, key=lambda c: (*(-n for n in count(c)), c.order), default=None)
        if column is not None:
            contenders = count(column)[2]
            if 2 * contenders >= len(everyone) > 0:
                return column
            best = max(best or (0, column), (contenders, column), key=lambda pair: pair[0])
    return best[1] if best is not None and best[0] else None


def has_values(cells: Cells, group: Group, column: TableColumn) -> bool:
    """Returns whether a row was measured by a column."""
    cell = cells.get((group.id, column))
    return cell is not None and bool(cell.values)
