"""Columns and cells: which numbers may stand under one heading, and what one cell holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from genbench.report.text import direction, plus_minus, rank_text
from genbench.statistics.intervals import Estimate
from genbench.store import Measurement
from genbench.store.measurement_error import ColumnError, estimate_score

#: marks numbers that a footnote casts doubt on
DAGGER = "†"

if TYPE_CHECKING:
    from genbench.core.metric import Column, IntervalScale


@dataclass(frozen=True, order=True)
class TableColumn:
    """What two numbers must share to stand in one column.

    A bound never stands beside an exact value or an estimate, nor one protocol beside another.
    """

    id: str
    protocol: str
    split: str
    kind: str
    version: int
    better: Literal["lower", "higher", "none"] = "none"
    unit: str = ""
    metric: str = field(default="", compare=False)

    @classmethod
    def of(cls, m: Measurement) -> TableColumn:
        """Returns the column of a measurement."""
        return cls(m.id, m.protocol, m.split, m.kind, m.version, m.better, m.unit, m.metric)

    @cached_property
    def meaning(self) -> Column:
        """What its metric says of it, or what the records say where the metric is not installed."""
        from genbench.core.metric import Column, column_of

        return column_of(self.metric, self.id) or Column(self.better, self.unit)

    @property
    def is_cost(self) -> bool:
        """Whether it is a cost, in seconds, steps or bytes, and no quality."""
        return bool(self.meaning.cost) and self.split == "test"

    @property
    def added(self) -> bool:
        """Whether its metric is none of genbench's own: a plugin's, or none that is installed here."""
        from genbench.core.metric import METRICS

        return not METRICS.is_built_in(self.metric)

    @property
    def never_without(self) -> frozenset[str]:
        """The metrics beside which alone it is to be read."""
        from genbench.core.metric import METRICS

        return frozenset(METRICS.get(self.metric).beside if self.metric in METRICS else ())

    @property
    def heading(self) -> str:
        """The id and an arrow that says which way is better, e.g. "fid ↓"."""
        return f"{self.id} {direction(self.better)}".rstrip()

    @property
    def about(self) -> str:
        """The protocol and whatever else sets the column apart, e.g. "n=500/500 · test"."""
        parts = [self.protocol, self.unit, self.split, "" if self.kind == "exact" else self.kind]
        parts.append(f"version {self.version}" if self.version != 1 else "")
        return " · ".join(part for part in parts if part)

    @property
    def blind(self) -> bool:
        """Whether the metric needs learned features and was measured on the points themselves.

        A Frechet distance of the points themselves compares two moments alone.
        """
        return self.meaning.learned and self.protocol.startswith("identity")

    @property
    def headline(self) -> bool:
        """Whether the column belongs to the compact table: a headline against held-out data."""
        return self.place < math.inf and self.split == "test" and not self.blind

    @cached_property
    def place(self) -> float:
        """Its place among the headlines, infinite for other columns.

        What a headline of its metric is never printed without stands behind that.
        """
        from genbench.core.metric import leader_of

        if self.meaning.headline is not None:
            return self.meaning.headline
        leader = leader_of(self.metric, self.id)
        return math.inf if leader is None or leader.headline is None else leader.headline + 0.5

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts headlines first, in their order, then the rest by name, test before train."""
        split = self.split != "test"
        return (split and self.place < math.inf, self.place, self.id, split, self)


@dataclass(frozen=True)
class Cell:
    """One group's numbers in one column.

    Arguments:
        values: One value per seed.
        floor: The mean over seeds of the real-against-real floor, or None.
        reasons: Why seeds have no value.
        rank: The best rank among the table's models that is possible given the data; None for reference
            rows, rows of fewer than five seeds and columns without a direction.
        last: With it, the worst possible rank.
        best: Whether the mean is the best of the table's models.
        leading: Whether it is an entrant that is near the best entrant and not worse than it.
        notes: What casts doubt on some of the values.
        error: What test set and extractor leave uncertain, as far as that was measured.
        scale: What its interval is worked out on.
        failed: What every seed that failed counts as where rows are compared, or whose model leaves the
            number undefined: the worst value that any completed seed of the table's models has.
    """

    values: Mapping[int, float]
    floor: float | None = None
    reasons: tuple[str, ...] = ()
    rank: int | None = None
    last: int | None = None
    best: bool = False
    leading: bool = False
    notes: tuple[str, ...] = ()
    error: ColumnError | None = None
    scale: IntervalScale = "linear"
    failed: Mapping[int, float] = field(default_factory=dict)

    @cached_property
    def estimate(self) -> Estimate:
        """The mean over completed seeds with its 95 % interval.

        The interval holds what test set and extractor may do.
        """
        return self._estimate(self.values)

    @property
    def outcomes(self) -> Mapping[int, float]:
        """The values of all seeds, by which rows are compared: those that failed count as the worst."""
        return {**self.values, **self.failed} if self.failed else self.values

    @cached_property
    def standing(self) -> Estimate:
        """The mean over all seeds with its 95 % interval, by which rows are ordered."""
        return self._estimate(self.outcomes) if self.failed else self.estimate

    def _estimate(self, values: Mapping[int, float]) -> Estimate:
        return estimate_score(list(values.values()), self.scale, self.error)

    @property
    def seeds_text(self) -> str:
        """How many seeds have a value, of how many where some failed, and whether they are too few."""
        some = f"{self.estimate.n} of {self.standing.n}" if self.failed else f"{self.estimate.n}"
        return f"{some}{', too few' if self.values and self.standing.too_few else ''}"

    @property
    def text(self) -> str:
        """The mean ± half the width of the interval, or with its ends where that would be impossible.

        Marked where a note casts doubt or seeds failed; without a value "–".
        """
        return f"{plus_minus(self.estimate)}{DAGGER if self.marked else ''}"

    @property
    def marked(self) -> bool:
        """Whether a footnote says more of it."""
        return bool(self.notes or self.failed)

    @property
    def rank_text(self) -> str:
        """The possible ranks, e.g. "#1–4", or that there are too few seeds for one."""
        if self.values and self.standing.too_few:
            return "(too few seeds)"
        return rank_text(self.rank, self.last)
