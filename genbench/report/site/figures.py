"""What plots show: learning curves, and quality against cost."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from genbench.report.columns import Cell, TableColumn
from genbench.report.groups import TRAINING, Group
from genbench.report.tables import Table
from genbench.report.winners import quality_column
from genbench.store import CurvePoint

#: points per curve; more cannot be distinguished on a page
THIN = 60
#: points of all rows' curves of one quantity, and the fewest of one, so that pages of many rows stay small
CURVES, FEWEST = 1500, 12


def make_learning_curves(table: Table) -> list[dict[str, Any]]:
    """Returns one entry per quantity (curve metrics, then losses): median and quartiles over seeds.

    Each is {"name", "traces": [{"label", "step", "seconds", "mid", "low", "high"}]}; runs that did not
    complete are left out.
    """
    quantities: dict[tuple[bool, str], list[dict[str, Any]]] = defaultdict(list)
    most = max(FEWEST, min(THIN, CURVES // max(1, len(table.groups))))
    for group in table.groups:
        points = [point for record in group.ok for point in record.curve]
        for kind, read in (("metrics", _metrics), ("losses", _losses)):
            for name in sorted({key for point in points for key in read(point)}):
                trace = _trace(points, read, name, most)
                if trace is not None:
                    quantities[kind == "losses", name].append({"label": group.label, **trace})
    return [
        {"name": f"loss of the {name}" if loss else name, "traces": traces}
        for (loss, name), traces in sorted(quantities.items(), key=lambda item: item[0])
    ]


def compare_quality_and_cost(table: Table) -> dict[str, Any] | None:
    """Returns points of quality against cost, or None where one of them is missing.

    {"quality", "about", "better", "costs": [{"name", "about", "points", "front"}]}; a point has
    label, reference, x and y with intervals. The front holds the labels that no other model betters
    in both; reference rows are shown but do not compete.
    """
    column = quality_column(table)
    if column is None:
        return None
    costs = []
    by_id = {c.id: c for c in reversed(table.columns) if c.is_cost}
    for cost in sorted(by_id.values(), key=lambda c: c.order):
        costs.append((cost.meaning.cost, cost.about, _column_cost(table, cost)))
    costs.append((TRAINING, "a seed's share of the stack that it trained in", _training_seconds))
    costs.append(("parameters", "trained numbers of one seed", _parameters))
    entries = []
    for name, about, cost in costs:
        points = _points(table, column, cost)
        if len(points) > 1:
            front = _front(points, column.better)
            entries.append({"name": name, "about": about, "points": points, "front": front})
    if not entries:
        return None
    return {
        "quality": column.id,
        "about": column.about,
        "better": column.better,
        "costs": entries,
    }


def _metrics(point: CurvePoint) -> dict[str, float | None]:
    return point.metrics


def _losses(point: CurvePoint) -> dict[str, float | None]:
    return point.losses


def _trace(
    points: Sequence[CurvePoint],
    read: Callable[[CurvePoint], dict[str, float | None]],
    name: str,
    most: int,
) -> dict[str, Any] | None:
    by_step: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for point in points:
        value = read(point).get(name)
        if value is not None and math.isfinite(value) and math.isfinite(point.seconds):
            by_step[point.step].append((point.seconds, value))
    if not by_step:
        return None
    steps = sorted(by_step)
    if len(steps) > most:
        steps = [steps[round(i * (len(steps) - 1) / (most - 1))] for i in range(most)]
    trace: dict[str, list[float]] = {"step": [], "seconds": [], "mid": [], "low": [], "high": []}
    for step in steps:
        seconds, values = zip(*by_step[step], strict=True)
        low, mid, high = (_quantile(values, share) for share in (0.25, 0.5, 0.75))
        now = (step, _quantile(seconds, 0.5), mid, low, high)
        for key, value in zip(trace, now, strict=True):
            trace[key].append(float(f"{value:.4g}") if key != "step" else step)
    return trace


def _quantile(values: Sequence[float], share: float) -> float:
    """The quantile by linear interpolation; numpy's is slow for a few values, many times over."""
    ordered = sorted(values)
    i, rest = divmod(share * (len(ordered) - 1), 1)
    low, high = ordered[int(i)], ordered[min(int(i) + 1, len(ordered) - 1)]
    return low + rest * (high - low)


def _column_cost(table: Table, column: TableColumn) -> Callable[[Group], Cell]:
    return lambda group: table.cell(group, column)


def _training_seconds(group: Group) -> Cell:
    if not any(r.used.seconds > 0 for r in group.ok):
        return Cell({})
    return Cell({r.spec.seed: r.used.seconds / max(1, r.used.seeds_sharing) for r in group.ok})


def _parameters(group: Group) -> Cell:
    return Cell({r.spec.seed: float(r.parameters) for r in group.ok if r.parameters})


def _points(
    table: Table, quality: TableColumn, cost: Callable[[Group], Cell]
) -> list[dict[str, Any]]:
    points = []
    for group in table.groups:
        x, y = cost(group), table.cell(group, quality)
        if x.values and y.values and fmean(x.values.values()) > 0:
            about = {"label": group.label, "reference": group.reference}
            points.append({**about, "x": _ends(x), "y": _ends(y)})
    return points


def _ends(cell: Cell) -> list[float | None]:
    e = cell.estimate
    return [None if v is None else float(f"{v:.5g}") for v in (e.mean, e.low, e.high)]


def _front(points: Sequence[dict[str, Any]], better: str) -> list[str]:
    sign = 1.0 if better == "lower" else -1.0
    rows = [(p["x"][0], sign * p["y"][0], p["label"]) for p in points if not p["reference"]]
    return [
        label
        for x, y, label in sorted(rows)
        if not any(a <= x and b <= y and (a, b) != (x, y) for a, b, _ in rows)
    ]
