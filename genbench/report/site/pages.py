"""The pages of the overview, of a data set, of a model, and of two models side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genbench.report import reproduce, text
from genbench.report.columns import Cell, Column
from genbench.report.findings import caveats, findings
from genbench.report.groups import Group
from genbench.report.published_comparison import beside
from genbench.report.significance_groups import told_apart
from genbench.report.site import about, figures, templating
from genbench.report.site.site import Book, Chapter
from genbench.report.tables import Table
from genbench.statistics.intervals import LEVEL

#: points that a panel of the comparison's page keeps; a multiple of three, as base64 has it
FEW = 399
ROOT = "generative models"


def overview_page(made: Book, files: Sequence[str]) -> bytes:
    """Returns index.html."""
    tables = made.tables
    return templating.render(
        "index.html",
        **made.frame("index.html", "Overview"),
        tables=tables,
        overview=_overview(tables),
        ranks=text.RANKS,
        winners=_winners(made),
        taxonomy=_taxonomy(made),
        findings=findings(tables),
        caveats=caveats(tables, made.problems),
        pages={chapter.table.name: chapter.page for chapter in made.chapters},
        finished=made.finished,
        files=files,
    )


def dataset_page(made: Book, chapter: Chapter) -> bytes:
    """Returns the page of a data set."""
    table = chapter.table
    real = len(chapter.gallery.panels) - len(table.groups)
    links = [None] * real + [made.models[g.model] for g in table.groups]
    pareto = figures.quality_and_cost(table)
    plots = {"table": {"curves": chapter.curves, "pareto": pareto}}
    return templating.render(
        "dataset.html",
        **made.frame(chapter.page, table.name),
        **board(table, made.models),
        apart=told_apart(table),
        gallery=chapter.gallery,
        panels=list(zip(chapter.gallery.panels, links, strict=True)),
        quantities=chapter.curves,
        pareto=pareto,
        commands=[(g.label, reproduce.command(g), g) for g in table.groups],
        data=templating.embedded({"plots": plots, "labels": made.labels}),
    )


def board(table: Table, links: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Returns what the template of a leaderboard asks for; links hold the page of every model."""
    links = links or {}
    return {
        "table": table,
        "rows": [_row(table, group, links.get(group.model, "")) for group in table.groups],
        "floors": [text.number(table.floor(column)) for column in table.columns],
        "compact": sum(column.headline for column in table.columns),
        "ranks": text.RANKS,
        "published": beside(table),
    }


def model_page(made: Book, name: str) -> bytes:
    """Returns the page of a model: everything measured of it, on every data set."""
    places, plots, rows = [], {}, []
    for i, (chapter, groups) in enumerate(made.rows(name)):
        place = _place(f"place-{i}", chapter, groups)
        plots[place["id"]] = {"curves": place["quantities"]}
        places.append(place)
        for g in groups:
            label = f"{g.label} on {chapter.table.name}"
            rows.append({"label": g.label, "command": (label, reproduce.command(g), g)})
    groups = [g for _, groups in made.rows(name) for g in groups]
    steps = {r.sequential_steps for g in groups for r in g.ok if r.sequential_steps is not None}
    lost = [
        {"dataset": c.table.name, "seed": r.spec.seed, "status": r.status}
        | {
            "phase": r.phase or "–",
            "reason": (r.reason or "no reason recorded")[: templating.LONG],
        }
        for c, members in made.rows(name)
        for g in members
        for r in g.records
        if r.status != "ok"
    ]
    return templating.render(
        "model.html",
        **made.frame(made.models[name], name),
        model=name,
        family=groups[0].taxonomy,
        about=about.model(name),
        steps=", ".join(str(n) for n in sorted(steps)) or "–",
        places=places,
        rows=rows,
        failures=lost,
        data=templating.embedded({"plots": plots, "labels": made.labels}),
    )


def compared(made: Book) -> bytes:
    """Returns the page on which a reader chooses two models; it holds one value a seed."""
    from scipy.special import stdtrit

    tables = [_paired(chapter) for chapter in made.chapters]
    most = max((len(g.records) for t in made.tables for g in t.groups), default=2)
    student = {n: float(stdtrit(n - 1, (1 + LEVEL) / 2)) for n in range(2, max(3, most + 1))}
    return templating.render(
        "compare.html",
        **made.frame("compare.html", "Compare"),
        labels=made.labels,
        data=templating.embedded(
            {"tables": tables, "student": student, "plots": {}, "labels": made.labels}
        ),
    )


def _paired(chapter: Chapter) -> dict[str, Any]:
    table = chapter.table
    groups = []
    for group in table.groups:
        panel = chapter.panel(group)
        values = [table.cell(group, c).values for c in table.columns]
        rounded = [{s: float(f"{v:.6g}") for s, v in cell.items()} or None for cell in values]
        drawn = {"points": panel.points[: FEW * 16 // 3], "png": panel.png}
        drawn |= {"text": panel.text, "about": panel.about}
        groups.append({"label": group.label, "values": rounded, **drawn})
    columns = [
        {"heading": c.heading, "about": c.about, "better": c.better, "headline": c.headline}
        for c in table.columns
    ]
    head = {"name": table.name, "page": chapter.page, "centres": chapter.gallery.centres}
    return {**head, "columns": columns, "groups": groups}


def _place(id: str, chapter: Chapter, groups: Sequence[Group]) -> dict[str, Any]:
    table = chapter.table
    labels = {group.label for group in groups}
    quantities = []
    for quantity in chapter.curves:
        traces = [t for t in quantity["traces"] if t["label"] in labels]
        if traces:
            quantities.append({"name": quantity["name"], "traces": traces})
    return {
        "id": id,
        "page": chapter.page,
        "table": table,
        "panels": [chapter.panel(group) for group in groups],
        "centres": chapter.gallery.centres,
        "rows": [
            {**_row(table, group, ""), "lacking": _lacking(table, group)} for group in groups
        ],
        "quantities": quantities,
    }


def _row(table: Table, group: Group, page: str) -> dict[str, Any]:
    cells = [(column, table.cell(group, column)) for column in table.columns]
    return {
        "group": group,
        "page": page,
        "cells": [(column, cell, _hint(cell)) for column, cell in cells],
        "costs": [(name, value, _cost_key(group, name)) for name, value in group.costs.items()],
    }


def _lacking(table: Table, group: Group) -> dict[str, list[str]]:
    """The columns in which a row has no value, by the reason."""
    found: dict[str, list[str]] = {}
    for column in table.columns:
        cell = table.cell(group, column)
        if not cell.values:
            named = found.setdefault("; ".join(cell.reasons) or "not measured", [])
            if column.heading not in named:
                named.append(column.heading)
    return found


def _hint(cell: Cell) -> str:
    """The sentence behind a cell: its interval, or why there is none."""
    reasons = "; ".join(cell.reasons)
    if not cell.values:
        return reasons or "not measured"
    e = cell.estimate
    parts = [
        f"mean {text.interval(e)}",
        f"{e.n} seeds" + (", too few to tell" if e.too_few else ""),
    ]
    parts.append(f"floor {text.number(cell.floor)}" if cell.floor is not None else "")
    return "; ".join(part for part in (*parts, reasons) if part)


def _cost_key(group: Group, name: str) -> float | str:
    """What a cost column is sorted by: the number behind its text."""
    if name == "parameters":
        return next((r.parameters for r in group.records if r.parameters is not None), -1)
    if name == "training":
        return sum(r.used.seconds for r in group.ok) / max(1, len(group.ok))
    if name == "peak memory":
        return max((r.used.peak_memory_bytes or 0 for r in group.ok), default=0)
    return len(group.ok) if name == "ok" else group.costs[name]


def _winners(made: Book) -> dict[str, Any]:
    """The best row of every family in the column that a data set's plots show."""
    families = sorted({g.taxonomy for t in made.tables for g in t.groups if not g.reference})
    rows = []
    for chapter in made.chapters:
        column = figures.quality(chapter.table)
        if column is not None:
            cells = [_champion(made, chapter.table, column, family) for family in families]
            rows.append((chapter.table.name, chapter.page, column, cells))
    best = [(cell, row[0]) for row in rows for cell in row[-1] if cell and cell["best"]]
    return {"families": families if rows else [], "rows": rows, "best": best}


def _champion(made: Book, table: Table, column: Column, family: str) -> dict[str, Any] | None:
    sign = 1.0 if column.better == "lower" else -1.0
    running = [(g, table.cell(g, column)) for g in table.groups if g.taxonomy == family]
    running = [(sign * (c.estimate.mean or 0.0), g.label, g, c) for g, c in running if c.values]
    if not running:
        return None
    _, label, group, cell = min(running, key=lambda row: row[:2])
    shown = {"label": label, "page": made.models[group.model], "text": cell.text}
    shown |= {"command": reproduce.command(group)}
    shown |= {"n": cell.estimate.n, "training": group.costs["training"]}
    return {**shown, "rank": cell.rank, "last": cell.last, "best": cell.best}


def _taxonomy(made: Book) -> dict[str, Any]:
    """The families as a tree, with the models that have records."""
    root: dict[str, Any] = {"name": ROOT, "models": [], "children": []}
    members = {g.model: g.taxonomy for t in made.tables for g in t.groups}
    for name, taxonomy in sorted(members.items(), key=lambda item: (item[1], item[0])):
        node = root
        for part in taxonomy.split("/"):
            known = next((c for c in node["children"] if c["name"] == part), None)
            if known is None:
                known = {"name": part, "models": [], "children": []}
                node["children"].append(known)
            node = known
        node["models"].append((name, made.models[name]))
    return root


def _overview(tables: Sequence[Table]) -> dict[str, Any]:
    groups = [group for table in tables for group in table.groups]
    seeds = sorted({len(g.records) for g in groups})
    return {
        "models": len({g.model for g in groups}),
        "datasets": [table.name for table in tables],
        "runs": sum(len(g.records) for g in groups),
        "ok": sum(len(g.ok) for g in groups),
        "seeds": "–".join(str(n) for n in sorted({*seeds[:1], *seeds[-1:]})) or "0",
        "budgets": sorted({text.budget_text(g.first.spec.budget) for g in groups}),
    }
