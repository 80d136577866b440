"""What `genbench evaluate` found, as a sheet and as sentences: for a terminal, a notebook and print."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec

from genbench.evaluation.result import Evaluation
from genbench.report import sheet
from genbench.report.sheet import Entry, Heading, Sheet
from genbench.store import Measurement

#: as wide as terminals are where nobody says
WIDTH = 80
ARROWS = {"lower": "↓", "higher": "↑", "none": ""}
P = ParamSpec("P")


class ShownEvaluation(Evaluation):
    """An evaluation that shows itself when printed, and as a table in notebooks."""

    def __repr__(self) -> str:
        return to_text(self)

    def _repr_html_(self) -> str:
        return f"{sheet.to_html(make_sheet(self.rows))}" + "".join(
            f"<p>{sheet.html_escape(line)}</p>" for line in describe(self)
        )


def show_itself(function: Callable[P, Evaluation]) -> Callable[P, ShownEvaluation]:
    """Returns a function whose evaluations show themselves."""

    @wraps(function)
    def evaluate(*args: P.args, **options: P.kwargs) -> ShownEvaluation:
        result = function(*args, **options)
        return ShownEvaluation(**vars(result))

    return evaluate


def make_sheet(rows: Sequence[Measurement]) -> Sheet:
    """Returns a row per number: metric, value, its standard error, its floor, and which way is better."""
    heads = [
        Heading("metric"),
        Heading("value", align="right"),
        Heading("±"),
        Heading("floor", align="right"),
        Heading(""),
    ]
    lines = []
    for row in rows:
        value = Entry("–", "lost") if row.value is None else Entry(f"{row.value:.6g}")
        spread = f"± {row.stderr:.2g}" if row.stderr is not None else ""
        floor = f"{row.floor:.4g}" if row.floor is not None else ""
        beside = [Entry(text, "faint") for text in (spread, floor)]
        lines.append([Entry(row.id), value, *beside, Entry(ARROWS[row.better])])
    return Sheet(heads, lines)


def describe(result: Evaluation) -> list[str]:
    """Returns sentences below the table: how to cite it, each protocol once, then reasons, then notes."""
    return [*_list_citations(result), *_list_reasons(result.rows), *result.notes]


def to_text(result: Evaluation, width: int = WIDTH) -> str:
    """Returns all of it as text of at most so many columns."""
    from rich.console import Console

    out = io.StringIO()
    if result.rows:
        sheet.print_sheet(Console(file=out, width=width, no_color=True), make_sheet(result.rows))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    for line in describe(result):
        lines += textwrap.wrap(line, width, subsequent_indent="  ", break_on_hyphens=False) or [""]
    return "\n".join(lines)


def _list_citations(result: Evaluation) -> list[str]:
    """Lines to cite: which columns were measured how."""
    columns: dict[str, list[str]] = {}
    for column, text in result.citations.items():
        columns.setdefault(text, []).append(column)
    return [f"{', '.join(names)} ({text})" for text, names in columns.items()]


def _list_reasons(rows: Sequence[Measurement]) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.value is None:
            reasons.setdefault(row.reason or "no reason given", []).append(row.id)
    return [f"– {', '.join(names)}: {reason}" for reason, names in reasons.items()]
