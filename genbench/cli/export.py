"""genbench export: measurements as a table for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from genbench.cli import common


@click.command("export")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@common.results
def command(path: Path, root: Path) -> None:
    """Write all measurements to FILE (.csv or .parquet), one row per (cell, column, split).

    \b
    genbench export scores.csv
    genbench export scores.parquet -o results
    """
    from genbench.report.results import export_results

    rows = export_results(root, path)
    click.echo(f"{rows} measurements in {path}")
