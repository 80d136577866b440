"""The gate: has a state of the code become worse than an accepted baseline, beyond chance?"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from genbench.report.gate.baseline import (
    Baseline,
    Guarded,
    Scored,
    machine,
    scores_of,
)
from genbench.report.gate.comparable import (
    BAD,
    Verdict,
    absent,
    labels,
    lacking,
    lost_runs,
    matches,
    other_data,
)
from genbench.report.gate.regression_test import variance, worsening_p
from genbench.report.gate.tolerance import Tolerance
from genbench.statistics.intervals import ENOUGH, holm
from genbench.store import Record
from genbench.store.record import OF_TIME


@dataclass(frozen=True)
class Row:
    """What the gate says of one column of one cell, or (without a column) of the cell itself.

    Arguments:
        dataset: The data set.
        model: The model; with the options that tell it from a namesake in the baseline.
        column: The column's id, or None.
        protocol: The column's protocol.
        verdict: `ok`, or why not.
        why: The verdict in words.
        baseline: The baseline's mean over seeds.
        candidate: The candidate's mean.
        n: The numbers of seeds of both.
        worse: By how much the candidate's mean is worse (of times: the ratio, above 1 if worse).
        tolerance: How much is allowed, in the same terms.
        p: The one-sided p of the test, corrected by Holm over the whole gate; None without a test.
        timed: Whether `worse` and `tolerance` are ratios.
    """

    dataset: str
    model: str
    column: str | None
    protocol: str
    verdict: Verdict
    why: str = ""
    baseline: float | None = None
    candidate: float | None = None
    n: tuple[int, int] = (0, 0)
    worse: float | None = None
    tolerance: float | None = None
    p: float | None = None
    timed: bool = False

    @property
    def bad(self) -> bool:
        """Whether the row fails the gate."""
        return self.verdict in BAD


@dataclass(frozen=True)
class Outcome:
    """All rows of a check, in the baseline's order.

    Arguments:
        rows: One a column of a cell, and one for every cell that failed, is missing or differs.
        notes: Sentences about the whole.
        sees: The shift, in standard deviations over seeds, that a single row shows half the time.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    sees: float | None = None

    @property
    def tested(self) -> int:
        """How many rows were tested."""
        return sum(row.p is not None for row in self.rows)

    @property
    def ok(self) -> bool:
        """Whether nothing fails and something was tested."""
        return self.code == 0

    @property
    def code(self) -> int:
        """0 ok, 1 a regression, 3 failed or missing cells, 4 what cannot be compared."""
        verdicts = {row.verdict for row in self.rows}
        if "regression" in verdicts:
            return 1
        if verdicts & {"failed", "missing"}:
            return 3
        return 4 if "not comparable" in verdicts or not self.tested else 0


def check(
    baseline: Baseline,
    records: Iterable[Record],
    *,
    across_machines: bool = False,
    problems: Sequence[str] = (),
) -> Outcome:
    """Holds records against a baseline.

    A row is a regression if its mean is worse by more than the column's tolerance, and a one-sided
    test (`worsening_p`) says that this is no chance, at the baseline's level for the whole gate (Holm).

    Arguments:
        baseline: What was accepted.
        records: The candidate's; groups that the baseline does not know are counted and left.
        across_machines: Compare times also where they were measured on different machines.
        problems: Sentences about files of the candidate that are no records.
    """
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.group].append(record)
    names = labels(baseline)
    found: list[tuple[Row, float | None]] = []
    for cell in baseline.cells:
        blank = Row(cell.dataset, names[cell.group], None, "", "ok")
        found += _cell(baseline, cell, groups, blank, across_machines)
    adjusted = iter(holm([p for _, p in found if p is not None]))
    rows = [
        _judged(row, None if p is None else next(adjusted), baseline.level) for row, p in found
    ]
    return Outcome(
        tuple(rows), (*_notes(baseline, groups, rows), *problems), _sees(rows, baseline.level)
    )


def _cell(
    baseline: Baseline,
    cell: Guarded,
    groups: Mapping[str, list[Record]],
    blank: Row,
    across_machines: bool,
) -> list[tuple[Row, float | None]]:
    """A cell's rows, each with its uncorrected p."""
    members = sorted(groups.get(cell.group, []), key=lambda r: r.spec.seed)
    stop = other_data(cell, members) if members else absent(cell, groups, baseline)
    if stop is not None:
        return [(replace(blank, verdict=stop[0], why=stop[1]), None)]
    lost = [(replace(blank, verdict=v, why=w), None) for v, w in lost_runs(cell, members)]
    ok = [r for r in members if r.status == "ok"]
    return lost + (_scores(baseline, cell, ok, blank, across_machines) if ok else [])


def _scores(
    baseline: Baseline, cell: Guarded, ok: list[Record], blank: Row, across_machines: bool
) -> list[tuple[Row, float | None]]:
    known = scores_of(ok)
    machines = sorted({machine(r.environment) for r in ok})
    found = []
    for score in cell.scores:
        tolerance = baseline.tolerances[score.id]
        if tolerance is None:
            continue
        row = replace(
            blank,
            column=score.id,
            protocol=score.protocol,
            baseline=score.mean,
            n=(score.n, 0),
        )
        if score.unit in OF_TIME and not across_machines and machines != cell.machines:
            told = f"times of another machine: {'; '.join(cell.machines)} → {'; '.join(machines)}"
            found.append((replace(row, verdict="not compared", why=told), None))
            continue
        values = next((v for key, (_, v) in known.items() if matches(score, *key)), None)
        gaps = score.n < len(cell.seeds) - len(
            cell.failed
        )  # undefined for some seeds, as accepted
        if not values or (len(values) < min(score.n, len(ok)) and not gaps):
            verdict, why = lacking(score, ok, values or {})
            found.append((replace(row, verdict=verdict, why=why), None))
            continue
        found.append(_compared(row, score, values, tolerance))
    return found


def _compared(
    row: Row, score: Scored, values: dict[int, float], tolerance: Tolerance
) -> tuple[Row, float | None]:
    timed = tolerance.ratio is not None
    sign = 1.0 if score.better == "lower" else -1.0
    base = dict(score.values)
    mean = fmean(values.values())
    row = replace(row, candidate=mean, n=(score.n, len(values)))
    if timed:
        if min(*base.values(), *values.values()) <= 0:
            return replace(
                row, verdict="not comparable", why="a ratio needs positive values"
            ), None
        base, values = ({k: math.log(v) for k, v in held.items()} for held in (base, values))
    before, after = (fmean(held.values()) for held in (base, values))
    allowed = tolerance.allowed(before, math.sqrt(variance(list(base.values()))))
    worse = sign * (after - before)
    shown = (math.exp(worse), math.exp(allowed)) if timed else (worse, allowed)
    row = replace(row, worse=shown[0], tolerance=shown[1], timed=timed)
    p = worsening_p(base, values, sign, resolution=0.0 if timed else tolerance.absolute)
    if p is None:
        n = min(score.n, len(values))
        why = f"{n} {'seed' if n == 1 else 'seeds'} can never show a change; {ENOUGH} are needed"
        return replace(row, verdict="too few seeds", why=why), None
    return row, p


def _judged(row: Row, p: float | None, level: float) -> Row:
    if p is None:
        return row
    row = replace(row, p=p)
    worse, allowed = row.worse or 0.0, row.tolerance or 0.0
    if worse > allowed and p < level:
        how = "times" if row.timed else "in the mean"
        return replace(
            row, verdict="regression", why=f"worse by {worse:.3g} {how}, {allowed:.3g} is allowed"
        )
    return row


def _notes(
    baseline: Baseline, groups: Mapping[str, list[Record]], rows: list[Row]
) -> Iterator[str]:
    new = len(groups.keys() - {cell.group for cell in baseline.cells})
    if new:
        yield f"{new} groups of cells are not in the baseline and were not judged"
    few = sum(row.verdict == "too few seeds" for row in rows)
    if few:
        yield (
            f"{few} scores have too few seeds to ever reject: they pass whatever they are; "
            f"run {ENOUGH} seeds or more"
        )
    other = sum(row.verdict == "not compared" for row in rows)
    if other:
        yield (
            f"{other} times were measured on another machine than the baseline's and were not "
            "compared; --across-machines compares them"
        )
    known = sum(bool(cell.failed) for cell in baseline.cells)
    if known:
        yield f"{known} cells have failures in the baseline itself; as many are no alarm"
    if not any(row.p is not None for row in rows):
        yield "nothing could be tested"


def _sees(rows: list[Row], level: float) -> float | None:
    """The shift that a row of the fewest seeds shows half the time, were it the only one."""
    from scipy.special import stdtrit

    tested = [row.n for row in rows if row.p is not None]
    if not tested:
        return None
    b, c = min(tested, key=lambda n: (min(n), sum(n)))
    critical = stdtrit(b + c - 2, 1 - level / (3 * len(tested)))
    return float(critical * math.sqrt(1 / b + 1 / c))
