"""Searches of tuning as a table and as rows for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.text import number
from genbench.report.tuning import Line, Search

#: trials at which tables have a column; curves have every number
COLUMNS = (1, 2, 4, 8, 16)


def make_sheet(search: Search) -> Sheet:
    """Returns the table of a search: families, then models."""
    after = "best of" if search.drawn else "best so far of"
    heads = [Heading("family or model"), Heading("default", align="right")]
    heads += [Heading(f"{after} {k}", align="right") for k in COLUMNS]
    heads += [Heading(name, align="right") for name in ("trials", "lost", "core-minutes")]
    rows = [
        *_rows(search, search.families, lambda line: line.shown),
        *_rows(
            search,
            sorted(search.models, key=lambda line: (line.family, line.name)),
            lambda line: f"  {line.shown}",
        ),
    ]
    floor = [] if search.floor is None else [f"Training points score {number(search.floor)}."]
    return Sheet(heads, rows, title=search.heading, notes=[search.note, *floor])


def to_rows(searches: Iterable[Search]) -> list[dict[str, Any]]:
    """Returns the documented JSON objects of curves."""
    return [
        {
            "dataset": search.dataset,
            "criterion": search.criterion,
            "column": search.column,
            "budget": search.budget,
            "sampler": search.sampler,
            "rule": search.about,
            "kind": kind,
            "name": line.name,
            "family": line.family,
            "default": line.default,
            "trials": len(line.values),
            "lost": line.lost,
            "finished": line.finished,
            "seconds": round(line.seconds, 1),
            "expected_best": [[one.k, one.value, one.low, one.high] for one in line.curve],
        }
        for search in searches
        for kind, lines in (("family", search.families), ("model", search.models))
        for line in lines
    ]


def _rows(search: Search, lines: Sequence[Line], name: Any) -> Iterator[list[Entry]]:
    best, better, drawn = {}, search.better, search.drawn
    for k in COLUMNS:
        whole = (line for line in lines if line.finished)
        values = [line.curve[k - 1].value for line in whole if k <= len(line.curve)]
        if values:
            best[k] = min(values) if better == "lower" else max(values)
    for line in lines:
        cells = [_cell(line, k, best.get(k) if line.finished else None, drawn) for k in COLUMNS]
        tail = (str(len(line.values)), str(line.lost), number(line.seconds / 60))
        default = Entry(number(line.default), value=line.default)
        yield [Entry(name(line), value=line.name), default, *cells, *map(Entry, tail)]


def _cell(line: Line, k: int, best: float | None, drawn: bool) -> Entry:
    if k > len(line.curve):
        return Entry("–")
    one = line.curve[k - 1]
    after = f" [{number(one.low)}, {number(one.high)}]" if drawn else ""
    return Entry(number(one.value), "best" if one.value == best else "", after, one.value)
