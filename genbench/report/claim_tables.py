"""The overview of all claims for other programs and papers: Markdown, LaTeX and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from genbench.report import sheet, text
from genbench.report.cards import Card
from genbench.report.sheet import Emphasis, Entry, Heading, Sheet
from genbench.statistics.open_parts import ALIKE
from genbench.statistics.verdicts import Verdict, VerdictPart

RULE = (
    "A claim is supported where the intervals of all its parts lie beyond their bars, refuted where "
    "they lie on the other side, mixed where some do either; Holm's steps over the parts, and levels that "
    "keep wrong parts at 5 % though seeds may be added. What is true by definition is no evidence; "
    "exploratory is what was registered after its first score, or changed since."
)
#: how a verdict stands out
EMPHASIS: dict[str, Emphasis] = {
    **{"supported": "good", "refuted": "lost", "mixed": "doubtful"},
    **{"inconclusive": "faint", "by definition": "faint"},
}
CSV_COLUMNS = (
    *(
        "id",
        "verdict",
        "provisional",
        "parts_supported",
        "parts_refuted",
        "parts_open",
        "statement",
    ),
    *("source", "leading_effect", "mean", "low", "high", "wanted", "bar", "unit", "seeds"),
    *("budget_scale", "turned", "command", "exploratory", "parts_by_definition"),
)


def numbers(part: VerdictPart | None) -> str:
    """Returns an effect's mean and interval, e.g. "3.05 [2.67, 3.26] modes"."""
    if part is None or part.estimate.mean is None:
        return text.MISSING
    estimate = part.estimate
    ends = (
        f" [{text.number(estimate.low)}, {text.number(estimate.high)}]"
        if estimate.low is not None
        else ""
    )
    return f"{text.number(estimate.mean)}{ends} {part.effect.unit}".rstrip()


def bar(part: VerdictPart | None) -> str:
    """Returns the bar with its side, e.g. "> 1"."""
    if part is None:
        return ""
    return f"{'>' if part.effect.wanted == 'above' else '<'} {text.number(part.effect.bar)}"


def tally(verdict: Verdict) -> tuple[int, ...]:
    """Returns how many parts are supported, refuted and open."""
    outcomes = [part.outcome for part in verdict.judged]
    return tuple(outcomes.count(kind) for kind in ("supported", "refuted", "inconclusive"))


def tally_text(verdict: Verdict) -> str:
    """Returns the same as text, e.g. "+3 -1 ?2", and how many parts are true by definition, e.g. "=1"."""
    words = [f"{sign}{n}" for sign, n in zip("+-?", tally(verdict), strict=True)]
    constructed = len(verdict.by_definition)
    return " ".join([*words, *([f"={constructed}"] if constructed else [])])


def says(part: VerdictPart) -> str:
    """Returns what a part says, e.g. "supported", or that it is shown beside."""
    if not part.effect.judged:
        return "shown beside"
    if part.effect.waits_for:
        return f"{part.outcome}: waits for {', '.join(part.effect.waits_for)}"
    if part.seeds_so_far and part.effect.values:
        return f"{part.outcome}: {part.seeds_so_far}"
    alike = part.alike and part.outcome == "inconclusive"
    return f"{part.outcome}: seeds all alike" if alike else part.outcome


def needed_text(part: VerdictPart) -> str:
    """Returns how many seeds decide a part, e.g. "to decide this part at 80 % needs ≈ 40 seeds"."""
    if not part.effect.judged or part.outcome == "by definition" or not part.effect.values:
        return ""
    if part.effect.waits_for:
        return ""
    if part.needed is None:
        why = f"; {ALIKE}" if part.alike else ""
        return f"no number of seeds decides this part at 80 %{why}"
    return f"to decide this part at 80 % needs ≈ {part.needed} seeds"


def explain_gap(part: VerdictPart) -> str:
    """Returns why a part is open whose interval at 95 % lies beyond the bar, or "" of any other."""
    if part.deciding is None or not part.seems_decided or part.alike:
        return ""
    level, interval = part.deciding
    ends = ", ".join(
        "" if end is None else text.number(end) for end in (interval.low, interval.high)
    )
    return (
        f"at {100 * level:.1f} %, as parts judged together and looks share the error of 5 %, "
        f"its interval is [{ends}]"
    )


def seeds(card: Card) -> str:
    """Returns how many seeds the judged effects have, e.g. "8" or "6–8"."""
    parts = card.verdict.judged or card.verdict.by_definition
    return text.count_range([len(part.effect.values) for part in parts])


def make_sheet(cards: Sequence[Card], *, bar_head: str = "holds if") -> Sheet:
    """Returns the overview as a sheet, one row per claim."""
    heads = [
        *(Heading("claim"), Heading("sentence", width=0.25), Heading("verdict"), Heading("parts")),
        *(Heading("leading effect", width=0.2), Heading("mean [95 %]", align="right")),
        *(Heading(bar_head, align="right"), Heading("seeds", align="right")),
    ]
    rows = []
    for card in cards:
        cells = [card.claim.id, card.claim.statement, card.verdict_text, tally_text(card.verdict)]
        cells += [card.lead.effect.name if card.lead else "", numbers(card.lead), bar(card.lead)]
        rows.append([Entry(cell) for cell in (*cells, seeds(card))])
    return Sheet(heads, rows, title="Claims and their verdicts", notes=[RULE])


def to_markdown(cards: Sequence[Card]) -> str:
    """Returns the overview in Markdown, with the budget of each claim."""
    overview = make_sheet(cards)
    rows = [
        [*row, Entry(card.scale.budget)] for row, card in zip(overview.rows, cards, strict=True)
    ]
    lines = sheet.to_markdown(
        replace(overview, heads=[*overview.heads, Heading("budget")], rows=rows)
    )
    head = f"{RULE} Parts: + supported, - refuted, ? open, = by definition."
    return "\n".join([head, "", *lines]) + "\n"


def to_latex(cards: Sequence[Card]) -> str:
    r"""Returns the overview as a booktabs table; needs \usepackage{booktabs}."""
    lines = sheet.to_latex(make_sheet(cards, bar_head="bar"))
    return "\n".join([r"% needs \usepackage{booktabs}", *lines]) + "\n"


def to_csv(cards: Sequence[Card]) -> str:
    """Returns the overview as CSV, one row per claim."""
    rows = []
    for card in cards:
        head = (card.claim.id, card.kind, card.provisional)
        about = (*tally(card.verdict), card.claim.statement, card.claim.source)
        about_it = (card.exploratory, len(card.verdict.by_definition))
        tail = (card.scale.budget, "; ".join(card.changes), card.command, *about_it)
        rows.append((*head, *about, *_lead_cells(card.lead), *tail))
    return sheet.to_csv(Sheet.of_values(CSV_COLUMNS, rows))


def _lead_cells(part: VerdictPart | None) -> tuple[Any, ...]:
    if part is None:
        return (None,) * 8
    effect, estimate = part.effect, part.estimate
    ends = (estimate.mean, estimate.low, estimate.high, effect.wanted, effect.bar, effect.unit)
    return (effect.name, *ends, len(effect.values))
