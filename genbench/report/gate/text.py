"""A check's outcome: for a terminal, a pull request's comment, a CI server and a machine."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from genbench.report.gate.baseline import Baseline
from genbench.report.gate.check import Outcome, Row
from genbench.report.gate.comparable import BAD
from genbench.report.text import MISSING, number

if TYPE_CHECKING:
    from rich.console import Console

HEADS = ("data set", "model", "column", "baseline", "now", "worse by", "allowed", "p", "verdict")
STYLES = {"ok": "green", "not compared": "dim", "too few seeds": "yellow"}
#: what XML cannot hold, not even escaped
_CONTROL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def summary(outcome: Outcome) -> str:
    """Returns the outcome in a line, e.g. "1 regression, 2 missing; 120 scores tested"."""
    found = Counter(row.verdict for row in outcome.rows if row.bad)
    bad = ", ".join(f"{found[v]} {_plural(v, found[v])}" for v in BAD if v in found)
    return f"{bad or 'nothing worse'}; {outcome.tested} scores tested"


def about(baseline: Baseline, outcome: Outcome) -> list[str]:
    """Returns what a reader must know beside the rows, one sentence each."""
    accepted, measured = baseline.accepted, baseline.measured
    suite = f" of suite {baseline.suite}" if baseline.suite else ""
    commits = ", ".join(measured.commits) or "an unknown commit"
    told = [f"baseline{suite} accepted by {accepted.by} on {accepted.when}, measured at {commits}"]
    if outcome.sees is not None:
        told.append(
            f"a false alarm of the whole gate has a chance of {baseline.level:.0%} at most; one score "
            f"that is worse by {outcome.sees:.1f} standard deviations over seeds is caught half the time"
        )
    return [*told, *outcome.notes]


def print_table(
    console: Console, baseline: Baseline, outcome: Outcome, *, everything: bool = False
) -> None:
    """Prints the rows that fail (or all), then the notes and the summary.

    Arguments:
        console: Where to print.
        baseline: What was held against.
        outcome: What `check` returned.
        everything: Print rows that pass too.
    """
    from rich.table import Table
    from rich.text import Text

    shown = [row for row in outcome.rows if everything or row.bad]
    if shown:
        grid = Table()
        for i, head in enumerate(HEADS):
            grid.add_column(head, justify="right" if 3 <= i < 8 else "left", overflow="fold")
        for row in shown:
            style = STYLES.get(row.verdict, "bold red")
            told = f"{row.verdict}: {row.why}" if row.why else row.verdict
            grid.add_row(*map(Text, cells(row)), Text(told, style=style))
        console.print(grid)
    for sentence in about(baseline, outcome):
        console.print(Text(f"· {sentence}", style="dim"))
    style = "bold green" if outcome.ok else "bold red"
    console.print(Text(f"{_mark(outcome)}: {summary(outcome)}", style=style))


def markdown(baseline: Baseline, outcome: Outcome) -> str:
    """Returns the outcome as a comment for a pull request: what fails first, all rows folded."""
    lines = [f"### genbench check: {_mark(outcome)}", "", f"{summary(outcome)}.", ""]
    if bad := [row for row in outcome.rows if row.bad]:
        lines += [*_rows(bad), ""]
    lines += [f"- {_plain(sentence)}" for sentence in about(baseline, outcome)]
    lines += ["", f"<details><summary>all {len(outcome.rows)} rows</summary>", ""]
    return "\n".join([*lines, *_rows(outcome.rows), "", "</details>"]) + "\n"


def junit(outcome: Outcome) -> str:
    """Returns the outcome as JUnit XML, one test case a row."""
    counts = Counter("skipped" if _skipped(row) else row.bad for row in outcome.rows)
    suite = ElementTree.Element(
        "testsuite",
        name="genbench check",
        tests=str(len(outcome.rows)),
        failures=str(counts[True]),
        errors="0",
        skipped=str(counts["skipped"]),
    )
    for row in outcome.rows:
        name = f"{row.column} [{row.protocol}]" if row.column else "cell"
        place = _clean(f"{row.dataset}.{row.model}")
        case = ElementTree.SubElement(suite, "testcase", classname=place, name=_clean(name))
        if row.bad or _skipped(row):
            kind = "failure" if row.bad else "skipped"
            told = ElementTree.SubElement(case, kind, message=_clean(f"{row.verdict}: {row.why}"))
            if row.bad:
                told.set("type", row.verdict)
                told.text = _clean("\n".join(map(": ".join, zip(HEADS, cells(row), strict=False))))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, "unicode")}\n'


def as_json(baseline: Baseline, outcome: Outcome) -> dict[str, Any]:
    """Returns {ok, exit_code, summary, notes, rows}; a row has the fields of `Row` and `bad`."""
    return {
        "ok": outcome.ok,
        "exit_code": outcome.code,
        "summary": summary(outcome),
        "notes": about(baseline, outcome),
        "rows": [{**asdict(row), "bad": row.bad} for row in outcome.rows],
    }


def cells(row: Row) -> list[str]:
    """Returns a row's texts but for its verdict, in the order of the heads."""
    n = f" (n={row.n[0]})", f" (n={row.n[1]})"
    return [
        *(row.dataset, row.model, row.column or "all"),
        number(row.baseline) + (n[0] if row.baseline is not None else ""),
        number(row.candidate) + (n[1] if row.candidate is not None else ""),
        _amount(row, row.worse),
        _amount(row, row.tolerance),
        MISSING if row.p is None else f"{row.p:.2g}",
    ]


def _amount(row: Row, value: float | None) -> str:
    return f"× {value:.3g}" if row.timed and value is not None else number(value)


def _rows(rows: tuple[Row, ...] | list[Row]) -> list[str]:
    lines = [f"| {' | '.join(HEADS)} |", f"|{' --- |' * len(HEADS)}"]
    for row in rows:
        told = f"**{row.verdict}**" if row.bad else row.verdict
        why = f": {_plain(row.why)}" if row.why else ""
        lines.append(f"| {' | '.join([*map(_plain, cells(row)), told + why])} |")
    return lines


def _skipped(row: Row) -> bool:
    return row.verdict in ("not compared", "too few seeds")


def _mark(outcome: Outcome) -> str:
    return "passed" if outcome.ok else "failed"


def _plural(verdict: str, n: int) -> str:
    return f"{verdict}s" if verdict == "regression" and n != 1 else verdict


def _clean(text: str) -> str:
    return _CONTROL.sub("�", text)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, in one line: no tags, mentions, cells or markup."""
    text = " ".join(text.split())
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("@", "&#64;")):
        text = text.replace(sign, safe)
    return re.sub(r"([\\|*`\[\]_~])", r"\\\1", text)
