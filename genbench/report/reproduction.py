"""Claims as two results folders have them: whether a comparison was reproduced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from genbench.report.cards import Card
from genbench.running.evidence import Scale
from genbench.statistics.verdicts import Part, matched
from genbench.store import Store

Said = Literal["same", "opposite", "left open", "decided", "other", "not measured", "new"]
#: relative: float64 summed in another order; training that took another turn is far off
ROUNDING = 1e-9
#: what a folder may not say if it is to reproduce another's claims
FAILURES: tuple[Said, ...] = ("opposite", "not measured")


@dataclass(frozen=True)
class Reproduction:
    """A claim's card beside that of another folder.

    Arguments:
        here: What was measured anew.
        there: What it is held against, at the claims' own budget.
        alike: The other folder at the budget of `here`, where values may be the same numbers.
    """

    here: Card
    there: Card
    alike: Card

    @cached_property
    def turned(self) -> list[tuple[Part, Part]]:
        """Parts that one folder supports and the other refutes."""
        return [
            pair
            for pair in matched(self.here.verdict.judged, self.there.verdict.judged)
            if {part.outcome for part in pair} == {"supported", "refuted"}
        ]

    @property
    def said(self) -> Said:
        """How the verdicts stand to each other.

        "opposite" where any part, or the whole, is supported in one and refuted in the other; "left open"
        where only the other folder decides, "decided" where only this one does; "other" where one is
        mixed and the other is not.
        """
        if not self.here.known:
            return "not measured"
        if not self.there.known:
            return "new"
        ours, theirs = self.here.verdict.outcome, self.there.verdict.outcome
        if self.turned or {ours, theirs} == {"supported", "refuted"}:
            return "opposite"
        if ours == theirs:
            return "same"
        if "inconclusive" in (ours, theirs):
            return "left open" if ours == "inconclusive" else "decided"
        return "other"

    @cached_property
    def values(self) -> tuple[int, int]:
        """How many of the effects' values are the same but for rounding, and how many both have."""
        pairs = [
            (value, theirs.effect.values[seed])
            for ours, theirs in matched(self.here.verdict.parts, self.alike.verdict.parts)
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
            "said": self.said,
            "verdict": self.here.said,
            "against": self.there.said,
            "budget_scale": self.here.scale.budget,
            "against_budget_scale": self.there.scale.budget,
            "turned": [
                {"effect": ours.effect.name, "outcome": ours.outcome, "against": theirs.outcome}
                for ours, theirs in self.turned
            ],
            "values": both,
            "values_same": same,
        }


def reproductions(cards: Sequence[Card], against: Path) -> list[Reproduction]:
    """Returns claims' cards beside those of another results folder."""
    store, found = Store(against), []
    for card in cards:
        there = Card(card.claim, store, Scale(), against)
        whole = card.scale == there.scale
        alike = there if whole else Card(card.claim, store, card.scale, against)
        found.append(Reproduction(card, there, alike))
    return found
