"""Claims at half and at double their budget: how many verdicts hang on how long models train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genbench.report import sheet
from genbench.report.cards import Card
from genbench.report.claim_tables import EMPHASIS, tally_text
from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.variations import Variation
from genbench.statistics.verdicts import OPPOSITES, find_turned

#: the budgets that are compared with the claims' own, with how a sentence names them
BUDGETS = {"double": "twice the rounds", "half": "half the rounds"}


@dataclass(frozen=True)
class BudgetComparison:
    """The claims that are measured in full at their own budget and at another one.

    Arguments:
        budget: The other one.
        same: Those whose verdicts are the same, and no part of which turns round.
        changed: Those that say something else.
        opposite: Those of them that, or a part of which, are supported at one and refuted at the other.
        open: Those that are not measured in full at the other budget.
        partly: Those with the same verdict of which a part says something else.
    """

    budget: str
    same: tuple[str, ...]
    changed: tuple[str, ...]
    opposite: tuple[str, ...]
    open: tuple[str, ...]
    partly: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """How many claims have another verdict, e.g. "At twice the rounds 3 of 20 claims say something else".

        It counts whole verdicts, and says how many of the others have parts that say something else.
        """
        measured = len(self.same) + len(self.changed)
        if not measured:
            return f"No claim is measured in full at {BUDGETS[self.budget]}."
        many = len(self.opposite) or "none"
        opposite = f", {many} of them the opposite in a part or the whole" if self.changed else ""
        rest = f"; {len(self.open)} are not measured in full there" if self.open else ""
        return (
            f"At {BUDGETS[self.budget]} {len(self.changed)} of {measured} claims "
            f"say something else as a whole{opposite}{self._describe_parts()}{rest}."
        )

    def _describe_parts(self) -> str:
        """How many of the claims with the same verdict have a part that says something else."""
        if not self.same:
            return ""
        some = f"{len(self.partly)} ({', '.join(self.partly)})" if self.partly else "none"
        return f"; of the other {len(self.same)} a part of {some} does"


def find_whole(card: Card) -> dict[str, Variation]:
    """Returns a claim's verdicts at the budgets at which all of its seeds were tried."""
    return {
        variation.name: variation
        for variation in card.budgets
        if variation.verdict is not None and not variation.missing
    }


def compare_budgets(cards: Sequence[Card], budget: str) -> BudgetComparison:
    """Returns which claims say something else at another budget; those without rounds are left out."""
    same, changed, opposite, missing, partly = [], [], [], [], []
    for card in cards:
        if card.scale.budget != "default" or card.provisional or not card.known:
            continue
        if budget not in {variation.name for variation in card.budgets}:
            continue
        other = find_whole(card).get(budget)
        if other is None or other.verdict is None:
            missing.append(card.claim.id)
            continue
        outcomes = {card.verdict.outcome, other.verdict.outcome}
        turned = find_turned(other.verdict, card.verdict)
        alike = len(outcomes) == 1 and not turned
        (same if alike else changed).append(card.claim.id)
        partly += [card.claim.id] if alike and other.changed_parts else []
        opposite += [card.claim.id] if turned or outcomes == OPPOSITES else []
    return BudgetComparison(budget, *map(tuple, (same, changed, opposite, missing, partly)))


def make_sheet(cards: Sequence[Card]) -> Sheet:
    """Returns the claims that say something else at half or double their budget, with their parts."""
    comparisons = [compare_budgets(cards, budget) for budget in BUDGETS]
    changed = {name for comparison in comparisons for name in comparison.changed}
    names = ("half", "default", "double")
    rows = []
    for card in cards:
        if card.claim.id in changed:
            whole = find_whole(card)
            rows.append([Entry(card.claim.id), *(_entry(whole.get(name)) for name in names)])
    return Sheet(
        [Heading("claim"), *map(Heading, names)],
        rows,
        title="Verdicts that hang on the budget",
        notes=[comparison.sentence for comparison in comparisons],
    )


def to_markdown(cards: Sequence[Card]) -> str:
    """Returns the comparison in Markdown: a sentence a budget, and the claims that say something else."""
    table = make_sheet(cards)
    lines = [" ".join(table.notes)]
    if table.rows:
        lines += ["", *sheet.to_markdown(table)]
    return "\n".join(lines) + "\n"


def _entry(one: Variation | None) -> Entry:
    if one is None or one.verdict is None:
        return Entry("not in full", "faint")
    outcome = one.verdict.outcome
    return Entry(outcome, EMPHASIS.get(outcome, ""), f" ({tally_text(one.verdict)})")
