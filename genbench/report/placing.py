"""Places the rows of a data set: who stands for a family, what they pass, and who is near the best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
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
from genbench.report.standings import Check, Entrant, Standings
from genbench.statistics.ranking import Ranking, make_ranking

#: what a data set without a declaration has
UNDECLARED = Quality(())


def find_standings(
    groups: Sequence[Group],
    columns: Sequence[TableColumn],
    lax: Sequence[TableColumn],
    cells: Cells,
    *,
    quality: Quality | None,
    is_listed: Callable[[Group], bool],
    floor: Callable[[TableColumn], float | None],
    labels: bool = False,
    beside: Standings | None = None,
) -> Standings | None:
    """Returns the standings of a data set; None where nothing decides them.

    Arguments:
        groups: The rows of its table.
        columns: The columns that are judged.
        lax: Those that are not since a null row counts as good by them; what fails them is never first.
        cells: Every row's cell in a column.
        quality: What the data set declares.
        is_listed: Tells the entrants that are laid down.
        floor: What real points score in a column.
        labels: Whether models that learn from labels are meant, or all others.
        beside: The contest beside this one, whose columns are taken where anybody was measured by them.
    """
    quality = quality or UNDECLARED
    running = [g for g in groups if competes(g, labels)]
    by_row = stand_apart(groups)
    naming = name_rows(running) if by_row else name_family
    column = choose_column(
        quality.primary,
        running,
        columns,
        cells,
        naming,
        is_listed=is_listed,
        prefer=beside and beside.column,
    ) or headline(columns)
    if column is None or not any(has_values(cells, g, column) for g in running):
        return None
    if by_row:
        naming = name_rows([g for g in running if has_values(cells, g, column)])
    others = {check.beside: check.column for check in beside.checks} if beside is not None else {}
    checks = tuple(
        _make_check(b, running, columns, lax, cells, floor, is_listed, others.get(b))
        for b in quality.beside
    )
    entrants = _pick(running, column, checks, cells, is_listed, naming)
    yardsticks = [g for g in groups if g.reference and is_baseline(g.model)]
    rows = [*(e.group for e in entrants), *(g for g in yardsticks if has_values(cells, g, column))]
    ranking = rank_rows(rows, column, cells)
    entrants = _mark_losses(entrants, yardsticks, ranking)
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


def find_ranks(
    column: TableColumn, groups: Sequence[Group], cells: Cells
) -> tuple[Ranking, dict[tuple[str, TableColumn], Cell]]:
    """Returns which models can be distinguished in a column, and its cells again with their ranks.

    Reference rows do not compete; rows of too few seeds may have the best mean, but have no rank.
    """
    running = {
        g.id: cells[g.id, column]
        for g in groups
        if not g.reference and (g.id, column) in cells and cells[g.id, column].values
    }
    order = rank_rows([g for g in groups if g.id in running], column, cells)
    ends = {id: order.ends(id) for id in order.order}
    means = [c.standing.mean for c in running.values() if c.standing.mean is not None]
    top = (min if column.better == "lower" else max)(means, default=None)
    ranked = {}
    for id, cell in running.items():
        first, last = ends.get(id, (None, None))
        best = cell.standing.mean == top
        ranked[id, column] = replace(cell, rank=first, last=last, best=best)
    return order, ranked


def find_leading(
    groups: Sequence[Group], standings: Standings, column: TableColumn, cells: Cells
) -> set[str]:
    """Returns the ids of the rows near the best of them in a column that are not worse than it.

    Rows of too few seeds, of which that is not known, are none where others have enough.
    """
    own = {g.id: cells[g.id, column].standing for g in groups if has_values(cells, g, column)}
    own = {id: estimate for id, estimate in own.items() if not estimate.too_few} or own
    numbers = {id: e.mean for id, e in own.items() if e.mean is not None}
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
    """The entrant of every contender, those that pass first, then by mean.

    Rows of too few seeds stand for nobody who has another, and come behind those that can be ranked. Nor do
    rows that were not measured by what must be passed stand for anybody who has one that was, nor rows
    with other options for a model that has one as tuned: options are chosen on validation points.
    """
    sign = 1.0 if column.better == "lower" else -1.0

    def place(entrant: Entrant) -> tuple[bool, bool, float, str]:
        score = sign * entrant.standing
        return bool(entrant.failed), entrant.too_few, score, entrant.group.label

    def stand(entrant: Entrant) -> tuple[int, tuple[bool, bool, float, str]]:
        return len(entrant.unchecked), place(entrant)

    by_name: dict[str, list[Entrant]] = {}
    for group in groups:
        if has_values(cells, group, column):
            entrant = _enter(naming(group), group, column, checks, cells, is_listed(group))
            by_name.setdefault(entrant.name, []).append(entrant)
    picked = []
    for rows in by_name.values():
        enough = [row for row in rows if not row.too_few] or rows
        listed = [row for row in enough if row.listed]
        chosen = {group.id for group in prefer_tuned([row.group for row in enough])}
        own = [row for row in enough if row.group.id in chosen]
        picked.append(min(listed or own, key=stand))
    return sorted(picked, key=place)


def prefer_tuned(groups: Iterable[Group]) -> list[Group]:
    """Returns rows without the untuned ones of models that have a tuned one, which stands for them.

    Which options a model has is chosen on validation points, and not by what rows score on test points.
    """
    groups = list(groups)
    tuned = {group.model for group in groups if group.tuned}
    return [group for group in groups if group.tuned or group.model not in tuned]


def _mark_losses(
    entrants: Sequence[Entrant], yardsticks: Sequence[Group], ranking: Ranking
) -> list[Entrant]:
    """The entrants with the simple fits that are significantly better than each, the best first."""
    names = {g.id: g.model for g in yardsticks}
    simple = [id for id in ranking.order if id in names]
    above = [ranking.above.get(e.group.id, frozenset()) for e in entrants]
    losses = [tuple(dict.fromkeys(names[i] for i in simple if i in better)) for better in above]
    return [replace(e, loses_to=lost) for e, lost in zip(entrants, losses, strict=True)]


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
    lax: Sequence[TableColumn],
    cells: Cells,
    floor: Callable[[TableColumn], float | None],
    is_listed: Callable[[Group], bool],
    prefer: TableColumn | None,
) -> Check:
    every = [*columns, *lax]
    column = choose_column(
        [beside.column], groups, every, cells, is_listed=is_listed, prefer=prefer
    )
    if column is None:
        return Check(beside, None, None)
    real = floor(column)
    best = column.meaning.ideal if real is None else real
    return Check(beside, column, None if best is None else beside.share * best, column in lax)
