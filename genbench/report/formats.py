"""Leaderboards for papers and other programs: Markdown, LaTeX, CSV, JSON and Parquet."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from genbench.report import sheet, text
from genbench.report.columns import Cell, TableColumn
from genbench.report.compact import compact_columns
from genbench.report.costs import time_training
from genbench.report.counts import count_text, describe_counts
from genbench.report.floors import describe_floors
from genbench.report.groups import Group
from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.site.templating import finite
from genbench.report.tables import Table

if TYPE_CHECKING:
    import pandas

LONG_COLUMNS = (
    *("dataset", "model", "group", "taxonomy", "id", "protocol", "split", "kind", "version"),
    *("better", "unit", "mean", "low", "high", "n", "floor", "rank", "rank_last", "best"),
    *("reason", "ok", "cells", "parameters", "train_seconds", "seeds_sharing", "family"),
)
#: what decides a row, so that no two budgets are ever taken together
SETTINGS = (
    *("model_name", "model_version", "options", "dataset_version", "dataset_options"),
    *("budget_steps", "budget_examples", "budget_seconds", "batch", "labelled", "precision"),
    *("autocast", "compiled", "training", "scale"),
)
WHOLE = (
    *("version", "n", "rank", "rank_last", "parameters", "seeds_sharing"),
    *("model_version", "dataset_version", "budget_steps", "budget_examples", "batch", "labelled"),
)


def make_sheet(
    table: Table,
    columns: Sequence[TableColumn],
    *,
    heads: Sequence[Heading],
    groups: Sequence[Group] | None = None,
    costs: Callable[[Group], Sequence[str]] = lambda group: (),
    after: Callable[[Cell], str] = lambda cell: "",
    floor: str = "floor",
    notes: Sequence[str] = (),
    counted: bool = True,
) -> Sheet:
    """Returns a leaderboard as a sheet: models down the side, the floors of real data at the foot.

    Arguments:
        table: The leaderboard.
        columns: The columns to show.
        heads: Their heads, and those of the costs.
        groups: The rows; by default all.
        costs: What stands in a row behind the columns.
        after: What stands in a cell behind its mean.
        floor: What the foot is called.
        notes: Sentences below the table.
        counted: Whether a cell of fewer seeds than completed says of how many; not where all say so.
    """
    rows, groups = [], table.groups if groups is None else groups
    for group in groups:
        cells = [table.cell(group, column) for column in columns]
        counts = [count_text(group, cell) if counted else "" for cell in cells]
        scores = [
            Entry(c.text, "best" if c.best else "", n + after(c))
            for c, n in zip(cells, counts, strict=True)
        ]
        rows.append([_name(group), *scores, *map(Entry, costs(group))])
    foot = [Entry(floor, "aside")]
    foot += [Entry(text.number(table.floor(column)), "faint") for column in columns]
    marked = any(table.cell(g, c).marked for g in groups for c in columns)
    whole = any(c.blind and all(c != s.column for s in table.contests) for c in columns)
    notes = [
        *notes,
        *describe_floors(table, columns),
        *(describe_counts(table, columns, groups) if counted else []),
        *(table.footnotes if marked else []),
        *([] if whole else table.omissions),
    ]
    return Sheet([Heading("model"), *heads], rows, foot, table.name, notes)


def _name(group: Group) -> Entry:
    if group.reference:
        return Entry(group.label, "aside", " (reference)")
    return Entry(group.label, "lost" if group.failed else "")


def to_markdown(tables: Sequence[Table], *, title: str) -> str:
    """Returns the leaderboards in Markdown, the protocols in the column heads."""
    parts = [f"# {sheet.markdown_text(title)}", ""]
    parts.append(
        "Mean ± half the 95 % interval over seeds (bootstrap-t). **Bold**: best mean of the "
        f"column; *reference* rows do not compete. {text.RANKS}"
    )
    for table in tables:
        lines = sheet.to_markdown(_full_sheet(table))
        parts += ["", f"## {sheet.markdown_text(table.name)}", "", *lines]
        parts += [
            part
            for line in (
                *describe_floors(table, table.columns),
                *describe_counts(table, table.columns, table.groups),
                *table.footnotes,
            )
            for part in ("", sheet.markdown_text(line))
        ]
    return "\n".join(parts) + "\n"


def _full_sheet(table: Table) -> Sheet:
    costs = list(table.costs(table.groups[0]))
    return make_sheet(
        table,
        table.columns,
        heads=[*(Heading(c.heading, table.about(c)) for c in table.columns), *map(Heading, costs)],
        costs=lambda group: list(table.costs(group).values()),
        after=_rank_and_count,
        counted=False,
        floor="floor: real against real",
    )


def _rank_and_count(cell: Cell) -> str:
    return f" {text.rank_text(cell.rank, cell.last)} (n={cell.seeds_text})"


def to_latex(tables: Sequence[Table]) -> str:
    r"""Returns a booktabs table per data set, what decides and the headlines; needs \usepackage{booktabs}."""
    parts = [
        "% Mean and half the 95 % interval over seeds (bootstrap-t); bold: best mean.",
        r"% needs \usepackage{booktabs}",
    ]
    for table in tables:
        columns = compact_columns(table)
        table_sheet = make_sheet(
            table,
            columns,
            heads=[Heading(c.heading, align="right") for c in columns],
            floor="floor (real against real)",
            notes=[f"{c.id}: {table.about(c)}" for c in columns],
        )
        parts += ["", *sheet.to_latex(table_sheet)]
    return "\n".join(parts) + "\n"


def make_frame(tables: Sequence[Table]) -> pandas.DataFrame:
    """Returns all leaderboards as one frame, one row per (data set, group, column)."""
    return sheet.to_frame(_long_sheet(tables)).astype(dict.fromkeys(WHOLE, "Int64"))


def to_csv(tables: Sequence[Table]) -> str:
    """Returns the same as CSV."""
    return sheet.to_csv(_long_sheet(tables))


def to_parquet(tables: Sequence[Table]) -> bytes | None:
    """Returns the same as Parquet, or None where pyarrow is missing."""
    if importlib.util.find_spec("pyarrow") is None:
        return None
    buffer = io.BytesIO()
    make_frame(tables).to_parquet(buffer, index=False)
    return buffer.getvalue()


def _long_sheet(tables: Sequence[Table]) -> Sheet:
    rows: list[tuple[Any, ...]] = []
    for table in tables:
        for group in table.groups:
            counts = (len(group.ok), len(group.tried), group.parameters)
            about_row = (group.family, group.model, *group.settings.values())
            head = (table.name, group.label, group.id, group.taxonomy)
            for c in table.columns:
                cell = table.cell(group, c)
                e = cell.estimate
                about = (c.id, c.protocol, c.split, c.kind, c.version, c.better, c.unit)
                numbers = (e.mean, e.low, e.high, e.n, cell.floor, cell.rank, cell.last, cell.best)
                costs = (*counts, *_time_stack(table, group, cell), *about_row)
                rows.append((*head, *about, *numbers, "; ".join(cell.reasons), *costs))
            if not table.columns:
                costs = (*counts, *_time_stack(table, group, Cell({})), *about_row)
                rows.append((*head, *[None] * 16, *costs))
    return Sheet.of_values((*LONG_COLUMNS, *SETTINGS), rows)


def _time_stack(table: Table, group: Group, cell: Cell) -> tuple[float | None, int | None]:
    """The seconds of a stack that trained the seeds of a number, and how many seeds shared it."""
    records = [r for r in group.ok if r.spec.seed in cell.values] or table.scored(group)
    cost = time_training(records, table.conditions)
    if cost.mean is None or cost.conditions is None:
        return None, None
    return cost.mean * cost.conditions.sharing, cost.conditions.sharing


def to_json(tables: Sequence[Table]) -> str:
    """Returns all leaderboards as JSON: data sets, rows, and scores with one value per seed."""
    return json.dumps(finite(to_dict(tables)), ensure_ascii=False, separators=(",", ":"))


def to_dict(tables: Sequence[Table]) -> dict[str, Any]:
    """Returns what `to_json` writes."""
    return {
        "leaderboards": [
            {
                "dataset": table.name,
                "rows": [
                    {
                        "model": group.label,
                        "group": group.id,
                        "taxonomy": group.taxonomy,
                        "reference": group.reference,
                        "costs": table.costs(group),
                        "settings": group.settings,
                        "scores": [_score(table.cell(group, c), c) for c in table.columns],
                    }
                    for group in table.groups
                ],
            }
            for table in tables
        ]
    }


def _score(cell: Cell, column: TableColumn) -> dict[str, Any]:
    e = cell.estimate
    names = ("id", "protocol", "split", "kind", "version", "better", "unit")
    about = {name: getattr(column, name) for name in names}
    numbers = {"mean": e.mean, "low": e.low, "high": e.high, "n": e.n, "floor": cell.floor}
    seeds = {str(seed): value for seed, value in cell.values.items()}
    extra = {"rank": cell.rank, "rank_last": cell.last, "best": cell.best, "reasons": cell.reasons}
    failed = {str(seed): value for seed, value in cell.failed.items()}
    return {**about, **numbers, **extra, "values": seeds, "failed_count_as": failed}
