"""Leaderboards for other programs: LaTeX, JSON and Parquet."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Sequence
from typing import Any

from genbench.report import text
from genbench.report.columns import Cell
from genbench.report.site.templating import finite
from genbench.report.tables import Table

SIGNS = {
    **{sign: "\\" + sign for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "–": "--",
    "·": r"$\cdot$",
    "≥": r"$\geq$",
    "×": r"$\times$",
}


def latex(tables: Sequence[Table]) -> str:
    r"""Returns one booktabs table a data set with the headline columns; needs \usepackage{booktabs}."""
    parts = [
        "% Mean and half the 95 % interval over seeds (bootstrap-t); bold: best mean.",
        r"% needs \usepackage{booktabs}",
    ]
    for table in tables:
        parts += ["", *_latex_table(table)]
    return "\n".join(parts) + "\n"


def _latex_table(table: Table) -> list[str]:
    columns = [c for c in table.columns if c.headline] or list(table.columns)
    protocols = "; ".join(f"{c.id}: {c.about}" for c in columns)
    rows = []
    for group in table.groups:
        label = escaped(group.label) + (" (reference)" if group.reference else "")
        rows.append([label, *(_latex_cell(table.cell(group, c)) for c in columns)])
    floors = [escaped(text.number(table.floor(c))) for c in columns]
    return [
        r"\begin{table}",
        rf"\caption{{{escaped(table.name)}. {escaped(protocols)}.}}",
        rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
        r"\toprule",
        " & ".join(["model", *(escaped(c.heading) for c in columns)]) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\midrule",
        " & ".join(["floor (real against real)", *floors]) + r" \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def _latex_cell(cell: Cell) -> str:
    shown = escaped(cell.text)
    return rf"\textbf{{{shown}}}" if cell.best else shown


def escaped(words: str) -> str:
    """Returns text that LaTeX prints as it is, on one line."""
    return "".join(SIGNS.get(sign, sign) for sign in " ".join(words.split()))


def as_json(tables: Sequence[Table]) -> str:
    """Returns all leaderboards as JSON: data sets, rows, and scores with one value a seed."""
    made = [
        {
            "dataset": table.name,
            "rows": [
                {
                    "model": group.label,
                    "group": group.id,
                    "taxonomy": group.taxonomy,
                    "reference": group.reference,
                    "costs": group.costs,
                    "scores": [_score(table, group, c) for c in table.columns],
                }
                for group in table.groups
            ],
        }
        for table in tables
    ]
    return json.dumps(finite({"leaderboards": made}), ensure_ascii=False, separators=(",", ":"))


def _score(table: Table, group: Any, column: Any) -> dict[str, Any]:
    cell = table.cell(group, column)
    e = cell.estimate
    about = {key: getattr(column, key) for key in column.__dataclass_fields__}
    numbers = {"mean": e.mean, "low": e.low, "high": e.high, "n": e.n, "floor": cell.floor}
    seeds = {str(seed): value for seed, value in cell.values.items()}
    extra = {"rank": cell.rank, "rank_last": cell.last, "best": cell.best, "reasons": cell.reasons}
    return {**about, **numbers, **extra, "values": seeds}


def parquet(tables: Sequence[Table]) -> bytes | None:
    """Returns the tidy frame as Parquet, or None where pyarrow is missing."""
    if importlib.util.find_spec("pyarrow") is None:
        return None
    held = io.BytesIO()
    text.tidy(tables).to_parquet(held, index=False)
    return held.getvalue()
