"""The page of tuning: the expected best after so many trials, by family and by model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from genbench.report import tuned_scores
from genbench.report.sheet import to_html
from genbench.report.site import templating
from genbench.report.text import number
from genbench.report.tuning import NOTE, Line, Search, make_sheet

if TYPE_CHECKING:
    from genbench.report.site.site import Site

PAGE = "tuning.html"


def make_files(site: Site) -> dict[str, bytes]:
    """Returns the page by its name; nothing where nothing was tuned."""
    if not site.searches:
        return {}
    views = [_view(i, search) for i, search in enumerate(site.searches)]
    plots = {plot["id"]: {"figure": plot["figure"]} for view in views for plot in view["plots"]}
    page = templating.render(
        PAGE,
        **site.header(PAGE, "Tuning"),
        views=views,
        gains=Markup(to_html(tuned_scores.make_sheet(site.tuned_scores))),
        note=NOTE,
        data=templating.embed({"plots": plots, "labels": []}),
    )
    return {PAGE: page}


def make_figure(search: Search, lines: Sequence[Line]) -> dict[str, Any]:
    """Returns what the page's script draws: a curve with its interval per line."""
    series = [
        {
            "name": line.name,
            "law": False,
            "x": [one.k for one in line.curve],
            "mid": [_short(one.value) for one in line.curve],
            "low": [_short(one.low) for one in line.curve],
            "high": [_short(one.high) for one in line.curve],
            "dots": [],
        }
        for line in lines
        if line.curve
    ]
    levels = [] if search.floor is None else [("training points", search.floor)]
    about = {"kind": "lines", "x": "trials", "y": f"expected best {search.column}"}
    positive = all(v > 0 for one in series for v in one["low"]) and all(v > 0 for _, v in levels)
    return {**about, "log": "xy" if positive else "x", "levels": levels, "series": series}


def _view(index: int, search: Search) -> dict[str, Any]:
    plots = []
    for kind, lines in (("families", search.families), ("models", search.models)):
        figure = make_figure(search, lines)
        if figure["series"]:
            words = "; ".join(
                f"{line.name} {number(line.curve[0].value)} after 1, "
                f"{number(line.curve[-1].value)} after {len(line.curve)}"
                for line in lines
                if line.curve
            )
            about = {"id": f"tuning-{index}-{kind}", "kind": kind, "figure": figure}
            plots.append({**about, "words": f"{figure['y']}. {words}"})
    sheet = make_sheet(search)
    table = to_html(replace(sheet, notes=sheet.notes[1:]))  # the first stands above them all
    return {"search": search, "plots": plots, "table": Markup(table)}


def _short(value: float) -> float:
    return float(f"{value:.5g}")
