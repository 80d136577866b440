"""genbench leaderboard: the ranked tables, for a terminal, a document, the public, or beside others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genbench.cli import common
from genbench.core.errors import SpecError

if TYPE_CHECKING:
    from genbench.report.leaderboard import Leaderboard
    from genbench.report.leaderboard_changes import Change
    from genbench.report.tables import Table


@click.command("leaderboard")
@common.suite
@common.datasets
@common.config
@common.plugins
@common.results
@common.wide
@common.form
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a page and leaderboard.md to this folder.",
)
@click.option(
    "--readme",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Rewrite the table between the markers <!-- leaderboard:begin --> and end of this file.",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write quality against cost, where most families compete, to this SVG file.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Print what differs from this results folder: new rows, scores and ranks that moved.",
)
@click.option("--title", default="genbench leaderboard", show_default=True, help="The title.")
@common.ignore_damaged
@common.as_json
def command(
    suite: str | None,
    datasets: tuple[str, ...],
    config: Path | None,
    plugins: tuple[str, ...],
    root: Path,
    wide: bool,
    form: str,
    folder: Path | None,
    readme: Path | None,
    picture: Path | None,
    against: Path | None,
    title: str,
    ignore_damaged: bool,
    as_json: bool,
) -> None:
    """Print the leaderboards of a results folder, or write them with --to or --readme.

    What decides on a data set comes first, then the headlines, then plugins' columns and what `run
    --metrics` named; --wide shows every column. With SUITE only that suite's cells are shown, whatever
    their seeds. Results that others submit are shown after `genbench validate` and `genbench merge`;
    every row of the page says which code and machine its numbers come from.

    \b
    genbench leaderboard
    genbench leaderboard -o results -d digits
    genbench leaderboard -o results --format markdown > leaderboard.md
    genbench leaderboard -o results --to public
    genbench leaderboard -o mine --against results
    """
    from dataclasses import asdict

    if folder is None and "title" in common.list_given_options():
        raise SpecError("--title needs --to; add it, or leave --title out")
    if against is None and (folder or readme or picture):
        common.refuse_form("leaderboard with --to, --readme or --picture")
    from genbench.report.leaderboard import load_leaderboard, write_leaderboards
    from genbench.report.leaderboard_changes import find_changes
    from genbench.report.text import counted

    common.load_plugins(plugins)
    about: dict[str, Any] = {"suite": suite, "config": config, "curves": False}
    board = load_leaderboard(root, **about)
    other = load_leaderboard(against, **about) if against else None
    common.settle()
    boards = (board,) if other is None else (board, other)
    check_datasets(boards, datasets)
    tables = choose_tables(board, datasets)
    page = write_leaderboards(tables, folder, title=title) if folder else None
    rewritten = update_files(tables, readme, picture)
    changes = None if other is None else find_changes(choose_tables(other, datasets), tables)
    problems, count = [text for side in boards for text in side.problems], len(board.records)
    if as_json:
        result = {
            "page": page and str(page),
            "readme_changed": readme is not None and rewritten[readme],
        }
        result |= {"picture_changed": rewritten[picture]} if picture else {}
        result |= {} if changes is None else {"changes": [asdict(change) for change in changes]}
        common.print_json({**result, "records": count, "set_aside": problems})
    else:
        if changes is not None:
            print_changes(changes, form, wide)
        elif page is None and not rewritten:
            print_tables(tables, form, wide)
        if page is not None:
            click.echo(f"{counted(count, 'record')}; page: {page}")
        for path, changed in rewritten.items():
            click.echo(f"{path}: {'rewritten' if changed else 'is current'}")
    common.tell_unread(problems, ignore=ignore_damaged)


def update_files(
    tables: Sequence[Table], readme: Path | None, picture: Path | None
) -> dict[Path, bool]:
    """Brings the files that were named up to date; returns by file whether it changed."""
    from genbench.report.leaderboard import update_readme

    changes = {readme: update_readme(readme, tables)} if readme else {}
    if picture:
        from genbench.report.site.picture import update_picture

        changes[picture] = update_picture(picture, tables)
    return changes


def check_datasets(boards: Sequence[Leaderboard], datasets: Sequence[str]) -> None:
    """Checks that every named data set has a table on one of some leaderboards.

    Raises:
        UnknownName: If one has none.
    """
    from genbench.core.errors import unknown

    names = {table.dataset for board in boards for table in board.tables}
    for name in datasets:
        if name not in names:
            raise unknown("dataset with records", name, names)


def choose_tables(board: Leaderboard, datasets: Sequence[str]) -> list[Table]:
    """Returns the tables of the named data sets, or all."""
    return [table for table in board.tables if not datasets or table.dataset in datasets]


def print_tables(tables: Sequence[Table], form: str, wide: bool) -> None:
    """Prints leaderboards in a format."""
    from genbench.report import formats, leaderboard
    from genbench.report.terminal import print_leaderboards

    if form == "table":
        print_leaderboards(common.make_console(wide), tables, whole=wide)
    elif form == "markdown":
        click.echo(leaderboard.to_markdown(tables, whole=wide), nl=False)
    else:
        click.echo(formats.to_csv(tables), nl=False)


def print_changes(changes: Sequence[Change], form: str, wide: bool) -> None:
    """Prints in a format what differs from the leaderboards of another folder."""
    from genbench.report.leaderboard_changes import make_sheet, summary, to_markdown
    from genbench.report.sheet import print_sheet, to_csv

    if form == "markdown":
        click.echo(to_markdown(changes), nl=False)
    elif form == "csv":
        click.echo(to_csv(make_sheet(changes)), nl=False)
    else:
        if changes:
            print_sheet(common.make_console(wide), make_sheet(changes), fold=True)
        click.echo(summary(changes))
