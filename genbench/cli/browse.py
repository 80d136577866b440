"""genbench list: what there is to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genbench.cli import common, taxonomy
from genbench.core.errors import SpecError

if TYPE_CHECKING:
    from rich.console import Console

#: what a narrow terminal leaves out; --json and `genbench show` have it
DETAILS = {"version", "paper", "metric"}
WIDE = 120
KINDS = ["models", "datasets", "metrics", "extractors", "claims", "suites", "sources"]


@click.command("list")
@click.argument("kind", type=click.Choice(KINDS))
@click.option(
    "--readme",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With sources: rewrite the tables between the markers <!-- sources:begin --> and end of this file.",
)
@common.config
@common.plugins
@common.as_json
def command(
    kind: str, readme: Path | None, config: Path | None, plugins: tuple[str, ...], as_json: bool
) -> None:
    """List models (as a taxonomy), datasets, metrics, extractors, claims, suites or sources.

    Sources are what the documents that this project started from name, beside what answers it here.

    \b
    genbench list models
    genbench list metrics --json
    genbench list sources --readme docs/sources.md
    """
    common.load_plugins(plugins)
    if readme is not None:
        return rewrite(kind, readme, as_json)
    rows = describe(kind, config)
    if as_json:
        common.print_json(rows)
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if kind == "models":
        console.print(taxonomy.tree(rows))
        return
    if kind == "sources":
        print_sources(console, rows)
        return
    hidden = {"options"} | (DETAILS if console.width < WIDE else set())
    columns = [key for key in (rows[0] if rows else {}) if key not in hidden]
    table = Table(box=None, pad_edge=False)
    for key in columns:
        table.add_column(key, overflow="fold")
    for row in rows:
        table.add_row(*(cell(row[key]) for key in columns))
    console.print(table if rows else f"no {kind} yet")


def print_sources(console: Console, rows: list[dict[str, Any]]) -> None:
    """Prints what the sources name, kind by kind, a line or more each."""
    from rich.padding import Padding
    from rich.text import Text

    kinds = dict.fromkeys(row["kind"] for row in rows)
    for kind in kinds:
        console.print(Text(f"{kind}s", style="bold"))
        for row in rows:
            if row["kind"] != kind:
                continue
            console.print(Padding(Text(f"{row['name']} → {row['here'] or '–'}"), (0, 0, 0, 2)))
            if row["missing"]:
                missing = f"missing: {row['missing']} {row['command']}"
                console.print(Padding(Text(missing, style="yellow"), (0, 0, 0, 4)))


def rewrite(kind: str, readme: Path, as_json: bool) -> None:
    """Rewrites the tables of the sources in a Markdown file.

    Raises:
        SpecError: If another kind is listed.
    """
    from genbench.report.sources import update_page

    if kind != "sources":
        raise SpecError(
            f"--readme needs sources, got {kind}; type: genbench list sources --readme {readme}"
        )
    changed = update_page(readme)
    if as_json:
        common.print_json({"readme_changed": changed})
    else:
        click.echo(f"{readme}: {'rewritten' if changed else 'is current'}")


def describe(kind: str, config: Path | None) -> list[dict[str, Any]]:
    """Returns one JSON-ready object per thing, each with its `name`."""
    if kind == "suites":
        return [
            {
                "name": name,
                "seeds": len(suite.seed_list),
                "models": sorted({part.name for cells in suite.cells for part in cells.models}),
                "datasets": sorted(
                    {part.name for cells in suite.cells for part in cells.datasets}
                ),
                "description": suite.description,
            }
            for name, suite in common.suites(config).items()
        ]
    if kind == "models":
        return taxonomy.rows()
    if kind == "sources":
        from genbench.report.sources import describe as about_sources

        return about_sources()
    if kind == "datasets":
        from genbench.core.dataset import DATASETS
        from genbench.core.dataset import describe as about_data

        return [about_data(entry) for entry in DATASETS.all().values()]
    if kind == "metrics":
        return metric_rows()
    from genbench.core.claim import CLAIMS
    from genbench.core.feature import EXTRACTORS

    if kind == "claims":
        return [
            {"name": c.id, "statement": c.statement, "source": c.source}
            for c in CLAIMS.all().values()
        ]
    return [
        {"name": n, "version": e.version, "summary": (e.__doc__ or "").strip().split("\n")[0]}
        for n, e in EXTRACTORS.all().items()
    ]


def metric_rows() -> list[dict[str, Any]]:
    """Returns one object per column of a metric."""
    from genbench.core.metric import METRICS

    return [
        {
            "name": column,
            "metric": entry.name,
            "better": meaning.better,
            "unit": meaning.unit,
            "ideal": meaning.ideal,
            "view": entry.view,
            "version": entry.version,
            "paper": entry.paper,
            "options": entry.options,
            "summary": meaning.doc,
        }
        for entry in METRICS.all().values()
        for column, meaning in entry.columns.items()
    ]


def cell(value: Any) -> str:
    """Returns a value as a table shows it."""
    if value is None:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
