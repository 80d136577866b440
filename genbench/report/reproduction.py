"""Claims as two results folders have them: whether a comparison was reproduced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from genbench.report.cards import Card
from genbench.report.claim_tables import EMPHASIS
from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.text import counted
from genbench.report.variations import describe_verdict
from genbench.running.evidence import widen_scale
from genbench.running.null_gates import NullRows
from genbench.running.scale import Scale
from genbench.statistics.verdicts import OPPOSITES, VerdictPart, find_turned, match_parts
from genbench.store.cached import CachedStore

Comparison = Literal[
    "same",
    "opposite",
    "left open",
    "decided",
    "other",
    "not in full",
    "not measured",
    "new",
    "in neither",
]
#: relative: float64 summed in another order; training that went another way is far off
ROUNDING = 1e-9
#: what a folder that reproduces another's claims may not say
FAILURES: tuple[Comparison, ...] = ("opposite", "not in full", "not measured")
#: where there is nothing to be held against
UNCOMPARED: tuple[Comparison, ...] = ("new", "in neither")


@dataclass(frozen=True)
class Reproduction:
    """A claim's card beside that of another folder.

    Arguments:
        here: What was measured anew.
        there: What it is compared with, at the claims' own budget, with the seeds of all its looks.
        alike: The other folder at the budget of `here`, where values may be the same numbers, likewise.
    """

    here: Card
    there: Card
    alike: Card

    @cached_property
    def changed_parts(self) -> list[tuple[VerdictPart, VerdictPart]]:
        """Parts that one folder supports and the other refutes."""
        return find_turned(self.here.verdict, self.there.verdict)

    @cached_property
    def unmeasured_parts(self) -> list[str]:
        """Parts that were measured only in the other folder, by name."""
        return [
            ours.effect.name
            for ours, theirs in match_parts(self.here.verdict.parts, self.there.verdict.parts)
            if theirs.effect.judged and theirs.effect.values and not ours.effect.values
        ]

    @property
    def comparison(self) -> Comparison:
        """How the verdicts compare.

        "opposite" where any part, or the whole, is supported in one and refuted in the other; "left open"
        where only the other folder decides, "decided" where only this one does; "other" where one is
        mixed and the other is not; "not in full" where a part was measured only in the other folder; "in
        neither" where no folder has measured anything.
        """
        if not self.here.known:
            return "not measured" if self.there.known else "in neither"
        if not self.there.known:
            return "new"
        ours, theirs = self.here.verdict.outcome, self.there.verdict.outcome
        if self.changed_parts or {ours, theirs} == OPPOSITES:
            return "opposite"
        if self.unmeasured_parts:
            return "not in full"
        if ours == theirs:
            return "same"
        if "inconclusive" in (ours, theirs):
            return "left open" if ours == "inconclusive" else "decided"
        return "other"

    @property
    def compared(self) -> bool:
        """Whether the other folder has measured anything of it."""
        return self.comparison not in UNCOMPARED

    @property
    def failed(self) -> bool:
        """Whether the other folder's verdict was not reproduced."""
        return self.comparison in FAILURES

    @cached_property
    def values(self) -> tuple[int, int]:
        """How many of the effects' values are the same but for rounding, and how many both have."""
        pairs = [
            (value, theirs.effect.values[seed])
            for ours, theirs in match_parts(self.here.verdict.parts, self.alike.verdict.parts)
            for seed, value in ours.effect.values.items()
            if seed in theirs.effect.values
        ]
        return sum(math.isclose(a, b, rel_tol=ROUNDING) for a, b in pairs), len(pairs)

    @property
    def row(self) -> dict[str, Any]:
        """The documented JSON object."""
        same, both = self.values
        return {
            "id": self.here.claim.id,
            "said": self.comparison,
            "verdict": describe_verdict(self.here.verdict, self.here.provisional),
            "against": describe_verdict(self.there.verdict, self.there.provisional),
            "budget_scale": self.here.scale.budget,
            "against_budget_scale": self.there.scale.budget,
            "turned": [
                {"effect": ours.effect.name, "outcome": ours.outcome, "against": theirs.outcome}
                for ours, theirs in self.changed_parts
            ],
            "not_measured": self.unmeasured_parts,
            "values": both,
            "values_same": same,
        }


def compare_folders(cards: Sequence[Card], against: Path) -> list[Reproduction]:
    """Returns claims' cards beside those of another results folder."""
    store, comparisons = CachedStore(against), []
    nulls = NullRows(store)

    def there(card: Card, budget: str) -> Card:
        scale = widen_scale(card.claim, store, Scale(budget))
        return Card(card.claim, store, scale, against, nulls)

    for card in cards:
        own = there(card, "default")
        budget = card.scale.budget
        alike = own if budget == own.scale.budget else there(card, budget)
        comparisons.append(Reproduction(card, own, alike))
    return comparisons


def make_sheet(reproductions: Sequence[Reproduction], against: Path) -> Sheet:
    """Returns verdicts beside those of another folder, a row each; notes name turned parts, and count."""
    rows = []
    for pair in reproductions:
        same, both = pair.values
        verdicts = [
            Entry(
                card.verdict_text, EMPHASIS.get(card.verdict.outcome, ""), value=card.verdict_text
            )
            for card in (pair.here, pair.there)
        ]
        so = Entry(pair.comparison, "bad" if pair.failed else "", value=pair.comparison)
        id, values = pair.here.claim.id, f"{same} of {both}"
        rows.append([Entry(id, value=id), *verdicts, so, Entry(values, value=values)])
    turned = [
        f"{pair.here.claim.id}: {ours.effect.name}: {ours.outcome} here, {theirs.outcome} there"
        for pair in reproductions
        for ours, theirs in pair.changed_parts
    ]
    turned += [
        f"{pair.here.claim.id}: {name}: measured only in {against}"
        for pair in reproductions
        if pair.here.known
        for name in pair.unmeasured_parts
    ]
    compared = [pair for pair in reproductions if pair.compared]
    count, rest = sum(not pair.failed for pair in compared), len(reproductions) - len(compared)
    heads = ("claim", "here", f"in {against}", "so", "the same values")
    claims = counted(len(compared), "claim", "is", "are")
    summary = [f"{count} of {claims} not contradicted"] if compared else []
    if rest:
        summary.append(
            f"{counted(rest, 'claim', 'was', 'were')} not compared: not measured in {against}"
        )
    return Sheet([Heading(head) for head in heads], rows, notes=[*turned, "; ".join(summary)])
