"""What the rows of a table cost, of the seeds that have the deciding score, and which costs compare."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from genbench.report.columns import TableColumn
from genbench.report.text import number
from genbench.store import Record

#: what of an environment tells one kind of machine from another
MACHINE = ("device", "gpu", "cpu")


@dataclass(frozen=True, order=True)
class Conditions:
    """What two times must share to be compared.

    Arguments:
        sharing: How many seeds shared the stack that was timed.
        machine: The kind of machine.
    """

    sharing: int = 1
    machine: str = ""

    @classmethod
    def of_machine(cls, environment: Mapping[str, Any]) -> Conditions:
        """Returns those of an environment, for what is measured of one seed alone."""
        facts = (environment.get(key) for key in MACHINE)
        return cls(machine=", ".join(str(fact) for fact in facts if fact))

    @classmethod
    def of_time(cls, record: Record, column: TableColumn) -> Conditions:
        """Returns those under which a record's time in a column was measured, such as that of a sample."""
        m = next((m for m in record.metrics if TableColumn.of(m) == column), None)
        return cls.of_machine(record.environment if m is None else record.find_conditions(m))

    @classmethod
    def of_training(cls, record: Record) -> Conditions:
        """Returns those under which a record's training was timed."""
        return replace(
            cls.of_machine(record.environment), sharing=max(1, record.used.seeds_sharing)
        )

    def describe(self, usual: Conditions) -> str:
        """Returns how they differ from the usual ones, e.g. "stack of 32", or nothing."""
        stack = "" if self.sharing == usual.sharing else f"stack of {self.sharing}"
        return ", ".join(
            filter(None, (stack, "other machine" if self.machine != usual.machine else ""))
        )


#: reads the conditions of one kind of time
Reader = Callable[[Record], Conditions]


@dataclass(frozen=True)
class Cost:
    """What a row costs.

    Arguments:
        mean: The mean, or None where it was not measured.
        low: The lower end of what is known of it, or None, as of one timing.
        high: The upper end.
        conditions: Under which it was timed; costs of other conditions do not compare with it.
        remark: How these differ from those of most rows, or nothing.
    """

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    conditions: Conditions | None = None
    remark: str = ""

    @property
    def text(self) -> str:
        """The number, with how its conditions differ from those of most rows."""
        return number(self.mean) + (f" ({self.remark})" if self.mean and self.remark else "")


def find_usual(
    rows: Iterable[Sequence[Record]], read: Reader = Conditions.of_training
) -> Conditions:
    """Returns the conditions under which most rows were timed, of several those of the most seeds."""
    rows_of: Counter[Conditions] = Counter()
    seeds_of: Counter[Conditions] = Counter()
    for records in rows:
        every = [read(record) for record in records]
        rows_of.update(set(every))
        seeds_of.update(every)
    return max(rows_of, key=lambda c: (rows_of[c], seeds_of[c], c), default=Conditions())


def choose_records(
    records: Sequence[Record], usual: Conditions, read: Reader = Conditions.of_training
) -> list[Record]:
    """Returns a row's records under the usual conditions; where there are none, under most of its own."""
    by_conditions: dict[Conditions, list[Record]] = defaultdict(list)
    for record in records:
        by_conditions[read(record)].append(record)
    if not by_conditions:
        return []
    own = max(by_conditions, key=lambda c: (len(by_conditions[c]), c))
    return by_conditions.get(usual) or by_conditions[own]


def time_training(records: Sequence[Record], usual: Conditions) -> Cost:
    """Returns the seconds that a seed trained: its share of its stack's, and the least and most of several.

    Seeds of one stack share one timing, which has no interval.

    Arguments:
        records: The completed runs of a row that have the score beside it.
        usual: The conditions under which most rows were timed, which are read where the row has any.
    """
    chosen = choose_records(records, usual)
    if not chosen:
        return Cost()
    seconds = [r.used.seconds / max(1, r.used.seeds_sharing) for r in chosen]
    own = Conditions.of_training(chosen[0])
    ends = (min(seconds), max(seconds)) if len(set(seconds)) > 1 else (None, None)
    return Cost(fmean(seconds), *ends, own, own.describe(usual))
