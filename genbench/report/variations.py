"""A claim's verdict with one thing changed, and verdicts in words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from genbench.core.claim import Outcome
from genbench.statistics.verdicts import Verdict, VerdictPart, match_parts


@dataclass(frozen=True)
class Variation:
    """The verdict with one thing changed.

    Arguments:
        kind: What is changed: "budget" or "metric".
        name: To what.
        verdict: The verdict then, or None where nothing has been measured so.
        missing: Whether seeds are still missing.
        command: What runs it.
        own: The verdict of the card.
    """

    kind: str
    name: str
    verdict: Verdict | None
    missing: bool
    command: str
    own: Verdict

    @property
    def changed_parts(self) -> list[tuple[VerdictPart, Outcome]]:
        """The measured parts that say something else than on the card, with what they say there."""
        pairs = match_parts(self.verdict.parts, self.own.parts) if self.verdict is not None else []
        return [
            (now, own.outcome)
            for now, own in pairs
            if now.effect.judged and now.effect.values and now.outcome != own.outcome
        ]

    @property
    def part(self) -> VerdictPart | None:
        """The first part that changes; where none does, the first judged effect."""
        if self.changed_parts:
            return self.changed_parts[0][0]
        return lead_part(self.verdict) if self.verdict is not None else None

    @property
    def kind_of_verdict(self) -> str:
        """The verdict, or that there is nothing to make one of."""
        return describe_verdict(self.verdict, False) if self.verdict is not None else "not run"

    @property
    def verdict_text(self) -> str:
        """The verdict as people read it."""
        return (
            describe_verdict(self.verdict, self.missing) if self.verdict is not None else "not run"
        )


def describe_verdict(
    verdict: Verdict, missing: bool, waiting: Collection[str] = frozenset()
) -> str:
    """Returns a verdict, with "so far" while cells are missing, or that nothing has been measured.

    While cells of some data sets are `waiting` it is what the whole ones say, with their names.
    """
    if not any(part.effect.values for part in verdict.parts):
        return "not measured"
    places = verdict.by_data if waiting else {}
    outcomes = [f"{what} on {data}" for data, what in places.items() if data not in waiting]
    if outcomes:
        return f"{', '.join(outcomes)} so far"
    return f"{verdict.outcome} so far" if missing else verdict.outcome


def lead_part(verdict: Verdict) -> VerdictPart | None:
    """Returns the part that a verdict is shown by: the first judged one, else the first by definition."""
    return next(iter(verdict.judged), None) or next(iter(verdict.by_definition), None)
