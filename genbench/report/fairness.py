"""What the runs of a claim were given: weights, rounds, examples, seconds, and scores at equal amounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Literal

from genbench.core.claim import Run
from genbench.report.costs import Conditions
from genbench.running.claim_cells import resolve_tuned
from genbench.running.evidence import ClaimEvidence
from genbench.statistics.intervals import Estimate
from genbench.store import Record

Axis = Literal["rounds", "examples", "seconds"]
AXES: tuple[Axis, ...] = ("rounds", "examples", "seconds")
#: networks are matched within this share of the median run's weights
MATCHED = 0.25
#: two amounts of training are the same within this share
SAME = 1e-3


@dataclass(frozen=True)
class ReadCells:
    """Cells that a claim reads: a run with its records and the columns asked of it."""

    run: Run
    seeds: int
    records: tuple[Record, ...]
    columns: Mapping[str, Estimate]

    @property
    def status(self) -> str:
        """How many runs completed, e.g. "7 ok, 1 diverged"."""
        counts = Counter(record.status for record in self.records)
        counts["not run"] += self.seeds - len(self.records)
        return ", ".join(f"{n} {status}" for status, n in counts.items() if n > 0)


@dataclass(frozen=True)
class EntrantTerms:
    """What one run was given.

    Arguments:
        run: The run.
        parameters: Weights, or None where no record says.
        ratio: The same over the median of the runs on its data set.
        amounts: Rounds, examples and seconds of a seed, medians over seeds.
        tuned: Whose options it has: "tuned", "defaults, not tuned yet", "defaults" or "the claim's".
        column: The column that is read.
        at_equal: By amount, the mean over seeds of the column at the least that any run on the data set has;
            None where nothing tells it.
        passes: By amount, the pass at another budget that tells it, e.g. "quick", where one does; with its
            share of the amount where that is less, e.g. "quick, 50 % of it".
        alike: Whether all runs on the data set trained in stacks of one size on one kind of machine; else
            their seconds compare only roughly.
    """

    run: Run
    parameters: int | None
    ratio: float | None
    amounts: Mapping[Axis, float]
    tuned: str
    column: str = ""
    at_equal: Mapping[Axis, float | None] = field(default_factory=dict)
    passes: Mapping[Axis, str] = field(default_factory=dict)
    alike: bool = True

    @property
    def matched(self) -> bool:
        """Whether its weights are within a quarter of the median run's."""
        return self.ratio is None or abs(self.ratio - 1) <= MATCHED


def compare_terms(
    cells: Sequence[ReadCells], others: Sequence[Mapping[str, ReadCells]] = ()
) -> list[EntrantTerms]:
    """Returns what every run was given; runs on one data set are compared with each other.

    Arguments:
        cells: The runs.
        others: For each, the same run in passes at other budgets, by their names.
    """
    rows = []
    for read, elsewhere in zip(cells, others or [{}] * len(cells), strict=True):
        rivals = [other for other in cells if _same_data(other.run, read.run)]
        column = next(iter(read.columns), "")
        weights = [w for other in rivals if (w := count_weights(other)) is not None]
        own = count_weights(read)
        ratio = own / median(weights) if own is not None and weights and median(weights) else None
        alike = _are_alike(rivals)
        least = {
            axis: min((a for r in rivals if (a := measure_amount(r, axis))), default=0.0)
            for axis in AXES
        }
        at_equal: dict[Axis, float | None] = {
            axis: read_at(read, column, axis, least[axis]) for axis in AXES
        }
        passes = dict[Axis, str]()
        for axis in AXES:
            if at_equal[axis] is None and elsewhere:
                at_equal[axis], passes[axis] = read_pass(elsewhere, column, axis, least[axis])
        rows.append(
            EntrantTerms(
                run=read.run,
                parameters=own,
                ratio=ratio,
                amounts={axis: measure_amount(read, axis) for axis in AXES},
                tuned=describe_options(read.run),
                column=column,
                at_equal=at_equal,
                passes={axis: name for axis, name in passes.items() if name},
                alike=alike,
            )
        )
    return rows


def count_weights(read: ReadCells) -> int | None:
    """Returns the weights of a run's model, or None where no record has them."""
    return next((r.parameters for r in read.records if r.parameters is not None), None)


def measure_amount(read: ReadCells, axis: Axis) -> float:
    """Returns how much training a seed took, the median; 0 without records.

    Seeds of a stack share its seconds, which are divided among them.
    """
    return median([_total(r, axis) for r in read.records if r.status == "ok"] or [0.0])


def read_at(read: ReadCells, column: str, axis: Axis, amount: float) -> float | None:
    """Returns a column's mean over seeds after an amount of training, from learning curves.

    It is the last point of the curve that is not beyond the amount. Where a curve lacks the column, it is the
    final score, if the run took no more than that in all, else None: all seeds are read the same way.
    """
    records = [r for r in read.records if r.status == "ok"]
    curved = all(any(column in p.metrics for p in r.curve) for r in records)
    values = [
        (_last_point if curved else _final)(record, column, axis, amount) for record in records
    ]
    numbers = [value for value in values if value is not None]
    return fmean(numbers) if numbers and len(numbers) == len(records) else None


def read_passes(run: Run, passes: Sequence[ClaimEvidence]) -> dict[str, ReadCells]:
    """Returns the cells of a run in passes at other budgets, by the names of those that have any."""
    cells = {evidence.scale.budget: tuple(evidence.records(run)) for evidence in passes}
    return {name: ReadCells(run, len(own), own, {}) for name, own in cells.items() if own}


def read_pass(
    passes: Mapping[str, ReadCells], column: str, axis: Axis, amount: float
) -> tuple[float | None, str]:
    """Returns a column's mean over seeds after the largest pass within an amount of training, and its name.

    A pass is trained from nothing with a whole schedule of its own. Without such a pass it is (None, "").
    """
    spent = {name: measure_amount(read, axis) for name, read in passes.items()}
    fitting = [name for name, own in spent.items() if 0 < own <= amount * (1 + SAME)]
    for name in sorted(fitting, key=spent.__getitem__, reverse=True):
        finals = [r.measurement(column) for r in passes[name].records if r.status == "ok"]
        values = [m.value for m in finals if m is not None and m.value is not None]
        if values and len(values) == len(finals) == len(passes[name].records):
            share = spent[name] / amount
            return fmean(values), name if share > 1 - SAME else f"{name}, {share:.0%} of it"
    return None, ""


def _last_point(record: Record, column: str, axis: Axis, amount: float) -> float | None:
    share, value = amount / (_total(record, axis) or 1.0), None
    for point in record.curve:
        if _share(record, point.step, point.seconds, axis) <= share * (1 + SAME):
            value = point.metrics.get(column, value)
    return value


def _final(record: Record, column: str, axis: Axis, amount: float) -> float | None:
    final = record.measurement(column)
    whole = _total(record, axis) <= amount * (1 + SAME)
    return final.value if whole and final is not None else None


def describe_options(run: Run) -> str:
    """Returns whose options a run has."""
    if run.tuned:
        return "tuned" if resolve_tuned(run) else "defaults, not tuned yet"
    return "the claim's" if run.options else "defaults"


def _total(record: Record, axis: Axis) -> float:
    used = record.used
    per_seed = {
        "rounds": used.steps,
        "examples": used.examples,
        "seconds": used.seconds / max(1, used.seeds_sharing),
    }
    return float(per_seed[axis])


def _share(record: Record, step: int, seconds: float, axis: Axis) -> float:
    """How much of its training a point of a run's curve comes after."""
    if axis == "seconds":
        return seconds / record.used.seconds if record.used.seconds else 1.0
    return step / record.used.steps if record.used.steps else 1.0


def _are_alike(cells: Sequence[ReadCells]) -> bool:
    """Whether the seconds of runs were measured under the same conditions."""
    timed = [r for read in cells for r in read.records if r.status == "ok"]
    return len(set(map(Conditions.of_training, timed))) <= 1


def _same_data(one: Run, two: Run) -> bool:
    return (one.dataset, one.dataset_options) == (two.dataset, two.dataset_options)
