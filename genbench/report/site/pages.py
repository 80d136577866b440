"""The pages of the overview, of a data set, of a model, and of two models side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genbench.report import reproduce, text
from genbench.report.ambiguity import describe_ambiguity
from genbench.report.columns import Cell, TableColumn
from genbench.report.counts import describe_counts
from genbench.report.findings import find_caveats
from genbench.report.floors import describe_floors
from genbench.report.groups import MEMORY, TRAINING, Group
from genbench.report.published_comparison import compare_with_published
from genbench.report.significance_groups import find_significance_groups
from genbench.report.site import about, figures, front, templating
from genbench.report.site.panorama import make_panel
from genbench.report.site.places import list_places
from genbench.report.site.samples import dataset_of
from genbench.report.site.site import Page, Site
from genbench.report.tables import Table
from genbench.report.winners import explain_marks
from genbench.statistics.intervals import LEVEL

#: points that a panel of the comparison's page keeps; a multiple of three, as base64 has it
FEW = 399
ROOT = "generative models"


def make_overview_page(site: Site, files: Sequence[str]) -> bytes:
    """Returns index.html."""
    tables = site.tables
    return templating.render(
        "index.html",
        **site.header("index.html", "Overview"),
        tables=tables,
        overview=_overview(tables),
        front=front.make_front(site),
        sheets=front.list_pictures(site),
        taxonomy=_taxonomy(site),
        caveats=find_caveats(tables, site.problems),
        finished=site.finished,
        files=files,
        **({"data": templating.embed({"plots": {}})} if tables else {}),
    )


def make_dataset_page(site: Site, page: Page) -> bytes:
    """Returns the page of a data set."""
    table = page.table
    real = len(page.gallery.panels) - len(table.groups)
    links = [None] * real + [site.models[g.model] for g in table.groups]
    pareto = figures.compare_quality_and_cost(table)
    plots = {"table": {"curves": page.curves, "pareto": pareto}}
    families, panel = front.list_families(site), make_panel(table)
    return templating.render(
        "dataset.html",
        **site.header(page.file, table.name),
        **make_board(table, site.models),
        standing=front.make_ranked(site, page) if table.contests else None,
        by_row=any(standings.by_row for standings in table.contests),
        picture=panel and {**panel, "short": site.short_names[table.name]},
        colours={family: i % 10 for i, family in enumerate(families)},
        significance_groups=find_significance_groups(table),
        gallery=page.gallery,
        ambiguity=describe_ambiguity(table, dataset_of(table)),
        panels=list(zip(page.gallery.panels, links, strict=True)),
        quantities=page.curves,
        pareto=pareto,
        commands=[(g.label, *describe_rerun(site, g), g) for g in table.groups],
        data=templating.embed({"plots": plots}),
    )


def describe_rerun(site: Site, group: Group) -> tuple[list[str], str]:
    """Returns the commands that make a row again, and what keeps them from the same numbers."""
    rerun = reproduce.Rerun(group)
    return rerun.list_commands(site.folder), rerun.note


def make_board(table: Table, links: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Returns what the template of a leaderboard asks for; links hold the page of every model."""
    links = links or {}
    lead = leading_columns(table)
    rest = [column for column in table.columns if column not in lead]
    return {
        "table": table,
        "rows": [_row(table, g, links.get(g.model, ""), lead, rest) for g in table.groups],
        "lead": lead,
        "rest": rest,
        "ranks": text.RANKS,
        "remarks": _remark(table, table.groups),
        "published": compare_with_published(table),
    }


def _remark(table: Table, groups: Sequence[Group]) -> list[str]:
    """What stands below a table: of its floors, and of seeds that were not measured by all columns."""
    counts = describe_counts(table, table.columns, groups)
    return [*describe_floors(table, table.columns), *counts]


def leading_columns(table: Table) -> list[TableColumn]:
    """Returns the columns that stand before the costs.

    What decides, what must be passed, what is never read without either (PSNR), what they are never read
    without (the spread of class accuracy), a sample's time.
    """
    columns = []
    if table.standings is not None:
        columns = [table.standings.column]
        columns += [c.column for c in table.standings.checks if c.column is not None]
        metrics = {column.metric for column in columns}
        columns += [c for c in table.columns if c.headline and metrics & c.never_without][:1]
        columns = table.accompany(columns)
    costs = [c for c in table.columns if c.is_cost and c not in columns]
    return [*columns, *costs[:1]]


def make_model_page(site: Site, name: str) -> bytes:
    """Returns the page of a model: everything measured of it, on every data set."""
    places, plots, rows = [], {}, []
    for i, (page, groups) in enumerate(site.rows(name)):
        place = _place(f"place-{i}", page, groups)
        plots[place["id"]] = {"curves": place["quantities"]}
        places.append(place)
        for g in groups:
            label = f"{g.label} on {page.table.name}"
            rows.append({"label": g.label, "command": (label, *describe_rerun(site, g), g)})
    groups = [g for _, groups in site.rows(name) for g in groups]
    steps = {r.sequential_steps for g in groups for r in g.ok if r.sequential_steps is not None}
    failures = [
        {"dataset": c.table.name, "seed": r.spec.seed, "status": r.status}
        | {
            "phase": r.phase or "–",
            "reason": (r.reason or "no reason recorded")[: templating.LONG],
        }
        for c, members in site.rows(name)
        for g in members
        for r in g.records
        if r.status != "ok"
    ]
    return templating.render(
        "model.html",
        **site.header(site.models[name], name),
        model=name,
        family=groups[0].taxonomy,
        about=about.describe_model(name),
        steps=", ".join(str(n) for n in sorted(steps)) or "–",
        places=places,
        stands=list_places(site, name),
        marks=explain_marks([page.table for page, _ in site.rows(name)]),
        rows=rows,
        failures=failures,
        data=templating.embed({"plots": plots}),
    )


def make_comparison_page(site: Site) -> bytes:
    """Returns the page on which a reader chooses two models; it holds one value per seed."""
    from scipy.special import stdtrit

    tables = [_paired(page) for page in site.pages]
    most = max((len(g.records) for t in site.tables for g in t.groups), default=2)
    student = {n: float(stdtrit(n - 1, (1 + LEVEL) / 2)) for n in range(2, max(3, most + 1))}
    return templating.render(
        "compare.html",
        **site.header("compare.html", "Compare"),
        labels=site.labels,
        data=templating.embed({"tables": tables, "student": student, "plots": {}}),
    )


def _paired(page: Page) -> dict[str, Any]:
    table = page.table
    groups = []
    for group in table.groups:
        panel = page.panel(group)
        values = [table.cell(group, c).values for c in table.columns]
        rounded = [{s: float(f"{v:.5g}") for s, v in cell.items()} or None for cell in values]
        picture = {"points": panel.points[: FEW * 16 // 3], "png": panel.png}
        picture |= {"text": panel.text, "about": panel.about}
        groups.append({"label": group.label, "values": rounded, **picture})
    columns = [
        {
            "heading": c.heading,
            "about": c.about,
            "better": c.better,
            "headline": c.headline,
            "closed": "" if table.judges(c) else table.gates[c].reason,
        }
        for c in table.columns
    ]
    head = {"name": table.name, "page": page.file, "centres": page.gallery.centres}
    return {**head, "columns": columns, "groups": groups}


def _place(id: str, page: Page, groups: Sequence[Group]) -> dict[str, Any]:
    table = page.table
    labels = {group.label for group in groups}
    quantities = []
    for quantity in page.curves:
        traces = [t for t in quantity["traces"] if t["label"] in labels]
        if traces:
            quantities.append({"name": quantity["name"], "traces": traces})
    return {
        "id": id,
        "page": page.file,
        "table": table,
        "remarks": _remark(table, groups),
        "panels": [page.panel(group) for group in groups],
        "centres": page.gallery.centres,
        "rows": [
            {**_row(table, group, "", [], list(table.columns)), "lacking": _lacking(table, group)}
            for group in groups
        ],
        "quantities": quantities,
    }


def _row(
    table: Table,
    group: Group,
    file: str,
    lead: Sequence[TableColumn],
    rest: Sequence[TableColumn],
) -> dict[str, Any]:
    cells = [
        [(column, cell, _hint(cell)) for column in part for cell in (table.cell(group, column),)]
        for part in (lead, rest)
    ]
    return {
        "group": group,
        "page": file,
        "lead": cells[0],
        "rest": cells[1],
        "costs": [
            (name, value, _cost_key(table, group, name))
            for name, value in table.costs(group).items()
        ],
    }


def _lacking(table: Table, group: Group) -> dict[str, list[str]]:
    """The columns in which a row has no value by any protocol, by the reason."""
    lacking: dict[str, list[str]] = {}
    measured = {column.heading for column in table.columns if table.cell(group, column).values}
    for column in table.columns:
        cell = table.cell(group, column)
        if not cell.values and column.heading not in measured:
            headings = lacking.setdefault("; ".join(cell.reasons) or "not measured", [])
            if column.heading not in headings:
                headings.append(column.heading)
    return lacking


def _hint(cell: Cell) -> str:
    """The sentence behind a cell: its interval, or why there is none."""
    reasons = "; ".join(cell.reasons)
    if not cell.values:
        return reasons or "not measured"
    e = cell.estimate
    parts = [
        f"mean {text.interval(e)}",
        f"{cell.seeds_text} seeds",
    ]
    parts.append(f"floor {text.number(cell.floor)}" if cell.floor is not None else "")
    return "; ".join(part for part in (*parts, reasons) if part)


def _cost_key(table: Table, group: Group, name: str) -> float | str:
    """What a cost column is sorted by: the number behind its text."""
    numbers = {"parameters": group.parameters, TRAINING: table.training(group).mean}
    numbers |= {MEMORY: table.memory(group)}
    if name in numbers:
        value = numbers[name]
        return "" if value is None else value
    return len(group.ok) if name == "ok" else group.costs[name]


def _taxonomy(site: Site) -> dict[str, Any]:
    """The families as a tree, with the models that have records."""
    root: dict[str, Any] = {"name": ROOT, "models": [], "children": []}
    members = {g.model: g.taxonomy for t in site.tables for g in t.groups}
    for name, taxonomy in sorted(members.items(), key=lambda item: (item[1], item[0])):
        node = root
        for part in taxonomy.split("/"):
            child = next((c for c in node["children"] if c["name"] == part), None)
            if child is None:
                child = {"name": part, "models": [], "children": []}
                node["children"].append(child)
            node = child
        node["models"].append((name, site.models[name]))
    return root


def _overview(tables: Sequence[Table]) -> dict[str, Any]:
    groups = [group for table in tables for group in table.groups]
    return {
        "models": len({g.model for g in groups}),
        "datasets": [table.name for table in tables],
        "runs": sum(len(g.tried) for g in groups),
        "ok": sum(len(g.ok) for g in groups),
        "seeds": text.count_range([len(g.tried) for g in groups if g.tried]),
        "budgets": sorted({text.budget_text(g.first.spec.budget) for g in groups}),
    }
