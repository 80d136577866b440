"""The one picture of the overview: quality against cost of the entrants on every data set."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from genbench.report.costs import Cost
from genbench.report.floors import is_bound
from genbench.report.groups import TRAINING
from genbench.report.site.frontier import find_cost, find_front
from genbench.report.site.templating import shorten
from genbench.report.standings import UNEQUAL, Entrant, Standings
from genbench.report.tables import Table
from genbench.report.text import number
from genbench.report.winners import NOT_MEASURED

#: pixels of a panel, and of what its axes and names leave free
WIDTH, HEIGHT = 232, 150
LEFT, RIGHT, TOP, BOTTOM = 8, 8, 22, 30
#: pixels of a letter of a label, about, and of a line
LETTER, LINE = 5.6, 11
#: letters of a label
MOST = 30
#: values further apart than this stand on a logarithmic axis
WIDE = 8.0
#: an axis of costs is no shorter than their middle times this, one of scores than this times the median
#: interval, so that noise does not fill it
LEAST_COSTS, LEAST_SCORES = 0.4, 1.5
NOBODY = "none is better than every other"
#: what real points score is drawn where it is not further off than this from all entrants
FAR = 4.0


@dataclass(frozen=True)
class Axis:
    """Maps values to pixels.

    Arguments:
        low: The value at the first pixel.
        high: The value at the last.
        start: The first pixel.
        end: The last.
        log: Whether steps are ratios.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool

    def at(self, value: float) -> float:
        """Returns the pixel of a value; values beyond the ends stand at them."""
        value = min(max(value, self.low), self.high)
        low, high, x = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        share = (x - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def make_axis(
    values: Sequence[float], start: float, end: float, *, least_span: float = 0.0
) -> Axis:
    """Returns an axis that holds values with a margin, logarithmic where they differ by much.

    Arguments:
        values: What it holds.
        start: The first pixel.
        end: The last.
        least_span: What a linear axis holds at least, from one end to the other.
    """
    least, most = min(values), max(values)
    log = least > 0 and most / least > WIDE
    if log:
        return Axis(least / 1.2, most * 1.2, start, end, True)
    margin = 0.06 * (most - least) or abs(most) * 0.1 or 1.0
    margin = max(margin, (least_span - (most - least)) / 2)
    return Axis(least - margin, most + margin, start, end, False)


def make_panel(table: Table) -> dict[str, Any] | None:
    """Returns the picture of a data set, or None without standings.

    {"name", "cost", "quality", "ends", "points", "others", "front", "labels", "remark", "floor", "words"};
    points are entrants with family, name, x, y, the ends of their interval, in pixels, and whether they pass,
    None where that was not measured; further up is better, further left is cheaper. Labels name the entrants
    of `find_front`.
    """
    standings = table.standings
    if standings is None:
        return None
    cost, price = find_cost(table)
    prices = {g.id: price(g) for g in table.groups}
    rows = [(e, prices[e.group.id]) for e in standings.entrants]
    pairs = [(e, x) for e, own in rows if (x := own.mean) and x > 0]
    if not pairs:
        return None
    floor = standings.floor if is_bound(table, standings.column) else None
    up = _quality_axis(standings, [e for e, _ in pairs], floor)
    across = _cost_axis([x for _, x in pairs])
    points = [_point(e, across.at(x), up) for e, x in pairs]
    drawn = {p["id"] for p in points}
    front = [e for e in find_front(rows, standings.ranking) if e.group.id in drawn]
    ids = {e.group.id for e in front}
    return {
        "name": table.name,
        "short": table.name,
        "cost": cost,
        "quality": standings.column.heading,
        "ends": [[number(v) for v in (axis.low, axis.high)] for axis in (across, up)],
        "points": points,
        "others": _place_others(
            table, standings, {g: x.mean for g, x in prices.items()}, across, up
        ),
        "front": " ".join(f"{p['x']},{p['y']}" for p in points_of(points, front)),
        "labels": place_labels([p for p in points if p["id"] in ids], points),
        "remark": _remark(standings, front),
        "floor": up.at(floor) if floor is not None and up.low <= floor <= up.high else None,
        "words": _words(
            table, cost, standings, [(e, prices[e.group.id]) for e, _ in pairs], front
        ),
    }


def _remark(standings: Standings, front: Sequence[Entrant]) -> str:
    """Why nobody is named, or what casts doubt on who is."""
    if front:
        return UNEQUAL if standings.untuned else ""
    if any(e.passes for e in standings.entrants):
        return NOBODY
    unchecked = dict.fromkeys(id for e in standings.entrants if not e.failed for id in e.unchecked)
    return f"{', '.join(unchecked)}{NOT_MEASURED}" if unchecked else ""


def _place_others(
    table: Table, standings: Standings, costs: Mapping[str, float | None], across: Axis, up: Axis
) -> list[dict[str, Any]]:
    """The rows that are no entrants and lie within both axes."""
    entered = {e.group.id for e in standings.entrants if costs[e.group.id]}
    return [
        {"family": g.family, "reference": g.reference, "x": across.at(x), "y": up.at(mean)}
        for g in table.groups
        if g.id not in entered and (x := costs[g.id]) and across.low <= x <= across.high
        if (mean := table.cell(g, standings.column).estimate.mean) is not None
        if up.low <= mean <= up.high
    ]


def name_briefly(tables: Sequence[Table]) -> dict[str, str]:
    """Returns data sets' names without their options, where that leaves them apart, by the whole name."""
    count = Counter(table.dataset for table in tables)
    return {t.name: t.dataset if count[t.dataset] == 1 else t.name for t in tables}


def points_of(points: Sequence[dict[str, Any]], front: Sequence[Entrant]) -> list[dict[str, Any]]:
    """Returns the points of a front with the corners between them, so that it is drawn in steps."""
    by_id = {p["id"]: p for p in points}
    steps: list[dict[str, Any]] = []
    for entrant in front:
        point = by_id[entrant.group.id]
        if steps:
            steps.append({"x": point["x"], "y": steps[-1]["y"]})
        steps.append(point)
    return steps


def place_labels(
    points: Sequence[dict[str, Any]], marks: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Returns where the names of points stand: beside, above or below them, where they cover the least.

    Arguments:
        points: Those that are named.
        marks: All that are drawn, which names should leave free.
    """
    labels: list[dict[str, Any]] = []
    for point in sorted(points, key=lambda p: p["y"]):
        text = shorten(point["name"], MOST)
        wide = LETTER * len(text)
        right, left = point["x"] + 8, point["x"] - 8 - wide
        places = [
            (x, y)
            for y in (point["y"] + 4, point["y"] + 4 + LINE, point["y"] + 4 - LINE)
            for x in (right, left)
            if x >= 2 and x + wide <= WIDTH and TOP + 8 <= y <= HEIGHT - BOTTOM
        ] or [
            (max(2.0, min(point["x"] - wide / 2, WIDTH - wide)), y)
            for y in (point["y"] + 4 + LINE, point["y"] - 8)
            if TOP + 8 <= y <= HEIGHT - BOTTOM
        ]
        others = [mark for mark in marks if mark is not point]
        x, y = min(places, key=lambda place: _count_covered(*place, wide, labels, others))
        labels.append({"text": text, "x": round(x, 1), "y": round(y, 1), "wide": wide})
    return labels


def _count_covered(
    x: float,
    y: float,
    wide: float,
    labels: Sequence[dict[str, Any]],
    marks: Sequence[dict[str, Any]],
) -> int:
    """How many names, each as bad as three marks, and marks a name would cover."""
    names = sum(
        abs(other["y"] - y) < LINE and x < other["x"] + other["wide"] and other["x"] < x + wide
        for other in labels
    )
    return 3 * names + sum(
        x - 4 < mark["x"] < x + wide + 4 and y - LINE < mark["y"] < y + 4 for mark in marks
    )


def _cost_axis(costs: Sequence[float]) -> Axis:
    middle = (min(costs) + max(costs)) / 2
    return make_axis(costs, LEFT + 6, WIDTH - RIGHT - 6, least_span=LEAST_COSTS * middle)


def _quality_axis(standings: Standings, entrants: Sequence[Entrant], floor: float | None) -> Axis:
    """The axis on which further up is better, over those that pass: what fails may stand at its ends."""
    passing = [e for e in entrants if not e.failed]
    shown = passing if len(passing) > 1 else entrants
    values = [e.mean for e in shown]
    if floor is not None and min(values) / FAR <= floor <= max(values) * FAR:
        values.append(floor)
    noise = median(2 * (e.cell.estimate.half or 0.0) for e in shown)
    ends = (TOP, HEIGHT - BOTTOM) if standings.column.better == "lower" else (HEIGHT - BOTTOM, TOP)
    return make_axis(values, *ends, least_span=LEAST_SCORES * noise)


def _point(entrant: Entrant, x: float, up: Axis) -> dict[str, Any]:
    e = entrant.cell.estimate
    ends = None if e.low is None or e.high is None else sorted((up.at(e.low), up.at(e.high)))
    return {
        "id": entrant.group.id,
        "family": entrant.family,
        "name": entrant.name,
        "x": x,
        "y": up.at(entrant.mean),
        "ends": ends,
        "passes": entrant.passes,
        "text": entrant.cell.text,
    }


def _words(
    table: Table,
    cost: str,
    standings: Standings,
    pairs: Sequence[tuple[Entrant, Cost]],
    front: Sequence[Entrant],
) -> str:
    """The picture in words."""
    rows = "; ".join(f"{e.name} {e.cell.text} at {x.text}{_describe_check(e)}" for e, x in pairs)
    best = ", ".join(e.name for e in front) or "none"
    stacks = f" (in stacks of {table.conditions.sharing})" if cost == TRAINING else ""
    return (
        f"{table.name}: {standings.column.heading} against {cost}{stacks}. {rows}. Passes, and is better "
        "than every other that does not fail, significantly in quality or by more than a tenth in cost: "
        f"{best}."
    )


def _describe_check(entrant: Entrant) -> str:
    if entrant.failed:
        return " (does not pass)"
    return f" ({', '.join(entrant.unchecked)}{NOT_MEASURED})" if entrant.unchecked else ""
