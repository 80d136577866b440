"""The page of the claims: an overview that can be cited, and a card a claim."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from genbench.core.figure import Figure, Place, Series
from genbench.report import claim_tables
from genbench.report.cards import Card
from genbench.report.site import templating
from genbench.report.text import number, plus_minus
from genbench.statistics.verdicts import Part
from genbench.store.trial import Trials

if TYPE_CHECKING:
    from genbench.report.site.site import Book

PAGE = "claims.html"
FILES = ("claims.md", "claims.csv", "claims.json", "claims.tex")
#: pixels of an interval's picture, and what is left free at its ends
WIDTH, EDGE = 180, 8
BUDGETS = {
    "quick": "an eighth of the rounds or a small experiment, six seeds",
    "half": "half the rounds",
    "default": "what the claim asks for",
    "double": "twice the rounds",
}


def files(made: Book) -> dict[str, bytes]:
    """Returns the page and its tables by their names; nothing where no claim has measurements."""
    if not made.claims:
        return {}
    tables = claim_tables
    given = (
        f"# Claims\n\n{tables.markdown(made.claims)}",
        *(law(made.claims) for law in (tables.csv, tables.as_json, tables.latex)),
    )
    return {
        **dict(zip(FILES, (text.encode() for text in given), strict=True)),
        PAGE: page(made),
        "claims.css": templating.asset("claims.css").encode(),
    }


def page(made: Book) -> bytes:
    """Returns claims.html."""
    views = [_view(card) for card in made.claims]
    plots = {view["anchor"]: {"figure": view["plot"]} for view in views if view["plot"]}
    return templating.render(
        PAGE,
        **made.frame(PAGE, "Claims"),
        views=views,
        rule=claim_tables.RULE,
        files=FILES,
        models=made.models,
        numbers=claim_tables.numbers,
        bar=claim_tables.bar,
        plus_minus=plus_minus,
        budgets=BUDGETS,
        data=templating.embedded({"plots": plots, "labels": []}),
    )


def plotted(figure: Figure) -> dict[str, Any] | None:
    """Returns what the page's script draws, or None where nothing has been measured."""
    series = [_drawn(each) for each in figure.series]
    series = [each for each in series if each["x"]]
    if all(each["law"] for each in series):
        return None
    about = {"kind": figure.kind, "x": figure.x, "y": figure.y, "log": figure.log}
    return {**about, "levels": list(figure.levels.items()), "series": series}


def words(plot: Mapping[str, Any]) -> str:
    """Returns a plot in words: medians at words, or at the first and the last place."""
    said = []
    for each in plot["series"]:
        ends = zip(each["x"], each["mid"], strict=True)
        shown = list(ends) if plot["kind"] == "strip" else [*ends][:: max(1, len(each["x"]) - 1)]
        said.append(f"{each['name']}: " + ", ".join(f"{_word(m)} at {_word(x)}" for x, m in shown))
    levels = "".join(f"; {name} {_word(value)}" for name, value in plot["levels"])
    return f"{plot['y']}, medians. {'; '.join(said)}{levels}"


def forest(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Returns the picture of every effect's interval; effects of one unit and bar share a scale."""
    scales: dict[tuple[str, float], list[float]] = {}
    for part in parts:
        found = part.estimate
        ends = [v for v in (found.mean, found.low, found.high) if v is not None]
        held = scales.setdefault((part.effect.unit, part.effect.bar), [part.effect.bar])
        held += [v for v in ends if math.isfinite(v)]
    return [_interval(part, scales[part.effect.unit, part.effect.bar]) for part in parts]


def _interval(part: Part, held: Sequence[float]) -> dict[str, Any]:
    low, high = min(held), max(held)
    room = (high - low) or 1.0

    def at(value: float | None) -> float | None:
        if value is None or not math.isfinite(value):
            return None
        return round(EDGE + (value - low) / room * (WIDTH - 2 * EDGE), 1)

    found, bar = part.estimate, at(part.effect.bar)
    drawn = {"bar": bar, "mean": at(found.mean), "low": at(found.low), "high": at(found.high)}
    side = (bar, WIDTH) if part.effect.wanted == "above" else (0, bar)
    numbers = f"{claim_tables.numbers(part)}; the claim holds if {claim_tables.bar(part)}"
    said = part.outcome if part.effect.judged else "beside"
    return {**drawn, "side": side, "width": WIDTH, "words": numbers, "kind": said}


def _view(card: Card) -> dict[str, Any]:
    claim = card.claim
    plot = plotted(card.figure) if card.figure is not None else None
    trial = None
    if claim.experiment is not None:
        trial = Trials(card.store.root).read(claim, card.scale.options(claim))
    rows = len({x for each in plot["series"] for x in each["x"]}) if plot else 0
    strip = plot is not None and plot["kind"] == "strip"
    shared = strip and rows < sum(len(each["x"]) for each in plot["series"]) if plot else False
    return {
        "anchor": f"claim-{claim.id}",
        "card": card,
        "kind": card.kind,
        "verdict": card.said,
        "tally": claim_tables.tally_text(card),
        "seeds": claim_tables.seeds(card),
        "forest": list(zip(card.verdict.parts, forest(card.verdict.parts), strict=True)),
        "plot": plot,
        "height": 110 + rows * (52 if shared else 30) if strip else 380,
        "words": words(plot) if plot else "",
        "columns": list(dict.fromkeys(c for read in card.cells for c in read.columns)),
        "trial": trial,
        "failed": card.held.failed(),
        "note": claim.notes.get(card.verdict.outcome),
    }


def _drawn(series: Series) -> dict[str, Any]:
    found: dict[str, Any] = {"name": series.name, "law": series.law}
    keys = ("x", "mid", "low", "high", "dots")
    found |= {key: [] for key in keys}
    for place, values in zip(series.x, series.y, strict=True):
        known = {seed: v for seed, v in values.items() if math.isfinite(v)}
        if not known or (isinstance(place, Mapping) and not place):
            continue
        ordered = sorted(known.values())
        quarters = statistics.quantiles(ordered, n=4, method="inclusive") if ordered[1:] else None
        low, mid, high = quarters or ordered * 3
        dots = [(_place(place, seed), v) for seed, v in known.items()]
        row = (_place(place), mid, low, high, [(x, _round(v)) for x, v in dots if x is not None])
        for key, value in zip(keys, row, strict=True):
            found[key].append(_round(value) if isinstance(value, float) else value)
    return found


def _place(place: Place, seed: int | None = None) -> str | float | None:
    """A place for a seed, or the median over seeds."""
    if isinstance(place, str):
        return place
    if not isinstance(place, Mapping):
        return _round(float(place))
    if seed is None:
        return _round(statistics.median(place.values()))
    return _round(place[seed]) if seed in place else None


def _round(value: float) -> float:
    return float(f"{value:.5g}")


def _word(value: Any) -> str:
    return value if isinstance(value, str) else number(value)
