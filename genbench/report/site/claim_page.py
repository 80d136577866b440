"""The pages of the claims: an overview that can be cited, and a card per claim."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from genbench.core.figure import Figure, Place, Series
from genbench.report import budget_table, claim_json, claim_tables
from genbench.report.cards import Card
from genbench.report.site import templating
from genbench.report.site.samples import Panel, select_columns
from genbench.report.text import number, plus_minus
from genbench.statistics.verdicts import VerdictPart
from genbench.store.trial import Trials

if TYPE_CHECKING:
    from genbench.report.site.site import Site

PAGE = "claims.html"
FILES = ("claims.md", "claims.csv", "claims.json", "claims.tex")
#: pixels of an interval's picture, and what is left free at its ends
WIDTH, EDGE = 180, 8
BUDGETS = {
    "quick": "an eighth of the rounds or fewer, or a small experiment, six seeds",
    "half": "half the rounds",
    "default": "what the claim asks for",
    "double": "twice the rounds",
}


def make_files(site: Site) -> dict[str, bytes]:
    """Returns the page and its tables by their names; nothing where no claim has measurements."""
    if not site.claims:
        return {}
    writers = claim_tables.to_csv, claim_json.to_json, claim_tables.to_latex
    texts = (
        f"# Claims\n\n{claim_tables.to_markdown(site.claims)}",
        *(write(site.claims) for write in writers),
    )
    views: list[dict[str, Any]] = [
        {**_view(card), "pairs": find_pairs(site, card)} for card in site.claims
    ]
    neighbours = zip([None, *views], views, [*views[1:], None], strict=False)
    return {
        **dict(zip(FILES, (text.encode() for text in texts), strict=True)),
        PAGE: make_index(site, views),
        **{
            view["page"]: make_page(site, view, before, after)
            for before, view, after in neighbours
        },
    }


def make_index(site: Site, views: Sequence[dict[str, Any]]) -> bytes:
    """Returns claims.html, a row per claim."""
    return templating.render(
        PAGE,
        **site.header(PAGE, "Claims"),
        views=views,
        pages={view["card"].claim.id: view["page"] for view in views},
        rule=claim_tables.RULE,
        budgets=budget_table.make_sheet(site.claims),
        files=FILES,
        numbers=claim_tables.numbers,
        bar=claim_tables.bar,
    )


def make_page(
    site: Site,
    view: dict[str, Any],
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> bytes:
    """Returns the page of a claim; before and after are the views of its neighbours, or None."""
    plots = {one["section"]: {"figure": one["plot"]} for one in view["plots"]}
    return templating.render(
        "claim.html",
        **site.header(view["page"], view["card"].claim.id),
        v=view,
        before=before,
        after=after,
        models=site.models,
        numbers=claim_tables.numbers,
        bar=claim_tables.bar,
        says=claim_tables.says,
        needed=claim_tables.needed_text,
        gap=claim_tables.explain_gap,
        plus_minus=plus_minus,
        budgets=BUDGETS,
        data=templating.embed({"plots": plots}),
    )


def find_pairs(site: Site, card: Card) -> list[tuple[str, str, Panel]]:
    """Returns sheets of what a claim's models made of test sources, one for each data set that has any.

    They are the data sets' own sheets with the columns of its rows alone.

    Returns:
        The data set's name, the file of its page, and the sheet.
    """
    ids = {record.group for read in card.cells for record in read.records}
    sheets = []
    for page in site.pages:
        labels = {group.label for group in page.table.groups if group.id in ids}
        whole = next((panel for panel in page.gallery.panels if panel.columns), None)
        if whole is None or not labels:
            continue
        panel = select_columns(whole, site.pictures[whole.png], labels)
        sheets += [(page.table.name, page.file, panel)] if panel is not None else []
    return sheets


def make_plot(figure: Figure) -> dict[str, Any] | None:
    """Returns what the page's script draws, or None where nothing has been measured."""
    series = [trace for one in figure.series if (trace := _trace(one))["x"]]
    if all(trace["law"] for trace in series):
        return None
    about = {"kind": figure.kind, "x": figure.x, "y": figure.y, "log": figure.log}
    return {**about, "levels": list(figure.levels.items()), "series": series}


def describe_plot(plot: Mapping[str, Any]) -> str:
    """Returns a plot in words: medians at words, or at the first and the last place."""
    sentences = []
    for trace in plot["series"]:
        step = 1 if plot["kind"] == "strip" else max(1, len(trace["x"]) - 1)
        pairs = [*zip(trace["x"], trace["mid"], strict=True)][::step]
        medians = ", ".join(f"{_word(m)} at {_word(x)}" for x, m in pairs)
        sentences.append(f"{trace['name']}: {medians}")
    levels = "".join(f"; {name} {_word(value)}" for name, value in plot["levels"])
    return f"{plot['y']}, medians. {'; '.join(sentences)}{levels}"


def make_forest(parts: Sequence[VerdictPart]) -> list[dict[str, Any]]:
    """Returns the picture of every effect's interval; effects of one unit and bar share a scale."""
    scales: dict[tuple[str, float], list[float]] = {}
    for part in parts:
        e = part.estimate
        ends = [v for v in (e.mean, e.low, e.high) if v is not None]
        scale = scales.setdefault((part.effect.unit, part.effect.bar), [part.effect.bar])
        scale += [v for v in ends if math.isfinite(v)]
    return [_interval(part, scales[part.effect.unit, part.effect.bar]) for part in parts]


def _split_effects(parts: Sequence[VerdictPart]) -> dict[str, Any]:
    """Parts with their pictures: what the verdict counts, and what is shown beside it."""
    forest = list(zip(parts, make_forest(parts), strict=True))
    counted = [p.effect.judged and p.outcome != "by definition" for p in parts]
    if not any(counted):
        return {"judged": forest, "beside": []}
    return {
        "judged": [one for one, counts in zip(forest, counted, strict=True) if counts],
        "beside": [one for one, counts in zip(forest, counted, strict=True) if not counts],
    }


def _interval(part: VerdictPart, scale: Sequence[float]) -> dict[str, Any]:
    low, high = min(scale), max(scale)
    room = (high - low) or 1.0

    def at(value: float | None) -> float | None:
        if value is None or not math.isfinite(value):
            return None
        return round(EDGE + (value - low) / room * (WIDTH - 2 * EDGE), 1)

    e, bar = part.estimate, at(part.effect.bar)
    places = {"bar": bar, "mean": at(e.mean), "low": at(e.low), "high": at(e.high)}
    side = (bar, WIDTH) if part.effect.wanted == "above" else (0, bar)
    numbers = f"{claim_tables.numbers(part)}; the claim holds if {claim_tables.bar(part)}"
    kind = part.outcome if part.effect.judged else "beside"
    return {**places, "side": side, "width": WIDTH, "words": numbers, "kind": kind}


def _view(card: Card) -> dict[str, Any]:
    claim = card.claim
    anchor = f"claim-{claim.id}"
    figures = {"": card.figure} if card.figure is not None else {}
    sections = [
        _view_figure(figure, f"{anchor}{'-' * bool(place)}{place}", place)
        for place, figure in (figures | card.figures_elsewhere).items()
    ]
    trial = None
    if claim.experiment is not None:
        trial = Trials(card.store.root).read(claim, card.scale.options(claim))
    return {
        "anchor": anchor,
        "page": templating.file_name("claim", claim.id),
        "card": card,
        "kind": card.kind,
        "verdict": card.verdict_text,
        "tally": claim_tables.tally_text(card.verdict),
        "seeds": claim_tables.seeds(card),
        **_split_effects(card.verdict.parts),
        "settings_lack": any(
            s.verdict is None or s.missing for s in (*card.budgets, *card.metrics)
        ),
        "plots": [one for one in sections if one["plot"]],
        "columns": list(dict.fromkeys(c for read in card.cells for c in read.columns)),
        "trial": trial,
        "failed": card.evidence.failed(),
        "note": claim.notes.get(card.verdict.outcome),
    }


def _view_figure(figure: Figure, section: str, place: str) -> dict[str, Any]:
    """What the page says of a figure; `place` is the data set, where it is not the claim's own."""
    plot = make_plot(figure)
    rows = len({x for trace in plot["series"] for x in trace["x"]}) if plot else 0
    strip = plot is not None and plot["kind"] == "strip"
    shared = strip and rows < sum(len(trace["x"]) for trace in plot["series"]) if plot else False
    return {
        "section": section,
        "place": place,
        "figure": figure,
        "plot": plot,
        "height": 110 + rows * (52 if shared else 30) if strip else 380,
        "words": describe_plot(plot) if plot else "",
    }


def _trace(series: Series) -> dict[str, Any]:
    trace: dict[str, Any] = {"name": series.name, "law": series.law}
    keys = ("x", "mid", "low", "high", "dots")
    trace |= {key: [] for key in keys}
    for place, values in zip(series.x, series.y, strict=True):
        finite = {seed: v for seed, v in values.items() if math.isfinite(v)}
        if not finite or (isinstance(place, Mapping) and not place):
            continue
        ordered = sorted(finite.values())
        quarters = statistics.quantiles(ordered, n=4, method="inclusive") if ordered[1:] else None
        low, mid, high = quarters or ordered * 3
        dots = [(_place(place, seed), v) for seed, v in finite.items()]
        row = (_place(place), mid, low, high, [(x, _round(v)) for x, v in dots if x is not None])
        for key, value in zip(keys, row, strict=True):
            trace[key].append(_round(value) if isinstance(value, float) else value)
    return trace


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
