"""Leaderboards: records in, one table per data set out; columns never mix protocols."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from genbench.report.cells import read_cells
from genbench.report.columns import DAGGER, Cell, TableColumn
from genbench.report.contests import settle, shade
from genbench.report.costs import Conditions, Cost, choose_records, find_usual, time_training
from genbench.report.counts import count_text
from genbench.report.failed_seeds import count_failures, describe_failures
from genbench.report.groups import MEMORY, TRAINING, Group, make_labels, name_options
from genbench.report.placing import find_ranks
from genbench.report.standings import Standings
from genbench.report.table_gates import find_floor, make_gate, values_of
from genbench.report.text import name_rows, number
from genbench.statistics.null_rows import Gate
from genbench.statistics.ranking import Ranking
from genbench.store import Record
from genbench.store.measurement_error import read_measurement_errors
from genbench.store.scales import select_scale

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Table:
    """The leaderboard of one data set.

    Arguments:
        dataset: The data set's name.
        name: The same with its options and version, where they set it apart from others.
        groups: The rows.
        columns: The columns that have values.
        cells: Every group's cell in a column.
        rankings: For columns with a direction that are judged, which groups can be distinguished.
        gates: What null rows make of a column against held-out data; one whose gate is closed is not judged.
        standings: The families' entrants, by the column that the data set declares; None without one.
        labelled: The same of models that learn from labels, which compete apart.
    """

    dataset: str
    name: str
    groups: tuple[Group, ...]
    columns: tuple[TableColumn, ...]
    cells: Mapping[tuple[str, TableColumn], Cell] = field(repr=False)
    rankings: Mapping[TableColumn, Ranking] = field(repr=False)
    gates: Mapping[TableColumn, Gate] = field(default_factory=dict, repr=False)
    standings: Standings | None = field(default=None, repr=False)
    labelled: Standings | None = field(default=None, repr=False)

    @property
    def contests(self) -> tuple[Standings, ...]:
        """The standings that there are, models without labels first."""
        return tuple(s for s in (self.standings, self.labelled) if s is not None)

    def keep(self, condition: Callable[[Group], bool]) -> Table:
        """Returns the table with some of its rows alone; ranks and standings stay those of all."""
        return replace(self, groups=tuple(g for g in self.groups if condition(g)))

    def cell(self, group: Group, column: TableColumn) -> Cell:
        """Returns a group's cell in a column; without a value it says why, where that is known.

        A score that does not apply may carry another protocol or kind than those that do, so its
        reason is looked up by id and split.
        """
        cell = self.cells.get((group.id, column))
        return cell or Cell({}, reasons=self.reasons.get((group.id, column.id, column.split), ()))

    @cached_property
    def reasons(self) -> dict[tuple[str, str, str], tuple[str, ...]]:
        """Why values are missing, by group, column id and split."""
        by_place: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for (group, column), cell in self.cells.items():
            if cell.reasons:
                by_place[group, column.id, column.split].update(cell.reasons)
        return {place: tuple(sorted(reasons)) for place, reasons in by_place.items()}

    def judges(self, column: TableColumn) -> bool:
        """Returns whether a column's numbers are ranked: not where a null row counts as good."""
        return column not in self.gates or not self.gates[column].closed

    def beside(self, column: TableColumn) -> list[TableColumn]:
        """Returns the columns without which a column must not be printed, as far as they have values.

        Those that it names of its own metric, and the headlines of metrics beside which alone it is read.
        """
        own = [
            c
            for c in self.columns
            if (c.metric, c.protocol, c.split) == (column.metric, column.protocol, column.split)
            and c.id in column.meaning.beside
        ]
        others = [c for c in self.columns if c.headline and c.metric in column.never_without]
        return own + others

    def accompany(self, columns: Iterable[TableColumn]) -> list[TableColumn]:
        """Returns columns with those without which they must not be printed, each behind the first such."""
        whole = list(dict.fromkeys(columns))
        for column in tuple(whole):
            new = [c for c in self.beside(column) if c not in whole]
            at = whole.index(column) + 1
            whole[at:at] = new
        return whole

    def about(self, column: TableColumn) -> str:
        """Returns what sets a column apart, and why it is not judged on this data set if it is not."""
        if self.judges(column):
            return column.about
        return f"{column.about} · not judged here: {self.gates[column].reason}"

    def floor(self, column: TableColumn) -> float | None:
        """Returns the mean floor of a column: what real points score against real points."""
        return find_floor(column, self.cells)

    def scored(self, group: Group) -> tuple[Record, ...]:
        """Returns a row's completed runs that have the score that decides; all where none has."""
        entered = [s for s in self.contests if any(e.group.id == group.id for e in s.entrants)]
        for standings in (*entered, *self.contests):
            values = self.cell(group, standings.column).values
            if values:
                return tuple(record for record in group.ok if record.spec.seed in values)
        return group.ok

    @cached_property
    def conditions(self) -> Conditions:
        """The conditions under which the training of most entrants was timed, without any that of rows."""
        entrants = [e.group for standings in self.contests for e in standings.entrants]
        return find_usual(map(self.scored, entrants or self.groups))

    def training(self, group: Group) -> Cost:
        """Returns the seconds that a seed trained, of those that have the score that decides."""
        return Cost() if group.external else time_training(self.scored(group), self.conditions)

    def memory(self, group: Group) -> int | None:
        """Returns the most bytes that a stack took whose time of training is shown; None if not measured."""
        stacks = choose_records(self.scored(group), self.conditions)
        return max(
            (m for r in stacks if (m := r.used.peak_memory_bytes) is not None), default=None
        )

    def costs(self, group: Group) -> dict[str, str]:
        """Returns what a row's numbers cost, one unit per name: parameters, training time, memory, budget."""
        own = group.costs
        first = {name: own[name] for name in ("ok", "parameters")}
        peak = self.memory(group)
        memory = "–" if peak is None else number(peak / 1e6)
        return first | {TRAINING: self.training(group).text, MEMORY: memory} | own

    @property
    def footnotes(self) -> list[str]:
        """What the daggers behind numbers mean."""
        return self.explain_daggers(self.groups, self.columns)

    def explain_daggers(
        self, groups: Sequence[Group], columns: Collection[TableColumn]
    ) -> list[str]:
        """Returns what the daggers behind the numbers of some rows in some columns mean."""
        doubts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for group in groups:
            cells = [self.cell(group, column) for column in columns]
            note = next((note for cell in cells for note in cell.notes), "")
            what, _, detail = note.partition(": ")
            if what:
                doubts[what][detail].append(group.label)
        notes = [f"{DAGGER} {what}: {name_rows(rows)}" for what, rows in doubts.items()]
        shown = {place: cell for place, cell in self.cells.items() if place[1] in columns}
        return [*notes, *describe_failures(groups, shown)]

    @property
    def omissions(self) -> list[str]:
        """Why headlines that were measured are none here, or say little: on the points themselves."""
        shown = {column.id for column in self.columns if column.headline}
        decides = {standings.column.id for standings in self.contests}
        blind = {c.id: c for c in self.columns if c.blind and c.split == "test"}
        return [
            f"{id} {'decides here, but' if id in decides else 'is no headline here: it'} was measured on the "
            f"points themselves ({column.protocol}), not on learned features, and so compares two moments of "
            "raw coordinates"
            for id, column in blind.items()
            if id not in shown
        ]

    def to_frame(self) -> pandas.DataFrame:
        """Returns the table as text, indexed by label, one column per (heading, about)."""
        import pandas

        index = pandas.Index([g.label for g in self.groups], name=self.name)
        data: dict[tuple[str, str], list[str]] = {}
        for column in self.columns:
            cells = [(g, self.cell(g, column)) for g in self.groups]
            data[column.heading, column.about] = [c.text + count_text(g, c) for g, c in cells]
        costs = [self.costs(g) for g in self.groups]
        for cost in costs[0] if costs else ():
            data[(cost, "")] = [row[cost] for row in costs]
        for name in self.groups[0].settings if self.groups else ():
            data[(name, "")] = [str(g.settings[name]) for g in self.groups]
        return pandas.DataFrame(data, index=index)


def make_leaderboards(records: Iterable[Record], *, scale: str = "default") -> list[Table]:
    """Returns one table per data set (and its options and version), in the order of names.

    Arguments:
        records: What was measured.
        scale: Which budgets of the claims' cells to show, as `store.scales.select_scale` has it.
    """
    by_dataset: dict[tuple[str, str, int], list[Record]] = defaultdict(list)
    for record in select_scale(list(records), scale):
        spec = record.spec
        options = name_options(spec)
        by_dataset[spec.dataset, options, spec.dataset_version].append(record)
    versions = Counter((dataset, options) for dataset, options, _ in by_dataset)
    tables = []
    for (dataset, options, version), members in sorted(by_dataset.items(), key=lambda i: i[0]):
        name = f"{dataset} ({options})" if options else dataset
        name += f" v{version}" if versions[dataset, options] > 1 else ""
        tables.append(_table(dataset, name, members))
    return tables


def list_failures(tables: Iterable[Table]) -> pandas.DataFrame:
    """Returns one row for every run that did not complete."""
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
    labels = make_labels(members)
    groups = [Group(id, labels[id], tuple(rows)) for id, rows in members.items()]
    errors = read_measurement_errors()
    cells = {
        (g.id, column): replace(cell, error=errors.find_of(dataset, column))
        for g in groups
        for column, cell in read_cells(g).items()
    }
    filled = {column for (_, column), cell in cells.items() if cell.values}
    columns = sorted(filled, key=lambda c: c.order)
    rankings: dict[TableColumn, Ranking] = {}
    gates = {
        column: make_gate(column, groups, cells, errors.floor_error(dataset, column.id))
        for column in columns
        if column.split == "test"
    }
    cells.update(count_failures(columns, groups, cells))
    for column in columns:
        if column.better != "none" and not (column in gates and gates[column].closed):
            rankings[column], ranked = find_ranks(column, groups, cells)
            cells.update(ranked)
    judged = [c for c in columns if c not in gates or not gates[c].closed]
    lax = [c for c in columns if c in gates and gates[c].passed and not gates[c].extractors]
    own, apart = settle(groups, judged, lax, cells, lambda column: find_floor(column, cells))
    for standings in (own, apart):
        if standings is not None:
            cells.update(shade(judged, cells, standings))
    ordered = tuple(_ordered(groups, judged, cells, own))
    return Table(dataset, name, ordered, tuple(columns), cells, rankings, gates, own, apart)


def _ordered(
    groups: list[Group],
    columns: list[TableColumn],
    cells: dict[tuple[str, TableColumn], Cell],
    standings: Standings | None,
) -> list[Group]:
    """Orders by the declared column, else the first that orders, else by name; rows without the number last.

    Of several protocols of a column the one that most rows have counts; a column that sees too little of
    the points themselves comes after all others.
    """
    ordering = [c for c in columns if c.meaning.orders and c.split == "test"]
    if standings is not None and standings.declared:
        by = standings.column
    elif not ordering:
        return sorted(groups, key=lambda g: g.label)
    else:
        first = min((c.blind, c.place) for c in ordering)
        candidates = [c for c in ordering if (c.blind, c.place) == first]
        by = max(candidates, key=lambda c: sum(bool(values_of(cells, g, c)) for g in groups))
    means = {g.id: cells.get((g.id, by), Cell({})).standing.mean for g in groups}
    sign = -1.0 if by.better == "higher" else 1.0
    return sorted(
        groups, key=lambda g: (math.inf if (m := means[g.id]) is None else sign * m, g.label)
    )
