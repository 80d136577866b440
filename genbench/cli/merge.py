"""genbench merge: several results folders into one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from genbench.cli import common

#: conflicts that are printed
MOST = 20
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("merge")
@click.argument("sources", metavar="RESULTS...", nargs=-1, required=True, type=FOLDER)
@click.option(
    "-o",
    "--output",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder of the union; records that it already holds come first.",
)
@click.option(
    "--keep",
    type=click.Choice(["none", "first", "last", "newest"]),
    default="none",
    show_default=True,
    help="Which of two records in conflict is kept; none: write nothing and exit 1.",
)
@common.ignore_damaged
@common.as_json
def command(
    sources: tuple[Path, ...], root: Path, keep: Any, ignore_damaged: bool, as_json: bool
) -> None:
    """Merge results folders by cell; equal records become one, conflicts are shown.

    Times keep the machine that they are of, where it is not the record's. What a run or another merge has
    in hand stops a merge before it writes anything (exit code 2).

    \b
    genbench merge laptop cluster -o both
    genbench merge old new -o both --keep newest
    """
    from dataclasses import asdict

    from genbench.store import Store
    from genbench.store.absent import has_content, no_records
    from genbench.store.merge import merge

    if not any(map(has_content, sources)):
        raise no_records(sources[0])
    result = merge([Store(source) for source in sources], Store(root), keep=keep)
    stuck = bool(result.conflicts) and keep == "none"
    if as_json:
        common.print_json({"ok": not stuck, **asdict(result)})
    else:
        for conflict in result.conflicts[:MOST]:
            click.echo(f"conflict in {conflict.cell}: {conflict.first} | {conflict.second}")
            for line in conflict.differences[:5]:
                click.echo(f"    {line}")
        done = (
            f"nothing is written because of {len(result.conflicts)} conflicts; choose with --keep"
            if stuck
            else f"{result.written} records and {result.trials} files of trials in {root}, "
            f"{result.same} were there more than once, "
            f"{len(result.conflicts)} conflicts settled by --keep {keep}"
        )
        click.echo(done)
    if stuck:
        raise SystemExit(1)
    common.tell_unread(result.set_aside, ignore=ignore_damaged)
