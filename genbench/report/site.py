"""The report: one page that works from disk, offline, and the leaderboards beside it."""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from genbench.core.files import write_bytes
from genbench.report import figures, samples, text
from genbench.report.columns import Cell
from genbench.report.findings import caveats, environment, findings
from genbench.report.groups import Group
from genbench.report.tables import Table, failures, leaderboards
from genbench.store import Store


def write_report(
    store: Store,
    out: Path,
    *,
    title: str = "genbench report",
    tables: Sequence[Table] | None = None,
    problems: Sequence[str] | None = None,
) -> Path:
    """Writes index.html, leaderboard.md and leaderboard.csv; returns the path of index.html.

    The page holds all it needs (styles, scripts, pictures) and asks the network for nothing.

    Arguments:
        store: The results folder.
        out: The folder to write to; it is made if need be.
        title: The page's title.
        tables: The folder's leaderboards, where the caller has them; they are made otherwise.
        problems: With them, what was set aside.
    """
    if tables is None or problems is None:
        records, problems = store.load()
        tables = leaderboards(records)
    problems = [p.replace(str(store.root) + "/", "") for p in problems]
    page = Path(out) / "index.html"
    write_bytes(Path(out) / "leaderboard.md", text.markdown(tables, title=title).encode())
    write_bytes(Path(out) / "leaderboard.csv", text.csv(tables).encode())
    write_bytes(page, render(store, tables, problems, title=title).encode())
    return page


def render(store: Store, tables: Sequence[Table], problems: Sequence[str], *, title: str) -> str:
    """Returns the page's HTML; all text from records is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    sections = [_section(i, store, table) for i, table in enumerate(tables)]
    plots = {s["id"]: {"curves": s["curves"], "pareto": s["pareto"]} for s in sections}
    records = [r for t in tables for g in t.groups for r in g.records]
    labels = Counter(g.label for t in tables for g in t.groups)
    engine = Environment(
        loader=PackageLoader("genbench.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    engine.filters["number"] = text.number
    drawn = any(s["curves"] or s["pareto"] for s in sections)
    return engine.get_template("index.html").render(
        title=title,
        style=Markup(_template("style.css")),
        script=Markup(_template("script.js")),
        plotly=Markup(_plotly() if drawn else ""),
        data=Markup(_json({"plots": plots, "labels": _by_count(labels)})),
        sections=sections,
        findings=findings(tables),
        caveats=caveats(tables, problems),
        failures=failures(tables).to_dict("records"),
        environment=environment(records),
        overview=_overview(tables),
        rank=text.rank_text,
        now=datetime.now(UTC).isoformat(timespec="seconds"),
        started=min((r.started for r in records if r.started), default=""),
        finished=max((r.finished for r in records if r.finished), default=""),
    )


def _section(i: int, store: Store, table: Table) -> dict[str, Any]:
    return {
        "id": f"data-{i}",
        "table": table,
        "rows": [_row(table, group) for group in table.groups],
        "floors": [text.number(table.floor(column)) for column in table.columns],
        "gallery": samples.gallery(store, table),
        "curves": figures.learning_curves(table),
        "pareto": figures.quality_and_cost(table),
        "commands": [(group.label, _command(group), group) for group in table.groups],
        "compact": sum(column.headline for column in table.columns),
    }


def _row(table: Table, group: Group) -> dict[str, Any]:
    cells = [(column, table.cell(group, column)) for column in table.columns]
    return {
        "group": group,
        "cells": [(column, cell, _hint(cell)) for column, cell in cells],
        "costs": [(name, value, _cost_key(group, name)) for name, value in group.costs.items()],
    }


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
        return sum(r.used.seconds for r in group.ok)
    if name == "peak memory":
        return max((r.used.peak_memory_bytes or 0 for r in group.ok), default=0)
    return len(group.ok) if name == "ok" else group.costs[name]


def _command(group: Group) -> str:
    """The command that makes a row again, but for options, which stand beside it."""
    seeds = len({r.spec.seed for r in group.records})
    spec = group.first.spec
    words = ["genbench", "run", "-m", spec.model, "-d", spec.dataset, "--seeds", str(seeds)]
    if spec.budget.steps is not None:
        words += ["--steps", str(spec.budget.steps)]
    return shlex.join(words)


def _overview(tables: Sequence[Table]) -> dict[str, Any]:
    groups = [group for table in tables for group in table.groups]
    families: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        families[group.taxonomy].add(group.model)
    seeds = sorted({len(g.records) for g in groups})
    budgets = sorted({text.budget_text(g.first.spec.budget) for g in groups})
    return {
        "families": sorted((name, sorted(models)) for name, models in families.items()),
        "models": len({g.model for g in groups}),
        "datasets": [table.name for table in tables],
        "runs": sum(len(g.records) for g in groups),
        "ok": sum(len(g.ok) for g in groups),
        "seeds": "–".join(str(n) for n in sorted({*seeds[:1], *seeds[-1:]})) or "0",
        "budgets": budgets,
    }


def _by_count(labels: Counter[str]) -> list[str]:
    """The labels in the order of their colours: first those that stand in most tables."""
    return sorted(labels, key=lambda label: (-labels[label], label))


def _template(name: str) -> str:
    return (files("genbench.report") / "templates" / name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs().replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    safe = json.dumps(_finite(value), separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return safe.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list) else value
