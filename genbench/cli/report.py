"""genbench report: records in, pages out."""

from __future__ import annotations

from pathlib import Path

import click

from genbench.cli import common


@click.command("report")
@click.argument("suite_name", metavar="[SUITE]", required=False)
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
@common.as_json
def command(
    suite_name: str | None,
    config: Path | None,
    plugins: tuple[str, ...],
    root: Path,
    folder: Path,
    title: str,
    as_json: bool,
) -> None:
    """Write a folder of pages that works from disk, and the leaderboards; print the leaderboard.

    With SUITE only that suite's cells are shown, whatever their seeds; without it, all records.

    \b
    genbench report
    genbench report demo --to report
    """
    from rich.console import Console

    from genbench.core.errors import StoreError
    from genbench.report.site.build import write_report
    from genbench.report.tables import leaderboards
    from genbench.report.terminal import print_leaderboard
    from genbench.store import Store

    common.load_plugins(plugins)
    store = Store(root, groups=groups(suite_name, config) if suite_name else None)
    records, problems = store.load()
    if not records:
        suite = suite_name or "demo"
        held = f"holds no records of suite {suite!r}" if suite_name else "holds no records"
        raise StoreError(f"{root} {held}; make some with: genbench run {suite} -o {root}")
    tables = leaderboards(records)
    page = write_report(store, folder, title=title, tables=tables, problems=problems)
    if as_json:
        common.print_json({"page": str(page), "records": len(records), "set_aside": problems})
        return
    console = Console()
    print_leaderboard(console, tables)
    for problem in problems:
        console.print(f"set aside: {problem}", markup=False)
    console.print(f"{len(records)} records; page: {page}", highlight=False)


def groups(suite_name: str, config: Path | None) -> set[str]:
    """Returns the groups of a suite's cells."""
    from genbench.core.errors import unknown
    from genbench.running.plan import groups_of

    known = common.suites(config)
    if suite_name not in known:
        raise unknown("suite", suite_name, known)
    return groups_of(known[suite_name])
