"""genbench report: records in, pages out."""

from __future__ import annotations

from pathlib import Path

import click

from genbench.cli import common


@click.command("report")
@common.suite
@common.config
@common.plugins
@common.results
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("report"),
    show_default=True,
    help="Where the pages go.",
)
@click.option("--title", default="genbench", show_default=True, help="The page's title.")
@common.wide
@common.ignore_damaged
@common.as_json
def command(
    suite: str | None,
    config: Path | None,
    plugins: tuple[str, ...],
    root: Path,
    folder: Path,
    title: str,
    wide: bool,
    ignore_damaged: bool,
    as_json: bool,
) -> None:
    """Write a folder of pages that works from disk, and the leaderboards; print the leaderboard.

    With SUITE only that suite's cells are shown, whatever their seeds; without it, all records. Columns
    that do not fit the terminal stand in a further block below.

    \b
    genbench report
    genbench report demo --to report
    genbench report likelihood -o results
    """
    from genbench.report.leaderboard import load_leaderboard
    from genbench.report.site.build import write_report
    from genbench.report.terminal import print_leaderboards
    from genbench.report.text import counted
    from genbench.store.absent import list_absent_claims

    common.load_plugins(plugins)
    board = load_leaderboard(root, suite=suite, config=config)
    common.settle()
    page = write_report(board, folder, title=title)
    problems, count = list(board.problems), len(board.records)
    if as_json:
        common.print_json({"page": str(page), "records": count, "set_aside": problems})
    else:
        console = common.make_console(wide)
        print_leaderboards(console, board.tables, whole=wide)
        line = f"{counted(count, 'record')}; page: {page}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for text in [] if suite else list_absent_claims(board.store):
        click.echo(text, err=True)
    common.tell_unread(problems, ignore=ignore_damaged)
