"""genbench report: records in, pages out."""

from __future__ import annotations

from pathlib import Path

import click

from genbench.cli import common


@click.command("report")
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
@common.as_json
def command(root: Path, folder: Path, title: str, as_json: bool) -> None:
    r"""Write leaderboard.md, leaderboard.csv and a self-contained index.html; print the leaderboard.

    \b
    genbench report -o results --to report
    """
    from rich.console import Console

    from genbench.core.errors import StoreError
    from genbench.report.site import write_report
    from genbench.report.tables import leaderboards
    from genbench.report.terminal import print_leaderboard
    from genbench.store import Store

    store = Store(root)
    records = list(store.records())
    problems = store.problems()
    if not records:
        raise StoreError(f"{root} holds no records; make some with: genbench run demo -o {root}")
    page = write_report(store, folder, title=title)
    if as_json:
        common.print_json({"page": str(page), "records": len(records), "set_aside": problems})
        return
    console = Console()
    print_leaderboard(console, leaderboards(records))
    for problem in problems:
        console.print(f"set aside: {problem}", markup=False)
    console.print(f"{len(records)} records; page: {page}", highlight=False)
