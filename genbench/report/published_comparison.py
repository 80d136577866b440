"""Published numbers of a data set beside those measured here, which never share a column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from genbench.report.columns import Cell, TableColumn
from genbench.report.groups import Group
from genbench.report.published import (
    EXTERNAL,
    Published,
    PublishedPart,
    PublishedSource,
    PublishedValue,
    find_differences,
    load_sources,
)
from genbench.report.tables import Table

NOT_HERE = "not measured here"


@dataclass(frozen=True)
class OwnScore:
    """A score of this report."""

    group: Group
    column: TableColumn
    cell: Cell


@dataclass(frozen=True)
class PublishedRow:
    """A published number, and the scores here that are closest to it.

    Arguments:
        published: The number, and what is different.
        here: The model's scores here that differ least; none where it has no such score.
    """

    published: Published
    here: tuple[OwnScore, ...] = ()

    @property
    def model(self) -> str:
        """The source's name for the row, with the model's where it is another."""
        value = self.published.value
        name = value.model.removeprefix(EXTERNAL)
        return f"{value.label} ({name})" if value.label not in ("", name) else name

    @property
    def comparable(self) -> str:
        """Whether the protocols are the same, what differs, or that there is nothing to compare."""
        training = self.published.part.training
        trained = f"; trained there: {training}" if training else ""
        if self.here:
            return self.published.comparable
        external = self.published.value.model.startswith(EXTERNAL)
        return ("no model of genbench" if external else NOT_HERE) + trained

    @property
    def spread(self) -> str:
        """What stands behind the number: runs, and what its ± is."""
        part = self.published.part
        error = part.error != "none" and self.published.value.error is not None
        kind = {"not said": "± not said"}.get(part.error, part.error) if error else ""
        return ", ".join(t for t in (f"{part.runs} runs" if part.runs else "", kind) if t)

    @property
    def protocol(self) -> str:
        """The protocol there."""
        return ", ".join(f"{k}={v}" for k, v in self.published.part.protocol.items()) or "–"


def compare_with_published(
    table: Table, sources: Iterable[PublishedSource] | None = None
) -> list[PublishedRow]:
    """Returns all that was published of a data set; first what was measured here too.

    Arguments:
        table: The leaderboard of the data set.
        sources: What to look through; default: every file of `baselines/published`.
    """
    rows = [
        _closest(table, source, part, value)
        for source in (load_sources() if sources is None else sources)
        for part in source.parts
        if part.is_shown_beside(table.dataset, _options(table))
        for value in part.values
    ]
    return sorted(rows, key=_order)


def _closest(
    table: Table, source: PublishedSource, part: PublishedPart, value: PublishedValue
) -> PublishedRow:
    """The number beside the scores here whose protocol differs least."""
    there = part.dataset.removeprefix(EXTERNAL)
    options = (f"data set {table.name} here",) if table.name != table.dataset else ()
    if part.beside:
        options = (f"data set {there} there, {table.name} here",)
    alike: dict[tuple[str, ...], list[OwnScore]] = defaultdict(list)
    for here in _scores(table, value):
        about = (here.column.protocol, here.group.first.spec.options, here.column.kind)
        alike[*find_differences(part, value, *about), *options].append(here)
    least = min(alike, key=len, default=())
    return PublishedRow(Published(source, part, value, least), tuple(alike.get(least, ())))


def _options(table: Table) -> dict[str, object]:
    """The options of a table's data set."""
    return dict(table.groups[0].first.spec.dataset_options) if table.groups else {}


def _scores(table: Table, value: PublishedValue) -> Iterator[OwnScore]:
    for group in table.groups:
        for column in table.columns:
            cell = table.cell(group, column)
            fits = group.model == value.model and column.id == value.column
            if fits and column.split == "test" and cell.values:
                yield OwnScore(group, column, cell)


def _order(row: PublishedRow) -> tuple[object, ...]:
    value, source = row.published.value, row.published.source
    place = row.here[0].column.order if row.here else ()
    year = source.year or 9999
    return (not row.here, place, value.column, row.model.lower(), year, source.title)
