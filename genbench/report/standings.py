"""Who stands where on a data set, by the column that it declares: one row per family, or every row."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from genbench.core.catalogue import is_baseline
from genbench.core.quality import Beside, Quality
from genbench.report.columns import Cell, TableColumn
from genbench.report.contenders import (
    Cells,
    Naming,
    choose_column,
    competes,
    has_values,
    headline,
    name_family,
    name_rows,
    stand_apart,
)
from genbench.report.groups import Group
from genbench.statistics.ranking import Ranking, make_ranking

#: what a data set without a declaration has
UNDECLARED = Quality(())


@dataclass(frozen=True)
class Check:
    """A column that must be passed beside the primary one.

    Arguments:
        beside: What the data set declares.
        column: The table's column, or None where nobody has been measured by it.
        bar: The least that passes, or None where real points were not measured.
    """

    beside: Beside
    column: TableColumn | None
    bar: float | None

    def passes(self, cell: Cell | None) -> bool | None:
        """Returns whether a row may pass: its interval reaches the bar; None where that is not known."""
        mean, high = (cell.standing.mean, cell.standing.high) if cell is not None else (None, None)
        if mean is None or self.bar is None:
            return None
        return (mean if high is None else high) >= self.bar


@dataclass(frozen=True)
class Entrant:
    """The row that stands for a family, or on data of pairs for itself.

    Arguments:
        name: What competes: the family, or the row's model with what tells it from its namesakes.
        group: The row.
        cell: Its score in the deciding column.
        listed: Whether it is one of the entrants that are laid down, not just the family's best row.
        failed: The columns beside the primary one that it does not pass.
        unchecked: Those by which it was not measured.
        loses_to: The simple fits that are significantly better.
        leading: Whether it passes, is near the best that does, and is not worse than it.
    """

    name: str
    group: Group
    cell: Cell
    listed: bool = False
    failed: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    loses_to: tuple[str, ...] = ()
    leading: bool = False

    @property
    def mean(self) -> float:
        """Its mean over completed seeds; rows without a value are no entrants."""
        return self.cell.estimate.mean if self.cell.estimate.mean is not None else math.nan

    @property
    def standing(self) -> float:
        """Its mean over all seeds, by which it is ordered."""
        return self.cell.standing.mean if self.cell.standing.mean is not None else math.nan

    @property
    def family(self) -> str:
        """The row's family."""
        return self.group.family


@dataclass(frozen=True)
class Standings:
    """The entrants on a data set: one per family, or every row.

    Arguments:
        quality: What the data set declares.
        column: The column that decides.
        checks: What must be passed beside it.
        entrants: Those that pass first, each part from the best mean on.
        ranking: Which rows are significantly better than which, among entrants and simple fits.
        floor: What real points score in the column, or None.
        by_row: Whether rows stand for themselves, not for families.
    """

    quality: Quality
    column: TableColumn
    checks: tuple[Check, ...]
    entrants: tuple[Entrant, ...]
    ranking: Ranking = field(repr=False)
    floor: float | None = None
    by_row: bool = False

    @property
    def kind(self) -> str:
        """What competes, in a word."""
        return "row" if self.by_row else "family"

    @property
    def declared(self) -> bool:
        """Whether the data set declares the column."""
        return self.column.id in self.quality.primary

    @property
    def first(self) -> Entrant | None:
        """The best entrant, or None where none passes."""
        return next((e for e in self.entrants if not e.failed), None)

    @cached_property
    def leaders(self) -> tuple[Entrant, ...]:
        """The entrants that are near the best and not worse than it, the best first."""
        return tuple(e for e in self.entrants if e.leading)

    @property
    def rivals(self) -> tuple[Entrant, ...]:
        """The entrants that pass, without the first."""
        return tuple(e for e in self.entrants if not e.failed and e is not self.first)

    @property
    def unbeaten(self) -> tuple[Entrant, ...]:
        """The rivals that the first is not significantly better than."""
        first, above = self.first, self.ranking.above
        if first is None:
            return ()
        return tuple(e for e in self.rivals if first.group.id not in above.get(e.group.id, ()))

    @property
    def sure(self) -> bool:
        """Whether there are others, and the first is significantly better than all that pass."""
        first = self.first
        if first is None or len(self.entrants) < 2 or first.cell.standing.too_few:
            return False
        return not self.unbeaten

    @property
    def how_sure(self) -> str:
        """How sure it is that the first is the best, in a phrase."""
        return self._certainty[0]

    @property
    def clear(self) -> str:
        """Whether the first is clearly the best, in a word or two."""
        return self._certainty[1]

    @cached_property
    def _certainty(self) -> tuple[str, str]:
        first = self.first
        if first is None:
            return f"no {self.kind} passes what must be passed beside it", "none passes"
        if len(self.entrants) == 1:
            return f"no other {self.kind} was measured", "alone"
        if not self.rivals:
            return f"no other {self.kind} passes what must be passed beside it", "alone"
        if first.cell.standing.too_few:
            return "too few seeds to tell", "too few seeds"
        if self.unbeaten:
            names = ", ".join(e.name for e in self.unbeaten)
            return f"cannot be distinguished from {names}", f"not from {names}"
        some = " that passes" if len(self.rivals) + 1 < len(self.entrants) else ""
        return f"significantly better than every other {self.kind}{some}", "yes"


def find_standings(
    groups: Sequence[Group],
    columns: Sequence[TableColumn],
    cells: Cells,
    *,
    quality: Quality | None,
    is_listed: Callable[[Group], bool],
    floor: Callable[[TableColumn], float | None],
    labels: bool = False,
) -> Standings | None:
    """Returns the standings of a data set; None where nothing decides them.

    Arguments:
        groups: The rows of its table.
        columns: The columns that are judged.
        cells: Every row's cell in a column.
        quality: What the data set declares.
        is_listed: Tells the entrants that are laid down.
        floor: What real points score in a column.
        labels: Whether models that learn from labels are meant, or all others.
    """
    quality = quality or UNDECLARED
    running = [g for g in groups if competes(g, labels)]
    by_row = stand_apart(groups)
    naming = name_rows(running) if by_row else name_family
    column = choose_column(
        quality.primary, running, columns, cells, naming, is_listed=is_listed
    ) or headline(columns)
    if column is None or not any(has_values(cells, g, column) for g in running):
        return None
    if by_row:
        naming = name_rows([g for g in running if has_values(cells, g, column)])
    checks = tuple(
        _make_check(b, running, columns, cells, floor, is_listed) for b in quality.beside
    )
    entrants = _pick(running, column, checks, cells, is_listed, naming)
    yardsticks = [g for g in groups if g.reference and is_baseline(g.model)]
    rows = [*(e.group for e in entrants), *(g for g in yardsticks if has_values(cells, g, column))]
    ranking = rank_rows(rows, column, cells)
    names = {g.id: g.model for g in yardsticks}
    entrants = [
        replace(
            e,
            loses_to=tuple(
                dict.fromkeys(names[i] for i in ranking.order if i in {*names} & above)
            ),
        )
        for e in entrants
        for above in (ranking.above.get(e.group.id, frozenset()),)
    ]
    whole = Standings(
        quality, column, checks, tuple(entrants), ranking, floor(column), by_row=by_row
    )
    near = find_leading([e.group for e in entrants if not e.failed], whole, column, cells)
    marked = tuple(replace(e, leading=e.group.id in near) for e in entrants)
    return replace(whole, entrants=marked)


def rank_rows(groups: Sequence[Group], column: TableColumn, cells: Cells) -> Ranking:
    """Returns which rows are significantly better than which in a column; those of few seeds are left out.

    Seeds that failed count as the worst that any completed seed of the table's models has.
    """
    own = {g.id: cells[g.id, column] for g in groups if has_values(cells, g, column)}
    values = {id: cell.outcomes for id, cell in own.items() if not cell.standing.too_few}
    error = next((cell.error for cell in own.values()), None)
    better: Literal["lower", "higher"] = "lower" if column.better == "lower" else "higher"
    noise = error.deviation_between if error is not None else None
    return make_ranking(values, better, noise, resolution=column.meaning.resolution)


def find_leading(
    groups: Sequence[Group], standings: Standings, column: TableColumn, cells: Cells
) -> set[str]:
    """Returns the ids of the rows near the best of them in a column that are not worse than it."""
    means = {
        g.id: cells[g.id, column].standing.mean for g in groups if has_values(cells, g, column)
    }
    numbers = {id: mean for id, mean in means.items() if mean is not None}
    if not numbers:
        return set()
    best = (min if column.better == "lower" else max)(numbers, key=lambda id: numbers[id])
    floors = [cells[id, column].floor for id in numbers]
    room = standings.quality.margin * max(abs(numbers[best]), *(abs(f or 0.0) for f in floors))
    above = rank_rows(groups, column, cells).above
    return {
        id
        for id, mean in numbers.items()
        if abs(mean - numbers[best]) <= room and best not in above.get(id, frozenset())
    }


def _pick(
    groups: Sequence[Group],
    column: TableColumn,
    checks: Sequence[Check],
    cells: Cells,
    is_listed: Callable[[Group], bool],
    naming: Naming,
) -> list[Entrant]:
    """The entrant of every contender, those that pass first, then by mean."""
    sign = 1.0 if column.better == "lower" else -1.0

    def place(entrant: Entrant) -> tuple[bool, float, str]:
        return bool(entrant.failed), sign * entrant.standing, entrant.group.label

    by_name: dict[str, list[Entrant]] = {}
    for group in groups:
        if has_values(cells, group, column):
            entrant = _enter(naming(group), group, column, checks, cells, is_listed(group))
            by_name.setdefault(entrant.name, []).append(entrant)
    picked = []
    for rows in by_name.values():
        listed = [row for row in rows if row.listed]
        picked.append(min(listed or rows, key=place))
    return sorted(picked, key=place)


def _enter(
    name: str,
    group: Group,
    column: TableColumn,
    checks: Sequence[Check],
    cells: Cells,
    listed: bool,
) -> Entrant:
    outcomes = {
        c.beside.column: c.passes(cells.get((group.id, c.column)) if c.column else None)
        for c in checks
    }
    return Entrant(
        name,
        group,
        cells[group.id, column],
        listed,
        failed=tuple(id for id, passes in outcomes.items() if passes is False),
        unchecked=tuple(id for id, passes in outcomes.items() if passes is None),
    )


def _make_check(
    beside: Beside,
    groups: Sequence[Group],
    columns: Sequence[TableColumn],
    cells: Cells,
    floor: Callable[[TableColumn], float | None],
    is_listed: Callable[[Group], bool],
) -> Check:
    column = choose_column([beside.column], groups, columns, cells, is_listed=is_listed)
    if column is None:
        return Check(beside, None, None)
    real = floor(column)
    best = column.meaning.ideal if real is None else real
    return Check(beside, column, None if best is None else beside.share * best)
