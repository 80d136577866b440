"""Who stands where on a data set, by the column that it declares: one row per family, or every row."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

from genbench.core.quality import Beside, Quality
from genbench.report.columns import Cell, TableColumn
from genbench.report.groups import Group
from genbench.statistics.ranking import Ranking

#: behind rows that cannot be ranked
FEW = " (too few seeds)"
UNEQUAL = "tuned unequally"


@dataclass(frozen=True)
class Check:
    """A column that must be passed beside the primary one.

    Arguments:
        beside: What the data set declares.
        column: The table's column, or None where nobody has been measured by it.
        bar: The least that passes, or None where real points were not measured.
        lax: Whether a null row counts as good by it, so that failing it tells and passing does not.
    """

    beside: Beside
    column: TableColumn | None
    bar: float | None
    lax: bool = False

    def passes(self, cell: Cell | None) -> bool | None:
        """Returns whether a row may pass: its interval reaches the bar; None where that is not known.

        So the wider an interval, the more easily it passes: a row is turned away only where it surely fails.
        """
        mean, high = (cell.standing.mean, cell.standing.high) if cell is not None else (None, None)
        if mean is None or self.bar is None:
            return None
        return (mean if high is None else high) >= self.bar

    def passes_by_interval(self, cell: Cell | None) -> bool:
        """Returns whether a row passes though its mean does not reach the bar."""
        mean = cell.standing.mean if cell is not None else None
        return (
            mean is not None
            and self.bar is not None
            and mean < self.bar
            and bool(self.passes(cell))
        )


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
    def passes(self) -> bool | None:
        """Whether it passes what is beside the primary column; None where that was not measured of it."""
        return False if self.failed else None if self.unchecked else True

    @property
    def family(self) -> str:
        """The row's family."""
        return self.group.family

    @property
    def too_few(self) -> bool:
        """Whether it has too few seeds to be ranked."""
        return self.cell.standing.too_few


@dataclass(frozen=True)
class Standings:
    """The entrants on a data set: one per family, or every row.

    Arguments:
        quality: What the data set declares.
        column: The column that decides.
        checks: What must be passed beside it.
        entrants: Those that pass first, each part from the best mean on, rows of too few seeds behind others.
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
    def untuned(self) -> tuple[Entrant, ...]:
        """The entrants without tuned options by which the first and its rivals compare unequally.

        Where the first has such options, those that pass and have none; else it, where the next has them.
        """
        first = self.first
        if first is None or first.group.tuned is None:
            return ()
        if first.group.tuned:
            return tuple(e for e in self.rivals if e.group.tuned is False)
        return (first,) if any(e.group.tuned for e in self.rivals[:1]) else ()

    @property
    def sure(self) -> bool:
        """Whether there are others, and the first is significantly better than all that pass.

        Where they were tuned unequally it is not.
        """
        first = self.first
        if first is None or len(self.entrants) < 2 or first.too_few:
            return False
        return not self.unbeaten and not self.untuned

    @property
    def alone(self) -> bool:
        """Whether one passes and no other does."""
        return self.first is not None and not self.rivals

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
        if first.too_few:
            return "too few seeds to tell", "too few seeds"
        if self.unbeaten:
            names = ", ".join(f"{e.name}{FEW * e.too_few}" for e in self.unbeaten)
            return f"cannot be distinguished from {names}", f"not from {names}"
        return self._compare_with_all()

    def _compare_with_all(self) -> tuple[str, str]:
        """How sure a first is that is significantly better than all: not where it was tuned unlike them."""
        some = " that passes" if len(self.rivals) + 1 < len(self.entrants) else ""
        better = f"significantly better than every other {self.kind}{some}"
        if not self.untuned:
            return better, "yes"
        names = ", ".join(e.name for e in self.untuned)
        return f"{better}, but {UNEQUAL}: {names} untuned", UNEQUAL
