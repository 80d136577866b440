"""The overview of all claims for other programs and papers: Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import csv as csv_module
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genbench.report import readme, text
from genbench.report.cards import Card, Setting
from genbench.report.formats import escaped
from genbench.report.site.templating import finite
from genbench.statistics.verdicts import Part

RULE = (
    "A claim is supported where the 95 % intervals of all its parts lie beyond their bars, refuted where "
    "they lie on the other side, mixed where some do either; Holm's steps over the parts."
)
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
    *("budget_scale", "turned", "command"),
)


def numbers(part: Part | None) -> str:
    """Returns an effect's mean and interval, e.g. "3.05 [2.67, 3.26] modes"."""
    if part is None or part.estimate.mean is None:
        return text.MISSING
    found = part.estimate
    ends = f" [{found.low:.3g}, {found.high:.3g}]" if found.low is not None else ""
    return f"{found.mean:.3g}{ends} {part.effect.unit}".rstrip()


def bar(part: Part | None) -> str:
    """Returns the bar with its side, e.g. "> 1"."""
    if part is None:
        return ""
    return f"{'>' if part.effect.wanted == 'above' else '<'} {part.effect.bar:.3g}"


def tally(card: Card) -> tuple[int, int, int]:
    """Returns how many parts are supported, refuted and open."""
    said = [part.outcome for part in card.verdict.judged]
    return said.count("supported"), said.count("refuted"), said.count("inconclusive")


def tally_text(card: Card) -> str:
    """Returns the same as text, e.g. "+3 -1 ?2"."""
    return " ".join(f"{sign}{n}" for sign, n in zip("+-?", tally(card), strict=True))


def seeds(card: Card) -> str:
    """Returns how many seeds the judged effects have, e.g. "8" or "6–8"."""
    counts = sorted({len(part.effect.values) for part in card.verdict.judged})
    return "–".join(str(n) for n in dict.fromkeys((*counts[:1], *counts[-1:]))) or "0"


def markdown(cards: Sequence[Card]) -> str:
    """Returns the overview in Markdown."""
    heads = ["claim", "sentence", "verdict", "parts", "leading effect", "mean [95 %]", "holds if"]
    lines = [f"{RULE} Parts: + supported, - refuted, ? open.", ""]
    lines += [text.line([*heads, "seeds", "budget"]), text.line(["---"] * 9)]
    for card in cards:
        cells = [card.claim.id, card.claim.statement, card.said, tally_text(card)]
        cells += [card.lead.effect.name if card.lead else "", numbers(card.lead), bar(card.lead)]
        lines.append(text.line([text.plain(c) for c in (*cells, seeds(card), card.scale.budget)]))
    return "\n".join(lines) + "\n"


def into_readme(path: Path, cards: Sequence[Card]) -> bool:
    """Writes the overview between the markers `claims` of a Markdown file; returns whether it changed.

    Raises:
        DataError: If the file cannot be read or has no pair of markers.
    """
    return readme.into(path, "claims", markdown(cards))


def latex(cards: Sequence[Card]) -> str:
    r"""Returns the overview as a booktabs table; needs \usepackage{booktabs}."""
    heads = [
        "claim",
        "sentence",
        "verdict",
        "parts",
        "leading effect",
        "mean [95 %]",
        "bar",
        "seeds",
    ]
    rows = []
    for card in cards:
        cells = [card.claim.id, card.claim.statement, card.said, tally_text(card)]
        cells += [card.lead.effect.name if card.lead else "", numbers(card.lead), bar(card.lead)]
        rows.append(" & ".join(escaped(cell) for cell in (*cells, seeds(card))) + r" \\")
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            rf"\caption{{Claims and their verdicts. {escaped(RULE)}}}",
            r"\begin{tabular}{lp{0.25\textwidth}llp{0.2\textwidth}rrr}",
            r"\toprule",
            " & ".join(escaped(head) for head in heads) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def csv(cards: Sequence[Card]) -> str:
    """Returns the overview as CSV, one row a claim."""
    held = io.StringIO()
    writer = csv_module.writer(held, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for card in cards:
        head = (card.claim.id, card.kind, bool(card.missing))
        about = (*tally(card), card.claim.statement, card.claim.source)
        tail = (card.scale.budget, "; ".join(card.turns), card.command)
        writer.writerow((*head, *about, *_lead_cells(card.lead), *tail))
    return held.getvalue()


def as_json(cards: Sequence[Card]) -> str:
    """Returns all claims as `genbench claims --json` has them."""
    rows = [row(card) for card in cards]
    return json.dumps(finite({"claims": rows}), ensure_ascii=False, separators=(",", ":"))


def _lead_cells(part: Part | None) -> tuple[Any, ...]:
    if part is None:
        return (None,) * 8
    effect, found = part.effect, part.estimate
    ends = (found.mean, found.low, found.high, effect.wanted, effect.bar, effect.unit)
    return (effect.name, *ends, len(effect.values))


def row(card: Card) -> dict[str, Any]:
    """Returns the documented JSON object of a claim."""
    claim, verdict = card.claim, card.verdict
    command = card.command if card.missing else None
    return {
        "id": claim.id,
        "verdict": verdict.outcome,
        "provisional": bool(card.missing),
        "because": verdict.because,
        "statement": claim.statement,
        "source": claim.source,
        "why": claim.why,
        "budget_scale": card.scale.budget,
        "parts": [part_row(part) for part in verdict.parts],
        "without_seed": {str(seed): said for seed, said in card.without_seed.items()},
        "by_budget": {each.name: _setting_row(each) for each in card.budgets},
        "by_metric": {each.name: _setting_row(each) for each in card.metrics},
        "cells": [str(run) for run in claim.runs],
        "failed": card.held.failed(),
        "missing": card.missing,
        "command": command,
        "literature": list(claim.literature),
        "threats": list(claim.threats),
        "note": claim.notes.get(verdict.outcome),
    }


def part_row(part: Part) -> dict[str, Any]:
    """Returns the JSON object of one effect; interval and mean are of 95 %, over seeds."""
    found = part.estimate
    return {
        "effect": part.effect.name,
        "outcome": part.outcome if part.effect.judged else None,
        "judged": part.effect.judged,
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "method": found.method,
        "wanted": part.effect.wanted,
        "bar": part.effect.bar,
        "unit": part.effect.unit,
        "seeds": len(part.effect.values),
        "values": {str(seed): value for seed, value in part.effect.values.items()},
    }


def _setting_row(setting: Setting) -> dict[str, Any]:
    said = setting.verdict
    return {
        "verdict": said.outcome if said is not None else None,
        "provisional": setting.missing,
        "parts": [part_row(part) for part in said.parts] if said is not None else [],
        "command": setting.command if setting.missing else None,
    }
