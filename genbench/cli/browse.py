"""genbench list: what there is to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from genbench.cli import carried, common, taxonomy
from genbench.core.errors import SpecError
from genbench.report import sheet
from genbench.report.text import direction

if TYPE_CHECKING:
    from rich.console import Console

#: columns of a terminal from which on more is shown, and everything
MEDIUM, WIDE = 120, 160
KINDS = ["models", "datasets", "metrics", "extractors", "claims", "suites", "sources"]
#: what terminals show of each kind, those of 80 columns and those of 120
SHOWN = {
    "datasets": (("name", "summary"), ("name", "paper", "summary")),
    "metrics": (("metric", "columns"), ("metric", "columns", "view", "summary")),
    "extractors": (("name", "summary"), ("name", "version", "summary")),
    "claims": (("name", "statement"), ("name", "statement", "source")),
    "suites": (("name", "seeds", "description"), ("name", "seeds", "datasets", "description")),
}


@click.command("list")
@click.argument("kind", metavar="KIND", type=click.Choice(KINDS))
@click.option(
    "--readme",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With sources: rewrite the tables between the markers <!-- sources:begin --> and end of this file.",
)
@common.config
@common.plugins
@common.wide
@common.form
@common.as_json
def command(
    kind: str,
    readme: Path | None,
    config: Path | None,
    plugins: tuple[str, ...],
    wide: bool,
    form: str,
    as_json: bool,
) -> None:
    """List models (as a taxonomy), datasets, metrics, extractors, claims, suites or sources.

    Sources are what the documents that this project started from name, beside what answers it here.

    Terminals of fewer than 160 columns get the most important columns; the last line says what is left
    out. `genbench show NAME` has all about one thing.

    \b
    genbench list models
    genbench list metrics --wide
    genbench list metrics --json
    genbench list sources --readme docs/sources.md
    """
    common.load_plugins(plugins)
    if readme is not None:
        common.refuse_form("list sources --readme")
        return rewrite(kind, readme, as_json)
    rows = describe(kind, config)
    if as_json:
        common.print_json(rows)
    elif form != "table":
        write = sheet.to_markdown_text if form == "markdown" else sheet.to_csv
        click.echo(write(make_sheet(rows)), nl=False)
    else:
        print_rows(common.make_console(wide), kind, rows)


def print_rows(console: Console, kind: str, rows: list[dict[str, Any]]) -> None:
    """Prints what there is of a kind, as wide as the console, and what is left out."""
    if not rows:
        console.print(f"no {kind} yet")
        return
    if kind == "sources":
        print_sources(console, rows)
        return
    if kind == "models":
        narrow = console.width < MEDIUM
        console.print(taxonomy.flat(rows) if narrow else taxonomy.tree(rows))
        omitted = ["paper"] if narrow else []
    else:
        rows = by_metric(rows) if kind == "metrics" else rows
        every = [key for key in rows[0] if key != "options"]
        some = SHOWN[kind][console.width >= MEDIUM]
        keys = every if console.width >= WIDE else some
        sheet.print_sheet(console, make_sheet(rows, keys), fold=True)
        omitted = [key for key in every if key not in keys]
    note = f"left out: {', '.join(omitted)} (--wide); " if omitted else ""
    text = carried.carry_plugins(f"{note}all about one: genbench show NAME")
    console.print(text, style="dim", highlight=False, markup=False)


def make_sheet(rows: list[dict[str, Any]], keys: Sequence[str] | None = None) -> sheet.Sheet:
    """Returns rows as a sheet, of some of their keys or of all."""
    keys = keys or list(rows[0] if rows else ())
    entries = [[sheet.Entry(cell(row[key]), value=cell(row[key])) for key in keys] for row in rows]
    return sheet.Sheet([sheet.Heading(key) for key in keys], entries)


def by_metric(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns a row per metric, with its columns, each with an arrow for the better direction."""
    metrics: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        metrics.setdefault(row["metric"], []).append(row)
    return [
        {
            "metric": name,
            "columns": ", ".join(
                f"{row['name']} {direction(row['better'])}".rstrip() for row in columns
            ),
            "unit": ", ".join(dict.fromkeys(row["unit"] for row in columns if row["unit"])),
            "view": columns[0]["view"],
            "paper": columns[0]["paper"],
            "summary": "; ".join(dict.fromkeys(row["summary"] for row in columns)),
        }
        for name, columns in metrics.items()
    ]


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
    from genbench.report.source_tables import update_page

    if kind != "sources":
        raise SpecError(
            f"--readme needs sources, got {kind}; type: genbench list sources --readme {quote(str(readme))}"
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
        from genbench.report.source_tables import describe as about_sources

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
