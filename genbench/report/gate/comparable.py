"""Which records stand against which cells of a baseline, and why some cannot."""

from __future__ import annotations

import math
from collections.abc import Mapping

from genbench.report.columns import TableColumn
from genbench.report.gate.baseline import Baseline, Guarded, Scored, describe
from genbench.report.gate.result import GateVerdict
from genbench.store import Record


def labels(baseline: Baseline) -> dict[str, str]:
    """Returns every group's model, with what sets it apart from its namesakes on the data set."""
    names = {}
    for cell in baseline.cells:
        own = describe(cell.spec)
        others = [
            describe(o.spec)
            for o in baseline.cells
            if (o.dataset, o.model) == (cell.dataset, cell.model)
        ]
        own_parts = [f"{k}={v}" for k, v in own.items() if any(o.get(k) != v for o in others)]
        names[cell.group] = f"{cell.model} ({', '.join(own_parts)})" if own_parts else cell.model
    return names


def absent(
    cell: Guarded, groups: Mapping[str, list[Record]], baseline: Baseline
) -> tuple[GateVerdict, str]:
    """Returns why a cell has no records: none were made, or they differ in what decides the weights."""
    others = [
        members[0].spec
        for group, members in groups.items()
        if group not in baseline.groups
        and (members[0].spec.dataset, members[0].spec.model) == (cell.dataset, cell.model)
    ]
    was, least = describe(cell.spec), None
    for spec in others:
        now = describe(spec.shared)
        changed = [
            f"{key} {was.get(key, 'absent')} → {now.get(key, 'absent')}"
            for key in sorted(was.keys() | now.keys())
            if was.get(key) != now.get(key)
        ]
        least = min(changed, least, key=len) if least else changed
    if least:
        return "not comparable", "; ".join(least)
    return "missing", "no record of this cell"


def other_data(cell: Guarded, members: list[Record]) -> tuple[GateVerdict, str] | None:
    """Returns what makes all of a cell's scores incomparable: other data than the baseline's."""
    for record in members:
        for split, digest in record.data_hashes.items():
            if record.status == "ok" and cell.data.get(split, digest) != digest:
                return "not comparable", f"{split} data {cell.data[split]} → {digest}"
    return None


def lost_runs(cell: Guarded, members: list[Record]) -> list[tuple[GateVerdict, str]]:
    """Returns what is wrong with a cell's runs: more failures or fewer seeds than the baseline's."""
    problems: list[tuple[GateVerdict, str]] = []
    bad = [r for r in members if r.status != "ok"]
    if len(bad) > _in_proportion(len(cell.failed), len(cell.seeds), len(members)):
        r = next((r for r in bad if r.spec.seed not in cell.failed), bad[0])
        accepted = f" ({len(cell.failed)} in the baseline)" if cell.failed else ""
        where = f" in {r.phase}" if r.phase else ""
        why = (
            f"{len(bad)} of {len(members)} seeds failed{accepted}; seed {r.spec.seed} {r.status}{where}: "
            f"{r.reason or 'no reason recorded'}"
        )
        problems.append(("failed", why))
    if len(members) < len(cell.seeds):
        problems.append(("missing", f"{len(members)} seeds, the baseline has {len(cell.seeds)}"))
    return problems


def allowed_gaps(cell: Guarded, score: Scored, completed: int) -> int:
    """Returns how many completed runs may have no value: as many as in the baseline, in other seeds too."""
    ran = len(cell.seeds) - len(cell.failed)
    return _in_proportion(max(ran - score.n, 0), ran, completed)


def _in_proportion(some: int, of: int, now: int) -> int:
    """As many as some of so many are of a larger number now, rounded up; no fewer of a smaller."""
    return max(some, -(-some * now // of)) if of else some


def matches(score: Scored, column: TableColumn, n_real: int | None, n_fake: int | None) -> bool:
    """Returns whether a column and its sample counts are those of a baseline's score."""
    own = (score.id, score.protocol, score.split, score.kind, score.version)
    other = (column.id, column.protocol, column.split, column.kind, column.version)
    sense = (score.better, score.unit) == (column.better, column.unit)
    return sense and own == other and (score.n_real, score.n_fake) == (n_real, n_fake)


def lacking(
    score: Scored, ok: list[Record], values: Mapping[int, float]
) -> tuple[GateVerdict, str]:
    """Returns why a score of the baseline has no counterpart in every completed run."""
    near = [m for r in ok for m in r.metrics if (m.id, m.split) == (score.id, score.split)]
    if not near:
        return "missing", f"{score.id} was not measured"
    full = [m for m in near if m.value is not None and math.isfinite(m.value)]
    if values or not full:
        reason = next((m.reason for m in near if m.reason), "no reason recorded")
        return "missing", f"{len(values)} of {len(ok)} seeds have a value: {reason}"
    changed = [
        f"{part} {getattr(score, part)} → {getattr(full[0], part)}"
        for part in ("protocol", "kind", "version", "n_real", "n_fake", "better", "unit")
        if getattr(score, part) != getattr(full[0], part)
    ]
    return "not comparable", "; ".join(changed)
