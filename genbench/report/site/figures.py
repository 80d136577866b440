"""What plots show: learning curves, and quality against cost."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genbench.report.columns import TableColumn
from genbench.report.costs import Cost
from genbench.report.groups import TRAINING, Group
from genbench.report.site.frontier import Price, make_price
from genbench.report.tables import Table
from genbench.report.winners import quality_column
from genbench.statistics.intervals import Estimate
from genbench.store import CurvePoint

#: points per curve; more cannot be distinguished on a page
THIN = 60
#: points of all rows' curves of one quantity, and the fewest of one, so that pages of many rows stay small
CURVES, FEWEST = 1500, 12
ABOUT_TRAINING = (
    "a seed's share of its stack, of seeds with the score; the least and most of several timings"
)


def make_learning_curves(table: Table) -> list[dict[str, Any]]:
    """Returns one entry per quantity (curve metrics, then losses): median and quartiles over seeds.

    Each is {"name", "traces": [{"label", "step", "seconds", "mid", "low", "high"}]}; seconds are a seed's
    share of its stack's; runs that did not complete are left out.
    """
    quantities: dict[tuple[bool, str], list[dict[str, Any]]] = defaultdict(list)
    most = max(FEWEST, min(THIN, CURVES // max(1, len(table.groups))))
    for group in table.groups:
        points = [
            (point.seconds / max(1, record.used.seeds_sharing), point)
            for record in group.ok
            for point in record.curve
        ]
        for kind, read in (("metrics", _metrics), ("losses", _losses)):
            for name in sorted({key for _, point in points for key in read(point)}):
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
    in both, as far as their costs compare; reference rows are shown but do not compete.
    """
    column = quality_column(table)
    if column is None:
        return None
    costs: list[tuple[str, str, Price]] = []
    by_id = {c.id: c for c in reversed(table.columns) if c.is_cost}
    for cost in sorted(by_id.values(), key=lambda c: c.order):
        costs.append((cost.meaning.cost, cost.about, make_price(table, cost)))
    costs.append((TRAINING, ABOUT_TRAINING, table.training))
    costs.append(("parameters", "trained numbers of one seed", _count_parameters))
    entries = []
    for name, about, price in costs:
        prices = {g.label: cost for g in table.groups if (cost := price(g)).mean}
        points = _points(table, column, prices)
        if len(points) > 1:
            front = _front(points, column.better, prices)
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
    points: Sequence[tuple[float, CurvePoint]],
    read: Callable[[CurvePoint], dict[str, float | None]],
    name: str,
    most: int,
) -> dict[str, Any] | None:
    by_step: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for seconds, point in points:
        value = read(point).get(name)
        if value is not None and math.isfinite(value) and math.isfinite(seconds):
            by_step[point.step].append((seconds, value))
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


def _count_parameters(group: Group) -> Cost:
    return Cost(float(group.parameters) if group.parameters else None)


def _points(
    table: Table, quality: TableColumn, prices: Mapping[str, Cost]
) -> list[dict[str, Any]]:
    points = []
    for group in table.groups:
        y = table.cell(group, quality)
        if group.label in prices and y.values:
            about = {"label": group.label, "reference": group.reference}
            points.append({**about, "x": _ends(prices[group.label]), "y": _ends(y.estimate)})
    return points


def _ends(known: Cost | Estimate) -> list[float | None]:
    ends = (known.mean, known.low, known.high)
    return [None if v is None else float(f"{v:.5g}") for v in ends]


def _front(points: Sequence[dict[str, Any]], better: str, prices: Mapping[str, Cost]) -> list[str]:
    sign = 1.0 if better == "lower" else -1.0
    rows = [
        (p["x"][0], sign * p["y"][0], p["label"], prices[p["label"]].conditions)
        for p in points
        if not p["reference"]
    ]
    return [
        label
        for x, y, label, own in sorted(rows, key=lambda row: row[:3])
        if not any(
            a <= x and b <= y and (a, b) != (x, y) and other == own for a, b, _, other in rows
        )
    ]
