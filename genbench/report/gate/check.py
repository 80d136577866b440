"""The gate: has a state of the code become worse than an accepted baseline, beyond chance?"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from genbench.core.asked import as_path
from genbench.core.errors import StoreError
from genbench.core.files import RUNS
from genbench.core.tolerance import Tolerance
from genbench.report.gate.baseline import (
    Baseline,
    Guarded,
    Scored,
    load_baseline,
    scores_of,
)
from genbench.report.gate.comparable import (
    absent,
    allowed_gaps,
    labels,
    lacking,
    lost_runs,
    matches,
    other_data,
)
from genbench.report.gate.regression_test import deviation, mean_of, worsening_p
from genbench.report.gate.result import GateResult, GateRow
from genbench.statistics.intervals import ENOUGH, holm
from genbench.store import Record, Store
from genbench.store.absent import no_records, run_command
from genbench.store.machines import machines_for
from genbench.store.record import OF_TIME, list_machines


def check_results(
    results: Path | str = RUNS,
    baseline: Path | str = "baselines/ci.json",
    *,
    across_machines: bool = False,
) -> GateResult:
    """Compares a results folder with a baseline; nothing is trained or changed.

    Arguments:
        results: The folder.
        baseline: The file of accepted scores.
        across_machines: Compare times also where they were measured on different machines.

    Raises:
        StoreError: If there is no such folder, or the file is not a baseline.
    """
    folder = as_path(results)
    accepted = load_baseline(as_path(baseline, "baseline"), folder)
    if not folder.is_dir():
        raise no_records(folder, accepted.suite or "ci", instead="--candidate results")
    records, problems = Store(folder).load(curves=False)
    pairs = {(record.spec.dataset, record.spec.model) for record in records}
    if not problems and pairs.isdisjoint((cell.dataset, cell.model) for cell in accepted.cells):
        raise StoreError(
            f"{folder} holds no records of what {baseline} guards; make them with: "
            f"{run_command(folder, accepted.suite or 'ci')}"
        )
    result = check(accepted, records, across_machines=across_machines, problems=problems)
    return replace(result, unread=len(problems))


def check(
    baseline: Baseline,
    records: Iterable[Record],
    *,
    across_machines: bool = False,
    problems: Sequence[str] = (),
) -> GateResult:
    """Compares records with a baseline.

    A row is a regression if its mean is worse by more than the column's tolerance, and a one-sided
    test (`worsening_p`) says that this is not chance, at the baseline's level for the whole gate (Holm).

    Arguments:
        baseline: What was accepted.
        records: The candidate's; groups that the baseline does not know are counted, not judged.
        across_machines: Compare times also where they were measured on different machines.
        problems: Sentences about files of the candidate that are not records.
    """
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.group].append(record)
    names = labels(baseline)
    tests: list[tuple[GateRow, float | None]] = []
    for cell in baseline.cells:
        blank = GateRow(cell.dataset, names[cell.group], None, "", "ok")
        tests += _cell(baseline, cell, groups, blank, across_machines)
    adjusted = iter(holm([p for _, p in tests if p is not None]))
    rows = [
        _judged(row, None if p is None else next(adjusted), baseline.level) for row, p in tests
    ]
    rows = _mark_better(rows, baseline.level)
    remarks = (*_remarks(baseline, groups, rows), *problems)
    return GateResult(baseline, tuple(rows), remarks, _sees(rows, baseline.level))


def _cell(
    baseline: Baseline,
    cell: Guarded,
    groups: Mapping[str, list[Record]],
    blank: GateRow,
    across_machines: bool,
) -> list[tuple[GateRow, float | None]]:
    """A cell's rows, each with its uncorrected p."""
    members = sorted(groups.get(cell.group, []), key=lambda r: r.spec.seed)
    stop = other_data(cell, members) if members else absent(cell, groups, baseline)
    if stop is not None:
        return [(replace(blank, verdict=stop[0], why=stop[1]), None)]
    lost = [(replace(blank, verdict=v, why=w), None) for v, w in lost_runs(cell, members)]
    ok = [r for r in members if r.status == "ok"]
    return lost + (_scores(baseline, cell, ok, blank, across_machines) if ok else [])


def _scores(
    baseline: Baseline, cell: Guarded, ok: list[Record], blank: GateRow, across_machines: bool
) -> list[tuple[GateRow, float | None]]:
    measured = scores_of(ok)
    machines = list_machines(ok)
    tests = []
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
        there, here = (machines_for(score.unit, group) for group in (cell.machines, machines))
        if score.unit in OF_TIME and not across_machines and here != there:
            why = f"times of another machine: {'; '.join(there)} → {'; '.join(here)}"
            tests.append((replace(row, verdict="not compared", why=why), None))
            continue
        values = next((v for key, (_, v) in measured.items() if matches(score, *key)), None)
        if not values or len(ok) - len(values) > allowed_gaps(cell, score, len(ok)):
            verdict, why = lacking(score, ok, values or {})
            tests.append((replace(row, verdict=verdict, why=why), None))
            continue
        tests.append(_compared(row, score, values, tolerance))
    return tests


def _compared(
    row: GateRow, score: Scored, values: dict[int, float], tolerance: Tolerance
) -> tuple[GateRow, float | None]:
    timed = tolerance.ratio is not None
    sign = 1.0 if score.better == "lower" else -1.0
    base = dict(score.values)
    mean = mean_of([*values.values()])
    row = replace(row, candidate=mean, n=(score.n, len(values)))
    if timed:
        if min(*base.values(), *values.values()) <= 0:
            return replace(
                row, verdict="not comparable", why="a ratio needs positive values"
            ), None
        base, values = ({k: math.log(v) for k, v in side.items()} for side in (base, values))
    before, after = (mean_of([*side.values()]) for side in (base, values))
    allowed = tolerance.allowed(before, deviation(list(base.values())))
    worse = sign * (after - before) + 0.0  # not the negative zero
    amounts = (math.exp(worse), math.exp(allowed)) if timed else (worse, allowed)
    row = replace(row, worse=amounts[0], tolerance=amounts[1], timed=timed)
    resolution = 0.0 if timed else tolerance.absolute
    p = worsening_p(base, values, sign, resolution=resolution)
    if p is None:
        n = min(score.n, len(values))
        why = f"{n} {'seed' if n == 1 else 'seeds'} can never show a change; {ENOUGH} are needed"
        return replace(row, verdict="too few seeds", why=why), None
    return replace(row, p_better=worsening_p(base, values, -sign, resolution=resolution)), p


def _judged(row: GateRow, p: float | None, level: float) -> GateRow:
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


def _mark_better(rows: Sequence[GateRow], level: float) -> list[GateRow]:
    """Returns rows with those marked that are better by the standard by which others are worse."""
    adjusted = iter(holm([row.p_better for row in rows if row.p_better is not None]))
    marked = []
    for row in rows:
        if row.p_better is None:
            marked.append(row)
            continue
        p, worse, allowed = next(adjusted), row.worse or 0.0, row.tolerance or 0.0
        gain = (worse > 0 and 1 / worse > allowed) if row.timed else -worse > allowed
        better = row.verdict == "ok" and gain and p < level
        marked.append(replace(row, p_better=p, better=better))
    return marked


def _remarks(
    baseline: Baseline, groups: Mapping[str, list[Record]], rows: list[GateRow]
) -> Iterator[str]:
    new = len(groups.keys() - baseline.groups)
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
            f"{other} times were measured on another machine than the baseline's, or with another number "
            "of threads, and were not compared; --across-machines compares them"
        )
    broken = sum(bool(cell.failed) for cell in baseline.cells)
    if broken:
        yield f"{broken} cells have failures in the baseline itself; as many are no alarm"
    if not any(row.p is not None for row in rows):
        yield "nothing could be tested"


def _sees(rows: list[GateRow], level: float) -> float | None:
    """The shift that a row of the fewest seeds shows half the time, were it the only one."""
    from scipy.special import stdtrit

    tested = [row.n for row in rows if row.p is not None]
    if not tested:
        return None
    b, c = min(tested, key=lambda n: (min(n), sum(n)))
    critical = stdtrit(b + c - 2, 1 - level / (3 * len(tested)))
    return float(critical * math.sqrt(1 / b + 1 / c))
