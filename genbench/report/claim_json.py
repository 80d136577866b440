"""Claims as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from genbench.report.cards import Card
from genbench.report.fairness import EntrantTerms
from genbench.report.site.templating import finite
from genbench.report.variations import Variation
from genbench.statistics.verdicts import VerdictPart


def to_json(cards: Sequence[Card]) -> str:
    """Returns all claims as `genbench claims --json` has them."""
    rows = [to_dict(card) for card in cards]
    return json.dumps(finite({"claims": rows}), ensure_ascii=False, separators=(",", ":"))


def to_dict(card: Card) -> dict[str, Any]:
    """Returns the documented JSON object of a claim."""
    claim, verdict = card.claim, card.verdict
    command = card.command if card.missing else None
    return {
        "id": claim.id,
        "verdict": verdict.outcome,
        "provisional": card.provisional,
        "because": verdict.because,
        "statement": claim.statement,
        "source": claim.source,
        "why": claim.why,
        "budget_scale": card.scale.budget,
        "parts": [part_dict(part) for part in verdict.parts],
        "without_seed": {str(seed): outcome for seed, outcome in card.without_seed.items()},
        "by_budget": {v.name: _variation_dict(v) for v in card.budgets},
        "by_metric": {v.name: _variation_dict(v) for v in card.metrics},
        "cells": [str(run) for run in claim.all_runs],
        "failed": card.evidence.failed(),
        "failure_reasons": card.evidence.failure_reasons(),
        "missing": card.missing,
        "command": command,
        "literature": list(claim.literature),
        "threats": list(claim.threats),
        "not_judged": card.withheld,
        "without_null_rows": card.unchecked,
        "null_exemptions": dict(claim.null_exemptions),
        "without_test_set": card.without_test_set,
        "rare_events": card.rare_events,
        "tuned_unequally": card.tuned_unequally,
        "digits_alone": claim.digits_alone or None,
        "note": claim.notes.get(verdict.outcome),
        "exploratory": card.exploratory,
        "registration": registration_dict(card),
        "looks": list(card.looks.counts),
        "terms": [terms_dict(terms) for terms in card.terms],
    }


def terms_dict(terms: EntrantTerms) -> dict[str, Any]:
    """Returns the JSON object of what a run was given."""
    return {
        "run": str(terms.run),
        "options": terms.tuned,
        "parameters": terms.parameters,
        "parameters_over_median": terms.ratio,
        "matched": terms.matched,
        **terms.amounts,
        "column": terms.column,
        "at_equal": dict(terms.at_equal),
        "at_equal_by_pass": dict(terms.passes),
        "seconds_compare": terms.alike,
    }


def registration_dict(card: Card) -> dict[str, Any]:
    """Returns the JSON object of how a claim stands to its registration."""
    standing, last = card.standing, card.standing.registration
    return {
        "date": last.date if last is not None else None,
        "commit": last.commit if last is not None else None,
        "hash": last.hash if last is not None else None,
        "rule": last.rule if last is not None else None,
        "first_score": standing.first_score,
        "extended": standing.extended,
        "first_seeds": list(standing.first_seeds),
        "dated_by_git": standing.in_git,
        "because": list(standing.reasons),
    }


def part_dict(part: VerdictPart) -> dict[str, Any]:
    """Returns the JSON object of one effect; interval and mean are of 95 %, over seeds."""
    estimate = part.estimate
    return {
        "effect": part.effect.name,
        "outcome": part.outcome if part.effect.judged else None,
        "judged": part.effect.judged,
        "mean": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "method": estimate.method,
        "wanted": part.effect.wanted,
        "bar": part.effect.bar,
        "unit": part.effect.unit,
        "seeds": len(part.effect.values),
        "values": {
            str(seed): value if math.isfinite(value) else None
            for seed, value in part.effect.values.items()
        },
        "by_definition": part.effect.by_definition,
        "decided_at": part.decided_at,
        "seeds_needed": part.needed,
        "deciding": _deciding_dict(part),
    }


def _deciding_dict(part: VerdictPart) -> dict[str, float | None] | None:
    """The interval by which an open part was judged, or None of one that is decided or waits."""
    if part.deciding is None:
        return None
    level, interval = part.deciding
    return {"level": level, "low": interval.low, "high": interval.high}


def _variation_dict(variation: Variation) -> dict[str, Any]:
    verdict = variation.verdict
    return {
        "verdict": verdict.outcome if verdict is not None else None,
        "provisional": variation.missing,
        "parts": [part_dict(part) for part in verdict.parts] if verdict is not None else [],
        "command": variation.command if variation.missing else None,
    }
