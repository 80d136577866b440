"""genbench leaderboard: the table for the public."""

from __future__ import annotations

from pathlib import Path

import click

from genbench.cli import common


@click.command("leaderboard")
@common.plugins
@common.results
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
@click.option("--title", default="genbench leaderboard", show_default=True, help="The title.")
@common.ignore_damaged
@common.as_json
def command(
    plugins: tuple[str, ...],
    root: Path,
    folder: Path | None,
    readme: Path | None,
    title: str,
    ignore_damaged: bool,
    as_json: bool,
) -> None:
    """Write the public leaderboard of a results folder; without --to or --readme print it.

    Results that others submit are shown after `genbench validate` and `genbench merge`; every row
    says which code and machine its numbers come from.

    \b
    genbench leaderboard --to public
    genbench leaderboard -o results --readme results/README.md
    """
    from genbench.report.leaderboard import load_leaderboard, update_readme

    common.load_plugins(plugins)
    board = load_leaderboard(root)
    page = board.write(folder, title=title) if folder else None
    changed = update_readme(readme, board.tables) if readme else False
    problems, count = list(board.problems), len(board.records)
    if as_json:
        result = {"page": page and str(page), "readme_changed": changed}
        common.print_json({**result, "records": count, "set_aside": problems})
    elif page is None and readme is None:
        click.echo(board.to_markdown(), nl=False)
    if page is not None and not as_json:
        click.echo(f"{count} records; page: {page}")
    if readme is not None and not as_json:
        click.echo(f"{readme}: {'rewritten' if changed else 'is current'}")
    common.tell_unread(problems, ignore=ignore_damaged)
