"""genbench export: measurements as a table for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from genbench.cli import common


@click.command("export")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@common.results
@common.ignore_damaged
def command(path: Path, root: Path, ignore_damaged: bool) -> None:
    """Write all measurements to FILE (.csv or .parquet), one row per (cell, column, split).

    Exit code 3 says that records could not be read, and are not in FILE.

    \b
    genbench export scores.csv
    genbench export scores.parquet -o runs
    """
    from genbench.report.results import export_results

    rows, problems = export_results(root, path)
    click.echo(f"{rows} measurements in {path}")
    common.tell_unread(problems, ignore=ignore_damaged)
