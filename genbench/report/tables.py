"""Leaderboards: records in, one table a data set out; columns never mix protocols."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING

from genbench.core.spec import Budget
from genbench.report.columns import Cell, Column
from genbench.report.groups import Group, labels_of
from genbench.statistics.ranking import Ranking, ranking
from genbench.store import Measurement, Record

if TYPE_CHECKING:
    import pandas

#: what rows are ordered by: the first of these that a table has. Features that are the points
#: themselves let fid see no more than means and covariances, so it comes last there.
ORDERING: tuple[Callable[[Column], bool], ...] = (
    lambda column: column.id == "fid" and not column.protocol.startswith("identity"),
    lambda column: column.id == "mmd",
    lambda column: column.id == "fid",
)


@dataclass(frozen=True)
class Table:
    """The leaderboard of one data set.

    Arguments:
        dataset: The data set's name.
        name: The same with its options and version, where they tell it from others.
        groups: The rows.
        columns: The columns that have values.
        cells: Every group's cell in a column.
        rankings: For columns with a direction, which groups can be told apart.
    """

    dataset: str
    name: str
    groups: tuple[Group, ...]
    columns: tuple[Column, ...]
    cells: Mapping[tuple[str, Column], Cell] = field(repr=False)
    rankings: Mapping[Column, Ranking] = field(repr=False)

    def cell(self, group: Group, column: Column) -> Cell:
        """Returns a group's cell in a column; without a value it says why, where that is known.

        A score that does not apply may carry another protocol or kind than those that do, so its
        reason is looked up by id and split.
        """
        known = self.cells.get((group.id, column))
        return known or Cell({}, reasons=self.reasons.get((group.id, column.id, column.split), ()))

    @cached_property
    def reasons(self) -> dict[tuple[str, str, str], tuple[str, ...]]:
        """Why values are missing, by group, column id and split."""
        found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for (group, column), cell in self.cells.items():
            if cell.reasons:
                found[group, column.id, column.split].update(cell.reasons)
        return {key: tuple(sorted(reasons)) for key, reasons in found.items()}

    def floor(self, column: Column) -> float | None:
        """Returns the mean floor of a column: what real points score against real points."""
        floors = [c.floor for (_, k), c in self.cells.items() if k == column]
        known = [value for value in floors if value is not None]
        return fmean(known) if known else None

    def frame(self) -> pandas.DataFrame:
        """Returns the table as text, indexed by label, one column a (heading, about)."""
        import pandas

        index = pandas.Index([g.label for g in self.groups], name=self.name)
        data: dict[tuple[str, str], list[str]] = {
            (c.heading, c.about): [self.cell(g, c).text for g in self.groups] for c in self.columns
        }
        for cost in self.groups[0].costs if self.groups else ():
            data[(cost, "")] = [g.costs[cost] for g in self.groups]
        return pandas.DataFrame(data, index=index)


def leaderboards(records: Iterable[Record]) -> list[Table]:
    """Returns one table a data set (and its options and version), in the order of names.

    Claims' cells at budgets that are not the claims' own are left out.
    """
    records = list(records)
    own = {_settings(record) for record in records if record.scale is None}
    by_dataset: dict[tuple[str, str, int], list[Record]] = defaultdict(list)
    for record in (r for r in records if r.scale is None or _settings(r) not in own):
        spec = record.spec
        options = ", ".join(
            f"{k}={json.dumps(v)}" for k, v in sorted(spec.dataset_options.items())
        )
        by_dataset[spec.dataset, options, spec.dataset_version].append(record)
    versions = Counter((dataset, options) for dataset, options, _ in by_dataset)
    tables = []
    for (dataset, options, version), members in sorted(by_dataset.items(), key=lambda i: i[0]):
        name = f"{dataset} ({options})" if options else dataset
        name += f" v{version}" if versions[dataset, options] > 1 else ""
        tables.append(_table(dataset, name, members))
    return tables


def _settings(record: Record) -> str:
    """What decides a cell's weights, but for its budget and seed."""
    spec = record.spec.model_copy(update={"seed": 0, "budget": Budget(steps=1)})
    return spec.group


def failures(tables: Iterable[Table]) -> pandas.DataFrame:
    """Returns one row for every record that did not end well."""
    import pandas

    names = ["dataset", "model", "seed", "status", "phase", "reason", "after", "cell"]
    rows = [
        (
            *(t.name, g.label, r.spec.seed, r.status, r.phase or "–"),
            r.reason or "no reason recorded",
            "–" if r.failed_after_s is None else f"{r.failed_after_s:.3g} s",
            r.cell,
        )
        for t in tables
        for g in t.groups
        for r in g.records
        if r.status != "ok"
    ]
    return pandas.DataFrame(rows, columns=names)


def _table(dataset: str, name: str, records: list[Record]) -> Table:
    members: dict[str, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda r: (r.spec.seed, r.cell)):
        members[record.group].append(record)
    labels = labels_of(members)
    groups = [Group(id, labels[id], tuple(rows)) for id, rows in members.items()]
    cells = {(g.id, column): cell for g in groups for column, cell in _cells(g).items()}
    filled = {column for (_, column), cell in cells.items() if cell.values}
    columns = sorted(filled, key=lambda c: c.order)
    rankings: dict[Column, Ranking] = {}
    for column in columns:
        if column.better != "none":
            rankings[column], ranked = _ranked(column, groups, cells)
            cells.update(ranked)
    ordered = tuple(_ordered(groups, columns, cells))
    return Table(dataset, name, ordered, tuple(columns), cells, rankings)


def _cells(group: Group) -> dict[Column, Cell]:
    found: dict[Column, dict[int, Measurement]] = defaultdict(dict)
    for record in group.ok:
        for measured in record.metrics:
            found[Column.of(measured)][record.spec.seed] = measured
    return {column: _cell(by_seed) for column, by_seed in found.items()}


def _cell(by_seed: dict[int, Measurement]) -> Cell:
    values = {
        seed: m.value
        for seed, m in by_seed.items()
        if m.value is not None and math.isfinite(m.value)
    }
    floors = [m.floor for m in by_seed.values() if m.floor is not None]
    reasons = {m.reason or "no finite value" for seed, m in by_seed.items() if seed not in values}
    return Cell(values, fmean(floors) if floors else None, tuple(sorted(reasons)))


def _ranked(
    column: Column, groups: list[Group], cells: dict[tuple[str, Column], Cell]
) -> tuple[Ranking, dict[tuple[str, Column], Cell]]:
    """Who can be told apart in a column, and its cells again with their ranks.

    Reference rows do not compete; rows of too few seeds may have the best mean, but no rank.
    """
    running = {
        g.id: cells[g.id, column]
        for g in groups
        if not g.reference and (g.id, column) in cells and cells[g.id, column].values
    }
    told = {id: c.values for id, c in running.items() if not c.estimate.too_few}
    found = ranking(told, "lower" if column.better == "lower" else "higher")
    ends = {id: found.ends(id) for id in found.order}
    means = [c.estimate.mean for c in running.values() if c.estimate.mean is not None]
    top = (min if column.better == "lower" else max)(means, default=None)
    ranked = {}
    for id, cell in running.items():
        first, last = ends.get(id, (None, None))
        best = cell.estimate.mean == top
        ranked[id, column] = replace(cell, rank=first, last=last, best=best)
    return found, ranked


def _ordered(
    groups: list[Group], columns: list[Column], cells: dict[tuple[str, Column], Cell]
) -> list[Group]:
    """Orders by `ORDERING`, otherwise by name; rows without the number come last."""
    for fits in ORDERING:
        candidates = [c for c in columns if fits(c) and c.split == "test"]
        filled = [
            sum(bool(cells.get((g.id, c), Cell({})).values) for g in groups) for c in candidates
        ]
        if any(filled):
            by = candidates[filled.index(max(filled))]
            means = {g.id: cells.get((g.id, by), Cell({})).estimate.mean for g in groups}
            sign = -1.0 if by.better == "higher" else 1.0
            return sorted(
                groups,
                key=lambda g: (math.inf if (m := means[g.id]) is None else sign * m, g.label),
            )
    return sorted(groups, key=lambda g: g.label)
