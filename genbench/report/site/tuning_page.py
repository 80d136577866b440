"""The page of tuning: the expected best after so many trials, by family and by model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from markupsafe import Markup

from genbench.report import tuned_scores, tuning_costs
from genbench.report.sheet import to_html
from genbench.report.site import templating
from genbench.report.text import number
from genbench.report.tuned_scores import Gain, TunedScore
from genbench.report.tuning import Line, Search
from genbench.report.tuning_sheet import make_sheet

if TYPE_CHECKING:
    from genbench.report.site.site import Site

PAGE = "tuning.html"
#: more intervals than these hide one another
BANDS = 9
BAND = "The band is the 95 % interval over trials."
UNBANDED = "Intervals over trials are in the table."
ORDERED = "Trials depend on those before, so that the best so far has no interval."


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
        summary=_summary(site.searches),
        gained=[_gained(site.tuned_scores, name) for name in _datasets(site.tuned_scores)],
        gains_note=tuned_scores.NOTE,
        costs=Markup(to_html(tuning_costs.make_sheet(tuning_costs.sum_costs(site.searches)))),
        notes=[*dict.fromkeys(search.note for search in site.searches), *site.unused_trials],
        data=templating.embed({"plots": plots}),
    )
    return {PAGE: page}


def make_figure(search: Search, lines: Sequence[Line]) -> dict[str, Any]:
    """Returns what the page's script draws: a curve per line, of up to `BANDS` with their intervals."""
    curves = [line for line in lines if line.curve]
    banded = len(curves) <= BANDS
    series = [
        {
            "name": line.shown,
            "law": False,
            "x": [one.k for one in line.curve],
            "mid": [_short(one.value) for one in line.curve],
            "low": [_short(one.low if banded else one.value) for one in line.curve],
            "high": [_short(one.high if banded else one.value) for one in line.curve],
            "dots": [],
        }
        for line in curves
    ]
    kind = "expected best" if search.drawn else "best so far,"
    levels = [] if search.floor is None else [("training points", search.floor)]
    about = {"kind": "lines", "x": "trials", "y": f"{kind} {search.column}"}
    positive = all(v > 0 for one in series for v in one["low"]) and all(v > 0 for _, v in levels)
    return {**about, "log": "xy" if positive else "x", "levels": levels, "series": series}


def _summary(searches: Sequence[Search]) -> str:
    """How many models were tried how often on which data set, in one sentence."""
    tried: dict[str, tuple[set[str], set[int]]] = {}
    for search in searches:
        if not search.drawn:
            continue
        names, trials = tried.setdefault(search.dataset, (set(), set()))
        names |= {line.name for line in search.models}
        trials |= {len(line.curve) for line in search.models if line.curve}
    parts = []
    for name, (names, n) in tried.items():
        if n:
            models = len(names)
            ends = "–".join(str(k) for k in sorted({min(n), max(n)}))
            unequal = " so far" if min(n) < max(n) else ""
            parts.append(
                f"{name}: {models} {'model' if models == 1 else 'models'}, {ends} trials each{unequal}"
            )
    return _say_equality(searches) + (
        f" Drawn at random, beside the default: {'; '.join(parts)}." if parts else ""
    )


def _say_equality(searches: Sequence[Search]) -> str:
    """Whether the models of a data set were searched alike, in one sentence."""
    searched: dict[str, dict[str, dict[str, int]]] = {}
    begun: dict[str, set[str]] = {}
    for search in searches:
        begun.setdefault(search.dataset, set()).update(
            line.name for line in search.models if not line.finished
        )
        own = searched.setdefault(search.dataset, {}).setdefault(search.budget, {})
        for line in search.models:
            own[line.name] = max(own.get(line.name, 0), len(line.values))
    unequal = [
        f"{name} ({why})"
        for name, own in searched.items()
        if (why := _compare_budgets(own) or _name_unfinished(begun[name]))
    ]
    chosen = "options are chosen by validation scores alone"
    if not unequal:
        return f"Every model has the same number of trials and rounds, and {chosen}."
    names = "; ".join(unequal)
    return f"Models had the same number of trials and rounds, but for those of {names}; {chosen}."


def _compare_budgets(trials: Mapping[str, Mapping[str, int]]) -> str:
    """In what searches differ, by budget and model the number of trials; "" where they are alike."""
    if len({frozenset(models) for models in trials.values()}) > 1:
        return f"not every model at each budget: {'; '.join(trials)}"
    uneven = [set(models.values()) for models in trials.values() if len(set(models.values())) > 1]
    numbers = sorted(set().union(*uneven))
    return f"between {numbers[0]} and {numbers[-1]} trials so far" if numbers else ""


def _name_unfinished(models: Collection[str]) -> str:
    """That searches have not ended, whose trials may have had fewer rounds; "" where all have."""
    return f"not ended: {', '.join(sorted(models))}" if models else ""


def _datasets(scores: Sequence[TunedScore]) -> list[str]:
    return list(dict.fromkeys(score.dataset for score in scores))


def _gained(scores: Sequence[TunedScore], dataset: str) -> dict[str, Any]:
    """A data set's table of what tuning gained, and its counts in one sentence."""
    mine = [score for score in scores if score.dataset == dataset]
    counts = Counter(score.gain for score in mine)
    words = ", ".join(f"{counts[gain]} {gain}" for gain in get_args(Gain) if counts[gain])
    sheet = replace(tuned_scores.make_sheet(mine, dataset), notes=())
    return {
        "dataset": dataset,
        "sentence": f"Test scores with tuned options, beside those with defaults: {words}.",
        "table": Markup(to_html(sheet)),
    }


def _view(index: int, search: Search) -> dict[str, Any]:
    plots = []
    for kind, lines in (("families", search.families), ("models", search.models)):
        figure = make_figure(search, lines)
        if figure["series"]:
            words = "; ".join(
                f"{line.shown} {number(line.curve[0].value)} after 1, "
                f"{number(line.curve[-1].value)} after {len(line.curve)}"
                for line in lines
                if line.curve
            )
            banded = BAND if len(figure["series"]) <= BANDS else UNBANDED
            caption = banded if search.drawn else ORDERED
            about = {
                "id": f"tuning-{index}-{kind}",
                "kind": kind,
                "figure": figure,
                "caption": caption,
            }
            plots.append({**about, "words": f"{figure['y']}. {words}"})
    sheet = make_sheet(search)
    table = to_html(replace(sheet, notes=sheet.notes[1:]))  # the first stands above them all
    return {"search": search, "plots": plots, "table": Markup(table)}


def _short(value: float) -> float:
    return float(f"{value:.5g}")
