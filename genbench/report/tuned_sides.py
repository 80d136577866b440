"""Test scores of a model's default and of its tuned options: cells of one budget and one protocol."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean

from genbench.core.effect import Scores
from genbench.core.metric import column_of
from genbench.core.spec import CellSpec, canonical
from genbench.report.columns import Cell, TableColumn
from genbench.report.failed_seeds import is_asked, list_failed
from genbench.report.text import plus_minus
from genbench.store import Record
from genbench.store.measurement_error import read_measurement_errors

#: rounds and minibatch as text, and the protocol
Setting = tuple[str, str]


@dataclass(frozen=True)
class Side:
    """The test scores of some options at one setting.

    Arguments:
        scores: By seed; infinite on the side that is worse where one failed.
        cell: The completed seeds as a leaderboard's cell has them.
        elsewhere: Seeds that failed in runs that did not ask for the column.
        tried: How many seeds were tried at the budget, whatever was asked of them.
    """

    scores: Scores
    cell: Cell
    elsewhere: tuple[int, ...] = ()
    tried: int = 0

    @property
    def text(self) -> str:
        """The mean of completed seeds as a leaderboard prints it, and how many of them failed."""
        failed = count_failed(self.scores)
        parts = [f"{failed} of {len(self.scores)} failed"] if failed else []
        if self.elsewhere:
            parts.append(f"{len(self.elsewhere)} of {self.tried} failed elsewhere")
        about = f" ({', '.join(parts)})" if parts else ""
        return f"{plus_minus(self.cell.estimate)}{about}"


def count_failed(values: Mapping[int, float]) -> int:
    """Returns how many seeds failed."""
    return sum(not math.isfinite(value) for value in values.values())


@dataclass
class TestScores:
    """The test scores of cells with a trial's options, at every budget and by every protocol.

    Arguments:
        dataset: The data set's name.
        column: The id of the column.
        worst: What seeds that failed count as, infinite on the side that is worse.
        scores: By setting and seed.
        columns: By setting, the leaderboards' column.
        records: By budget, all records, completed or failed: of what was not measured there is no protocol.
    """

    dataset: str
    column: str
    worst: float
    scores: dict[Setting, dict[int, float]] = field(default_factory=dict)
    columns: dict[Setting, TableColumn] = field(default_factory=dict)
    records: dict[str, list[Record]] = field(default_factory=dict)

    def at(self, setting: Setting) -> dict[int, float]:
        """Returns the scores of a setting by seed, with the seeds that failed of those that were asked."""
        records = self.records.get(setting[0], [])
        belongs = partial(is_asked, id=self.column, protocol=setting[1])
        failed = dict.fromkeys(list_failed(records, belongs), self.worst)
        return self.scores.get(setting, {}) | failed

    def side(self, setting: Setting) -> Side:
        """Returns what tables tell of a setting."""
        values, errors = self.at(setting), read_measurement_errors()
        # by seed, as in leaderboards: intervals are of resamples, in whose order they come
        completed = {s: value for s, value in sorted(values.items()) if math.isfinite(value)}
        level = fmean(completed.values()) if completed else 0.0
        noise = errors.noise(self.dataset, self.column, level)
        cell, column = Cell(completed), self.columns.get(setting)
        if column is not None:
            error = errors.find_of(self.dataset, column)
            cell = Cell(completed, error=error, scale=column.meaning.interval_scale)
        tried = self.records.get(setting[0], [])
        failed = {record.spec.seed for record in tried if record.status != "ok"}
        elsewhere = tuple(sorted(failed - values.keys()))
        return Side(Scores(values, noise, independent=True), cell, elsewhere, len(tried))


def read_scores(records: Iterable[Record], like: CellSpec, column: str, better: str) -> TestScores:
    """Returns the test scores of the records that have all of a cell's options.

    Arguments:
        records: Those of a model on a data set.
        like: The cell; budgets, minibatches and seeds may be others.
        column: The id of the column.
        better: Its better direction.
    """
    worst = -math.inf if better == "higher" else math.inf
    rows, own_setting = TestScores(like.dataset, column, worst), _setting(like)
    for record in records:
        spec = record.spec
        if record.status == "skipped" or _setting(spec) != own_setting:
            continue
        ((kind, amount),) = spec.budget.model_dump(exclude_none=True).items()
        budget = f"{amount:g} {kind}, batch {spec.batch}"
        rows.records.setdefault(budget, []).append(record)
        for m in record.metrics:
            if (m.id, m.split) == (column, "test"):
                about = column_of(m.metric, m.id)
                lost = m.value is None and about is not None and about.is_worst(m.reason)
                if lost or m.value is not None:
                    setting = budget, m.protocol
                    own = rows.scores.setdefault(setting, {})
                    own[spec.seed] = worst if m.value is None else m.value
                    if m.value is not None:
                        rows.columns[setting] = TableColumn.of(m)
    return rows


def _setting(spec: CellSpec) -> str:
    """All that decides a cell but its budget, its minibatch and its seed, as text."""
    parts = spec.model_dump(exclude_none=True, exclude={"budget", "batch", "seed"})
    return canonical({**parts, "training": parts.get("training") or {}})


def match_sides(before: TestScores, after: TestScores) -> tuple[str, Side, Side]:
    """Returns the budget with the most seeds of both, else of the tuned options, and both sides there."""
    measured = {*before.scores, *after.scores}
    failing = {
        budget
        for side in (before, after)
        for budget, records in side.records.items()
        if any(record.status != "ok" for record in records)
    }
    unmeasured = failing - {budget for budget, _ in measured}
    settings = sorted(
        {*measured, *((budget, "") for budget in unmeasured)},
        key=lambda s: (_amount(s), s),
        reverse=True,
    )
    if not settings:
        nothing = Side(Scores(), Cell({}))
        return "", nothing, nothing

    def count(setting: Setting) -> tuple[int, int, int]:
        sizes = len(before.at(setting)), len(after.at(setting))
        return min(sizes), sizes[1], sizes[0]

    best = max(settings, key=count)
    return best[0], before.side(best), after.side(best)


def _amount(setting: Setting) -> float:
    return float(setting[0].split()[0])
