"""genbench claims: what the measurements say of every claim, what is missing, what was reproduced."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genbench.cli import carried, common
from genbench.core.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genbench.report.cards import Card
    from genbench.report.reproduction import Reproduction
    from genbench.running.scale import Scale


@click.command("claims")
@click.argument("names", metavar="[ID]...", nargs=-1, shell_complete=common.complete("claim"))
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
@common.ignore_damaged
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
    ignore_damaged: bool,
    as_json: bool,
) -> None:
    """Show the verdicts on claims from the literature; with ID, run what those lack and explain them.

    Verdicts are computed from the records in the results folder. What an ID still lacks is run first, as
    `genbench run claims --claim ID` does, unless --no-run, --readme or --against is given.
    `genbench report` shows the same as a page.

    Nothing is decided before all seeds that a claim plans were tried, completed or failed: with fewer, as
    with a small `--seeds`, it is inconclusive "so far", and the numbers beside are provisional.

    With `--against`, exit code 1 says that a claim, or a part of one, is supported in one folder and
    refuted in the other, or was measured only there; 4 that the other folder has measured none of them, so
    that nothing could be compared. Exit code 2 says that the folder named by -o has no records or trials, 3
    that runs failed, or that records or trials of either folder could not be read.

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
        common.refuse_unused("claims --register", {"names", "register", "plugins", "as_json"})
        return write_terms(names, as_json)
    if readme is not None:
        check_readme(seeds, budget_scale, prints=bool(names or against))
    from genbench.cli.claims_text import print_claims, reproduce
    from genbench.report.cards import make_cards
    from genbench.report.claim_readme import update_readme
    from genbench.running.scale import Scale
    from genbench.store import Store

    run = bool(names) and not (no_run or readme or against)
    require_content(root, filled=run)
    scale, code, unread = Scale(budget_scale, seeds), 0, list[str]()
    cards = make_cards(Store(root), names, scale, root)
    if run:
        cards, code = complete(cards, scale, root, plugins, as_json)
    if readme is not None:
        changed = update_readme(readme, cards)
        click.echo(f"{readme}: {'rewritten' if changed else 'is current'}", err=as_json)
    if against is not None:
        pairs = reproduce(cards, against, form=form, wide=wide, as_json=as_json)
        code = judge_pairs(pairs, against)
        unread += find_unread([pair.there for pair in pairs], against)
    elif names or as_json or readme is None:
        how = {"explained": bool(names), "form": form, "wide": wide, "as_json": as_json}
        print_claims(cards, root, **how)
    unread = list(dict.fromkeys([*find_unread(cards, root), *unread]))
    common.tell_unread(unread, ignore=ignore_damaged or code in (1, 3))
    if code:
        raise SystemExit(code)


def check_readme(seeds: int | None, budget_scale: str, *, prints: bool) -> None:
    """Refuses what `--readme` would leave unused.

    Raises:
        SpecError: Naming the options.
    """
    if seeds or budget_scale != "default":
        raise SpecError(
            "--readme writes what claims say at their own budget; leave out --seeds and --budget-scale"
        )
    if not prints:
        common.refuse_form("claims --readme")


def require_content(root: Path, *, filled: bool) -> None:
    """Refuses a folder that was named and holds nothing, unless it is about to be filled.

    Raises:
        StoreError: With what makes records there.
    """
    from genbench.store.absent import has_content, no_records
    from genbench.store.suites import CLAIMS

    if not filled and "root" in common.list_given_options() and not has_content(root):
        raise no_records(root, CLAIMS)


def judge_pairs(pairs: Sequence[Reproduction], against: Path) -> int:
    """Returns the exit code of a comparison; says on stderr where there was nothing to compare."""
    if any(pair.compared for pair in pairs):
        return int(any(pair.failed for pair in pairs))
    text = f"none of these claims is measured in {against}, so that nothing could be compared"
    click.echo(f"genbench: {text}", err=True)
    return 4


def find_unread(cards: list[Card], root: Path) -> list[str]:
    """Returns a sentence for every record that claims ask for, and every trial, that cannot be used."""
    from genbench.store.trial import Trials

    records = {text for card in cards for text in card.store.damaged.values()}
    return [*sorted(records), *(text for _, _, text in Trials(root).scan() if text)]


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


def complete(
    cards: list[Card], scale: Scale, root: Path, plugins: tuple[str, ...], as_json: bool
) -> tuple[list[Card], int]:
    """Runs what claims lack, as `genbench run claims` does; returns them anew, and the exit code.

    Raises:
        SystemExit: With 130, where the run is stopped.
    """
    from genbench.cli.execution import exit_code, make_listener, stopped_by_ctrl_c
    from genbench.cli.run_text import tell_exploratory
    from genbench.report.cards import make_cards
    from genbench.running.claims import run_claims
    from genbench.running.suites import RunOptions
    from genbench.store import Store
    from genbench.store.absent import COMMITTED
    from genbench.store.suites import CLAIMS

    names = [card.claim.id for card in cards if card.missing]
    if not names:
        return cards, 0
    options = RunOptions(root=root, plugins=plugins)
    if root != COMMITTED and COMMITTED.is_dir():
        instead = f"genbench claims {' '.join(names)} -o {COMMITTED} --no-run"
        text = f"running what {root} lacks; the committed verdict: {instead}"
        click.echo(carried.carry_plugins(text), err=True)
    listener = make_listener(root, as_json)
    tell_exploratory(CLAIMS, names, listener)
    with stopped_by_ctrl_c():
        result = run_claims(names, options, scale=scale, listener=listener)
    code = exit_code(result)
    if code == 130:
        raise SystemExit(code)
    return make_cards(Store(root), [card.claim.id for card in cards], scale, root), code
