"""genbench claims: what the measurements say of every claim, what is missing, what was reproduced."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genbench.cli import common
from genbench.report.sheet import Emphasis, Sheet

if TYPE_CHECKING:
    from rich.console import Console

    from genbench.report.cards import Card, Variation
    from genbench.statistics.verdicts import VerdictPart

#: claims whose missing cells are told one by one
FEW = 4
#: from how many columns on which parts of the overview are shown
COLUMNS = (
    (170, ("claim", "verdict", "sentence", "parts", "leading effect", "mean [95 %]", "holds if", "seeds")),
    (120, ("claim", "verdict", "sentence", "parts", "mean [95 %]", "holds if", "seeds")),
    (0, ("claim", "verdict", "sentence")),
)
#: how a verdict is coloured in the overview
EMPHASIS: dict[str, Emphasis] = {
    **{"supported": "good", "refuted": "lost", "mixed": "doubtful"},
    **{"inconclusive": "faint", "by definition": "faint"},
}
COLOURS = {
    **{"supported": "green", "refuted": "red", "mixed": "yellow"},
    **{"inconclusive": "dim", "by definition": "dim"},
}


@click.command("claims")
@click.argument(
    "names", metavar="[ID]...", nargs=-1, shell_complete=common.complete("claim")
)
@common.budget_scale
@click.option("--seeds", type=click.IntRange(1, 10_000), help="How many seeds, from 0 on.")
@click.option(
    "--readme",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Rewrite the table between the markers <!-- claims:begin --> and end of this file.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Compare the verdicts with those of this results folder at the claims' own budget.",
)
@click.option(
    "--register",
    is_flag=True,
    help="Write bars, runs, budgets and metrics of the named claims to baselines/registrations.json.",
)
@click.option("--no-run", is_flag=True, help="With ID: show what has been measured; run nothing.")
@common.plugins
@common.results
@common.wide
@common.form
@common.as_json
def command(
    names: tuple[str, ...],
    budget_scale: str,
    seeds: int | None,
    readme: Path | None,
    against: Path | None,
    register: bool,
    no_run: bool,
    plugins: tuple[str, ...],
    root: Path,
    wide: bool,
    form: str,
    as_json: bool,
) -> None:
    """Show the verdicts on claims from the literature; with ID, run what those lack and explain them.

    Verdicts are computed from the records in the results folder. What an ID still lacks is run first, as
    `genbench run claims --claim ID` does, unless --no-run, --readme or --against is given.
    `genbench report` shows the same as a page.

    With `--against`, exit code 1 says that a claim, or a part of one, is supported in one folder and
    refuted in the other, or has not been measured here.

    Use `--register` before the first score: a verdict whose registration is younger, or whose terms have
    changed since, is shown as exploratory, with what changed.

    \b
    genbench claims -o results
    genbench claims mode-collapse -o results --no-run
    genbench claims nash-oscillation --json
    genbench claims -o results --readme docs/claims.md
    genbench claims --output again --against results
    genbench claims sample-quality --register
    """
    common.load_plugins(plugins)
    if register:
        return write_terms(names, as_json)
    from genbench.report.cards import make_cards
    from genbench.report.claim_tables import to_csv, to_markdown, update_readme
    from genbench.running.evidence import Scale
    from genbench.store import Store

    scale, code = Scale(budget_scale, seeds), 0
    cards = make_cards(Store(root), names, scale, root)
    if names and not (no_run or readme or against):
        cards, code = complete(cards, root, plugins, as_json)
    if readme is not None:
        changed = update_readme(readme, cards)
        click.echo(f"{readme}: {'rewritten' if changed else 'is current'}", err=as_json)
    if against is not None:
        raise SystemExit(reproduce(cards, against, as_json))
    if form != "table" and not as_json:
        write = to_markdown if form == "markdown" else to_csv
        click.echo(write(cards), nl=False)
    elif as_json or names:
        print_cards(common.make_console(wide), cards, as_json)
    elif readme is None:
        print_table(common.make_console(wide), cards, root)
    if code:
        raise SystemExit(code)


def write_terms(names: tuple[str, ...], as_json: bool) -> None:
    """Registers the named claims and says which had anything new."""
    from genbench.core.claim import find
    from genbench.running.registration import register

    written = register(find(names) if names else {})
    if as_json:
        common.print_json([{"id": name, "registered": new} for name, new in written])
        return
    for name, new in written:
        click.echo(f"{name}: {'registered' if new else 'is registered with these terms'}")


def print_cards(console: Console, cards: list[Card], as_json: bool) -> None:
    """Prints all about claims, for machines or for people."""
    from genbench.report.claim_tables import to_dict

    if as_json:
        common.print_json([to_dict(card) for card in cards])
        return
    for card in cards:
        print_claim(console, card)


def complete(
    cards: list[Card], root: Path, plugins: tuple[str, ...], as_json: bool
) -> tuple[list[Card], int]:
    """Runs what claims lack, as `genbench run claims` does; returns them anew, and the exit code.

    Raises:
        SystemExit: With 130, where the run is stopped.
    """
    from genbench.cli.execution import exit_code, make_listener, stopped_by_ctrl_c
    from genbench.report.cards import make_cards
    from genbench.running.claims import run_claims
    from genbench.running.suites import RunOptions
    from genbench.store import Store
    from genbench.store.absent import COMMITTED

    names = [card.claim.id for card in cards if card.missing]
    if not names:
        return cards, 0
    options, scale = RunOptions(root=root, plugins=plugins), cards[0].scale
    if root != COMMITTED and COMMITTED.is_dir():
        instead = f"genbench claims {' '.join(names)} -o {COMMITTED} --no-run"
        click.echo(f"running what {root} lacks; the committed verdict: {instead}", err=True)
    with stopped_by_ctrl_c():
        result = run_claims(names, options, scale=scale, listener=make_listener(root, as_json))
    code = exit_code(result)
    if code == 130:
        raise SystemExit(code)
    return make_cards(Store(root), [card.claim.id for card in cards], scale, root), code


def print_table(console: Console, cards: list[Card], root: Path) -> None:
    """Prints a row per claim with its sentence, as wide as the console; what is left out, and missing."""
    from genbench.report.sheet import print_sheet

    overview = make_table(cards, console.width)
    print_sheet(console, overview, fold=True, names=26)
    for sentence in overview.notes:
        console.print(sentence, style="dim", highlight=False, markup=False)
    for sentence in missing_sentences(cards, root):
        console.print(sentence, highlight=False, markup=False)


def make_table(cards: list[Card], width: int) -> Sheet:
    """Returns the overview for a terminal: id, verdict and sentence, and from 120 columns on numbers too."""
    from genbench.report.claim_tables import make_sheet

    overview = make_sheet(cards)
    names = [head.text for head in overview.heads]
    shown = next(columns for least, columns in COLUMNS if width >= least)
    places = [names.index(name) for name in shown]
    rows = [
        [replace(row[i], emphasis=EMPHASIS.get(card.verdict.outcome, "")) if i == 2 else row[i] for i in places]
        for card, row in zip(cards, overview.rows, strict=True)
    ]
    left = [name for name in names if name not in shown]
    scale = cards[0].scale.budget if cards else "default"
    notes = [
        *(["parts: + supported, - refuted, ? open, = by definition"] if "parts" in shown else []),
        f"budget scale: {scale}; verdicts from intervals over seeds, by Holm over parts and declared looks",
        *([f"left out: {', '.join(left)} (--wide); all about one: genbench claims ID"] if left else []),
    ]
    return Sheet([overview.heads[i] for i in places], rows, notes=notes)


def missing_sentences(cards: list[Card], root: Path) -> list[str]:
    """Returns what runs the cells that claims lack, and where the committed verdicts are if none is here."""
    from genbench.store.absent import COMMITTED

    lacking = [card for card in cards if card.missing]
    sentences = [
        f"{card.claim.id}: {sum(map(len, card.missing.values()))} cells to run: {card.command}"
        for card in lacking[:FEW]
    ]
    if len(lacking) > FEW:
        sentences = [
            f"{len(lacking)} claims lack runs, which all are made by: genbench run claims -o {root}; "
            "those of one by: genbench run claims --claim ID"
        ]
    if not any(card.known for card in cards) and root != COMMITTED and COMMITTED.is_dir():
        sentences.append(f"the committed verdicts: genbench claims -o {COMMITTED}")
    return sentences


def reproduce(cards: list[Card], against: Path, as_json: bool) -> int:
    """Prints verdicts beside those of another folder; returns the exit code."""
    from rich.console import Console
    from rich.table import Table

    from genbench.report.reproduction import FAILURES, compare_folders

    reproductions = compare_folders(cards, against)
    failed = [pair for pair in reproductions if pair.comparison in FAILURES]
    if as_json:
        common.print_json([pair.row for pair in reproductions])
        return int(bool(failed))
    table = Table(box=None, pad_edge=False)
    table.add_column("claim", no_wrap=True)
    for head in ("here", f"in {against}", "so", "the same values"):
        table.add_column(head, overflow="fold")
    for pair in reproductions:
        same, both = pair.values
        so = f"[red]{pair.comparison}[/red]" if pair in failed else pair.comparison
        kinds = [coloured(pair.here), coloured(pair.there), so]
        table.add_row(pair.here.claim.id, *kinds, f"{same} of {both}")
    console = Console()
    console.print(table)
    for pair in reproductions:
        for ours, theirs in pair.changed_parts:
            console.print(
                f"{pair.here.claim.id}: {ours.effect.name}: {ours.outcome} here, {theirs.outcome} there",
                highlight=False,
                markup=False,
            )
    count = len(reproductions) - len(failed)
    console.print(f"{count} of {len(reproductions)} claims are not contradicted", highlight=False)
    return int(bool(failed))


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

    claim = card.claim
    console.print(f"[bold]{claim.id}[/bold]  {coloured(card)}", end="  ")
    console.print(escape(f"({card.verdict.because})"), highlight=False)
    for text in (claim.statement, f"Source: {claim.source}", f"Why so: {claim.why}"):
        console.print(escape(text), highlight=False)
    table = Table(box=None, pad_edge=False)
    for head in ("effect", "mean [95 %]", "holds if", "seeds", "says", "80 % at"):
        table.add_column(head, overflow="fold")
    for part in card.verdict.parts:
        says = part.outcome if part.effect.judged else "shown beside"
        table.add_row(*cells(part), says, f"≈ {part.needed}" if part.needed else "")
    console.print(table)
    if card.without_seed:
        console.print(f"Verdict: {steadiness(card)}", highlight=False)
    for head, texts in list_details(card).items():
        for text in texts:
            console.print(escape(f"{head}: {text}"), highlight=False)
    if card.missing:
        console.print(f"Run it: {card.command}", highlight=False)
    console.print()


def list_details(card: Card) -> dict[str, list[str]]:
    """Returns the lists that follow a claim's effects, by their heads."""
    from genbench.report.claim_tables import needed_text

    claim, note = card.claim, card.claim.notes.get(card.verdict.outcome)
    changed = [s for s in card.budgets if s.name != card.scale.budget] + card.metrics
    unsure = [part for part in card.verdict.judged if part.outcome == "inconclusive"]
    return {
        "Exploratory": list(card.standing.reasons) if card.exploratory else [],
        "Power": [f"{p.effect.name}: {t}" for p in unsure if (t := needed_text(p))],
        "With": [f"{setting.kind} {setting.name}: {verdict_of(setting)}" for setting in changed],
        "A second look": [note] if note else [],
        "Not judged, as null rows pass": card.withheld,
        "No null row to check by": card.unchecked,
        "Cells": [str(run) for run in claim.runs],
        "Literature": list(claim.literature),
        "Threats": list(claim.threats),
        "Failed": [f"{name}: {count} seeds" for name, count in card.evidence.failed().items()],
        "Missing": [f"{name}: {len(seeds)} seeds" for name, seeds in card.missing.items()],
    }


def verdict_of(setting: Variation) -> str:
    """Returns the verdict with one thing changed, or that it has not been run."""
    return setting.verdict_text if setting.verdict is not None else f"not run; {setting.command}"


def cells(part: VerdictPart) -> list[str]:
    """Returns an effect's name, numbers, bar and seeds as a table shows them."""
    from rich.markup import escape

    from genbench.report.claim_tables import bar, numbers

    name, text = escape(part.effect.name), escape(numbers(part))
    return [name, text, bar(part), str(len(part.effect.values))]
