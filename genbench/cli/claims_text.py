"""What `genbench claims` prints: the overview, cards, verdicts beside those of another folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from genbench.cli import carried, common
from genbench.report.sheet import Entry, Sheet

if TYPE_CHECKING:
    from rich.console import Console

    from genbench.report.cards import Card
    from genbench.report.fairness import Axis, EntrantTerms, ReadCells
    from genbench.report.reproduction import Reproduction
    from genbench.report.variations import Variation
    from genbench.statistics.verdicts import VerdictPart

#: claims whose missing cells are told one by one
FEW = 4
NUMBERS = ("mean [95 %]", "holds if", "seeds")
#: from how many columns on which parts of the overview are shown
COLUMNS = (
    (170, ("claim", "verdict", "sentence", "parts", "leading effect", *NUMBERS)),
    (120, ("claim", "verdict", "sentence", *NUMBERS)),
    (0, ("claim", "verdict", "sentence")),
)
#: how wide a column of the overview becomes, so that sentences have the room
WIDEST = {"verdict": 15}
COLOURS = {
    **{"supported": "green", "refuted": "red", "mixed": "yellow"},
    **{"inconclusive": "dim", "by definition": "dim"},
}


def print_claims(
    cards: list[Card], root: Path, *, explained: bool, form: str, wide: bool, as_json: bool
) -> None:
    """Prints claims: for programs, all about each, or the overview in a format; names absent ones."""
    from genbench.report import claim_json, claim_tables
    from genbench.store import Store
    from genbench.store.absent import list_absent_claims

    for text in [] if explained else list_absent_claims(Store(root)):
        click.echo(text, err=True)
    if as_json:
        common.print_json([claim_json.to_dict(card) for card in cards])
    elif form != "table":
        write = claim_tables.to_markdown if form == "markdown" else claim_tables.to_csv
        click.echo(write(cards), nl=False)
    elif explained:
        for card in cards:
            print_claim(common.make_console(wide), card)
    else:
        print_table(common.make_console(wide), cards, root)


def print_table(console: Console, cards: list[Card], root: Path) -> None:
    """Prints a row per claim with its sentence, as wide as the console; what is left out, and missing."""
    from genbench.report.sheet import print_sheet

    overview = make_table(cards, console.width)
    print_sheet(console, overview, fold=True, names=26, widest=WIDEST)
    for sentence in overview.notes:
        text = carried.carry_plugins(sentence)
        console.print(text, style="dim", highlight=False, markup=False)
    for sentence in missing_sentences(cards, root):
        console.print(sentence, highlight=False, markup=False)


def make_table(cards: list[Card], width: int) -> Sheet:
    """Returns the overview for a terminal: id, verdict and sentence, and from 120 columns on numbers too."""
    from genbench.report.claim_tables import make_sheet

    overview = make_sheet(cards)
    names = [head.text for head in overview.heads]
    heads = next(columns for least, columns in COLUMNS if width >= least)
    places = [names.index(name) for name in heads]
    rows = [
        [mark_verdict(row, card)[i] for i in places]
        for card, row in zip(cards, overview.rows, strict=True)
    ]
    stars = any(card.exploratory for card in cards)
    omitted = [name for name in names if name not in heads]
    scale = cards[0].scale.budget if cards else "default"
    notes = [
        *(["* exploratory: registered or changed after its first score"] if stars else []),
        *(["parts: + supported, - refuted, ? open, = by definition"] if "parts" in heads else []),
        f"budget scale: {scale}; verdicts from intervals over seeds, by Holm over parts and declared looks",
        *(
            [f"left out: {', '.join(omitted)} (--wide); all about one: genbench claims ID"]
            if omitted
            else []
        ),
    ]
    return Sheet([overview.heads[i] for i in places], rows, notes=notes)


def mark_verdict(row: Sequence[Entry], card: Card) -> list[Entry]:
    """Returns a row of the overview with its verdict in its colour, and a star where it is exploratory."""
    from genbench.report.claim_tables import EMPHASIS

    text = card.verdict_text.replace(", exploratory", " *")
    verdict = Entry(text, EMPHASIS.get(card.verdict.outcome, ""))
    return [verdict if entry.text == card.verdict_text else entry for entry in row]


def missing_sentences(cards: list[Card], root: Path) -> list[str]:
    """Returns what runs the cells that claims lack, and where the committed verdicts are if none is here."""
    from genbench.report.text import counted
    from genbench.store.absent import COMMITTED

    lacking = [card for card in cards if card.missing]
    sentences = [
        f"{card.claim.id}: {counted(sum(map(len, card.missing.values())), 'cell')} to run: {card.command}"
        for card in lacking[:FEW]
    ]
    if len(lacking) > FEW:
        words = " ".join([*lacking[0].scale.words, "-o", quote(str(root))])
        text = (
            f"{len(lacking)} claims lack runs; run all with: genbench run claims {words}; "
            f"those of one with: genbench run claims --claim ID {words}"
        )
        sentences = [carried.carry_plugins(text)]
    if not any(card.known for card in cards) and root != COMMITTED and COMMITTED.is_dir():
        sentences.append(f"the committed verdicts: genbench claims -o {COMMITTED}")
    return sentences


def reproduce(
    cards: list[Card], against: Path, *, form: str, wide: bool, as_json: bool
) -> list[Reproduction]:
    """Prints verdicts beside those of another folder; returns the comparisons."""
    from genbench.report import reproduction
    from genbench.report.sheet import print_sheet, to_csv, to_markdown

    pairs = reproduction.compare_folders(cards, against)
    sheet = reproduction.make_sheet(pairs, against)
    if as_json:
        common.print_json([pair.row for pair in pairs])
    elif form == "csv":
        click.echo(to_csv(sheet), nl=False)
    elif form == "markdown":
        click.echo("\n".join([*to_markdown(sheet), "", *(f"- {note}" for note in sheet.notes)]))
    else:
        console = common.make_console(wide)
        print_sheet(console, sheet, fold=True, names=26)
        for note in sheet.notes:
            console.print(note, highlight=False, markup=False)
    return pairs


def coloured(card: Card) -> str:
    """Returns the verdict in its colour, with "so far" while cells are missing."""
    colour = COLOURS[card.verdict.outcome]
    return f"[{colour}]{card.verdict_text}[/{colour}]"


def steadiness(card: Card) -> str:
    """Returns what becomes of the verdict when any one seed is left out."""
    own = card.verdict.outcome
    others = {seed: v for seed, v in card.without_seed.items() if v != own}
    if not others:
        return "the same without any one seed"
    return ", ".join(f"{verdict} without seed {seed}" for seed, verdict in others.items())


def print_claim(console: Console, card: Card) -> None:
    """Prints all about a claim."""
    from rich.markup import escape
    from rich.table import Table

    from genbench.report.claim_tables import says

    claim = card.claim
    because = escape(f"({card.verdict.because})")
    console.print(f"[bold]{claim.id}[/bold]  {coloured(card)}  {because}", highlight=False)
    for text in (claim.statement, f"Source: {claim.source}", f"Why so: {claim.why}"):
        console.print(escape(text), highlight=False)
    table = Table(box=None, pad_edge=False)
    for head in ("effect", "mean [95 %]", "holds if", "seeds", "says", "80 % at"):
        table.add_column(head, overflow="fold")
    for part in card.verdict.parts:
        needed = f"≈ {part.needed}" if part.needed else ""
        table.add_row(*cells(part), escape(says(part)), needed)
    console.print(table)
    if card.without_seed:
        console.print(f"Verdict: {steadiness(card)}", highlight=False)
    for head, texts in list_details(card).items():
        for text in texts:
            # one line of what holds a command, to be copied
            line = "genbench run" in text or "genbench claims" in text
            console.print(escape(f"{head}: {text}"), highlight=False, soft_wrap=line)
    if card.missing:
        # one line, to be copied
        command = f"Run it: {card.command}"
        console.print(command, highlight=False, markup=False, soft_wrap=True)
    console.print()


def _describe_registration(card: Card) -> list[str]:
    """A sentence where a score will not count as registered, or nothing but the file tells since when."""
    if card.forecast is not None:
        return [card.forecast]
    last = card.standing.registration
    if last is None or card.exploratory or card.standing.in_git:
        return []
    return [f"{last.date[:10]} as written: git has no history of it here"]


def list_details(card: Card) -> dict[str, list[str]]:
    """Returns the lists that follow a claim's effects, by their heads."""
    from genbench.report.claim_tables import explain_gap, needed_text
    from genbench.report.text import counted

    claim, note = card.claim, card.claim.notes.get(card.verdict.outcome)
    changed = [s for s in card.budgets if s.name != card.scale.budget] + card.metrics
    reasons = card.evidence.failure_reasons()
    unsure = [part for part in card.verdict.judged if part.outcome == "inconclusive"]
    return {
        "Exploratory": list(card.standing.reasons) if card.exploratory else [],
        "Registered": _describe_registration(card),
        "Tested anew": _in_one(filter(None, [card.standing.repeated])),
        "Still open": [f"{p.effect.name}: {t}" for p in unsure if (t := explain_gap(p))],
        "Power": [f"{p.effect.name}: {t}" for p in unsure if (t := needed_text(p))],
        "With": [f"{setting.kind} {setting.name}: {verdict_of(setting)}" for setting in changed],
        "A second look": [note] if note else [],
        "Not judged": card.withheld,
        "Not checked against null rows": _in_one(card.unchecked),
        "Needs no null row": _in_one(f"{n}: {why}" for n, why in claim.null_exemptions.items()),
        "On digits alone": [claim.digits_alone] if claim.digits_alone else [],
        "Intervals without test set and extractor": _in_one(card.without_test_set),
        "Room for rare events": card.rare_events,
        "By default beside tuned models": _in_one(card.tuned_unequally),
        "Equal amounts": [_describe_terms(terms) for terms in card.terms if terms.column],
        "Cells": [_describe_cells(read) for read in card.cells],
        "Literature": list(claim.literature),
        "Threats": list(claim.threats),
        "Failed": [
            f"{name}: {counted(count, 'seed')}: {reasons.get(name, 'diverged')}"
            for name, count in card.evidence.failed().items()
        ],
        "Missing": [
            f"{name}: {counted(len(seeds), 'seed')}" for name, seeds in card.missing.items()
        ],
    }


def _describe_terms(terms: EntrantTerms) -> str:
    """What a run was given, and its first column at the least amounts that any run on the data set has."""
    from genbench.report.fairness import AXES

    def describe(axis: Axis) -> str:
        value, by = terms.at_equal.get(axis), terms.passes.get(axis)
        if value is None:
            return f"{axis} not read"
        return f"{axis} {value:.3g}{f' ({by})' if by else ''}"

    amounts = f"{terms.amounts['rounds']:,.0f} rounds, {terms.amounts['examples']:,.0f} examples"
    equal = ", ".join(describe(axis) for axis in AXES)
    return f"{terms.run}: {amounts}; {terms.column} at equal {equal}"


def _describe_cells(read: ReadCells) -> str:
    """A run with the means of what was read of it, and of what that must be read beside."""
    means = [f"{c} {e.mean:.3g}" for c, e in read.columns.items() if e.mean is not None]
    return f"{read.run}: {', '.join(means)}" if means else str(read.run)


def _in_one(items: Iterable[str]) -> list[str]:
    """One line of all, which says nothing where there are none."""
    line = "; ".join(items)
    return [line] if line else []


def verdict_of(setting: Variation) -> str:
    """Returns the verdict with one thing changed, or that it has not been run."""
    return setting.verdict_text if setting.verdict is not None else f"not run; {setting.command}"


def cells(part: VerdictPart) -> list[str]:
    """Returns an effect's name, numbers, bar and seeds as a table shows them."""
    from rich.markup import escape

    from genbench.report.claim_tables import bar, numbers

    texts = (part.effect.name, numbers(part), bar(part), str(len(part.effect.values)))
    return [escape(text) for text in texts]
