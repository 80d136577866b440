"""What documents show of the claims: the overview, the scoreboard, and what hangs on what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from genbench.core.claim import Outcome
from genbench.report import budget_table, claim_tables, readme, sheet
from genbench.report.cards import Card
from genbench.report.sheet import Heading, Sheet
from genbench.report.variations import describe_verdict
from genbench.statistics.looks import LAST
from genbench.statistics.verdicts import OPPOSITES, VerdictPart

#: what inconclusive claims lack: seeds, more of them than may be added, or runs of some of their parts
LACKS = ("more seeds would tell", f"{LAST} seeds would not", "measured in part")


def update_readme(path: Path, cards: Sequence[Card]) -> bool:
    """Writes what a file has markers for; returns if it changed.

    The overview (`claims`), the scoreboard, the verdicts that hang on the budget (`budgets`), or the claims
    that are read on digits alone (`digits-alone`).

    Raises:
        DataError: If the file cannot be read or has no pair of markers.
    """
    bodies = {
        "claims": lambda: claim_tables.to_markdown(cards),
        "scoreboard": lambda: to_scoreboard(cards),
        "budgets": lambda: budget_table.to_markdown(cards),
        "digits-alone": lambda: to_digits_alone(cards),
    }
    return readme.update(path, bodies)


def group_by_verdict(cards: Sequence[Card]) -> list[tuple[str, list[Card]]]:
    """Returns claims by verdict, those without measurements last.

    Claims that wait for whole data sets stand by what the others say, before those left open.
    """
    kinds = ["supported", "refuted", "mixed", "inconclusive", "by definition", "not measured"]
    groups: dict[str, list[Card]] = defaultdict(list)
    for card in cards:
        text = describe_verdict(card.verdict, True, card.waiting) if card.waiting else card.kind
        groups[text].append(card)
    partial = sorted(set(groups) - {*kinds})
    order = [*kinds[:3], *partial, *kinds[3:]]
    return [(kind, groups[kind]) for kind in order if kind in groups]


def to_scoreboard(cards: Sequence[Card]) -> str:
    """Returns the claims by verdict in Markdown, exploratory ones in italics."""
    heads = [Heading("verdict"), Heading("claims")]
    rows = []
    for kind, members in _split_open(group_by_verdict(cards)):
        names = (f"*{c.claim.id}*" if c.exploratory else c.claim.id for c in members)
        rows.append(f"| {kind} ({len(members)}) | {', '.join(names)} |")
    head = sheet.to_markdown(Sheet(heads, []))
    return "\n".join([*head, *rows]) + "\n"


def _split_open(
    groups: Sequence[tuple[str, list[Card]]],
) -> Iterator[tuple[str, list[Card]]]:
    """Yields groups, what is inconclusive by what it lacks: seeds, more than may be added, or runs."""
    for kind, members in groups:
        if kind != "inconclusive":
            yield kind, members
            continue
        by_lack: dict[str, list[Card]] = {lack: [] for lack in LACKS}
        for card in members:
            by_lack[_describe_lack(card)].append(card)
        yield from ((f"{kind}, {lack}", some) for lack, some in by_lack.items() if some)


def _describe_lack(card: Card) -> str:
    """What an inconclusive claim lacks, one of `LACKS`."""
    seeds, precision, runs = LACKS
    gaps = (
        not part.effect.values or part.effect.waits_for or part.seeds_so_far
        for part in card.verdict.judged
    )
    if card.provisional and any(gaps):  # what never came to be, as a stop, has no values either
        return runs
    return seeds if _would_tell(card) else precision


def _would_tell(card: Card) -> bool:
    """Whether the most seeds ever added would decide the claim: all of its parts, or one each way."""
    measured = [part for part in card.verdict.judged if part.effect.values]
    outcomes = {_foresee(part, refutes=card.refutes) for part in measured}
    return outcomes >= OPPOSITES or "inconclusive" not in outcomes


def _foresee(part: VerdictPart, *, refutes: bool) -> Outcome:
    """What a part says after the most seeds ever added, were its mean the true one."""
    mean, effect = part.estimate.mean, part.effect
    too_near = part.needed is None or part.needed > LAST
    if part.outcome != "inconclusive" or too_near or mean is None:
        return part.outcome
    if (mean > effect.bar) == (effect.wanted == "above"):
        return "supported"
    return "refuted" if refutes else "inconclusive"


def to_digits_alone(cards: Sequence[Card]) -> str:
    """Returns in Markdown the claims that read digits and not Fashion-MNIST, with reasons."""
    alone = [card.claim for card in cards if card.claim.digits_alone]
    return "\n".join(f"- {claim.id}: {claim.digits_alone}." for claim in alone) + "\n"
