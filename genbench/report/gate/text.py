"""A check's result for a terminal, a pull request's comment and a CI server."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from genbench.report.gate.result import HEADS, GateResult, GateRow
from genbench.report.sheet import markdown_text, print_sheet
from genbench.report.sheet import to_markdown as markdown_lines

if TYPE_CHECKING:
    from rich.console import Console

#: what XML cannot hold, not even escaped
_CONTROL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def print_result(console: Console, result: GateResult, *, everything: bool = False) -> None:
    """Prints the rows that fail (or all), then the notes and the summary.

    Arguments:
        console: Where to print.
        result: What `check` returned.
        everything: Print rows that pass too.
    """
    from rich.text import Text

    sheet = result.to_sheet(result.rows if everything else None)
    if sheet.rows:
        print_sheet(console, sheet, fold=True)
    for sentence in result.notes:
        console.print(Text(f"· {sentence}", style="dim"))
    style = "bold green" if result.ok else "bold red"
    console.print(Text(f"{result.title}: {result.summary}", style=style))


def to_markdown(result: GateResult) -> str:
    """Returns the result as a comment for a pull request: what fails first, all rows folded."""
    lines = [f"### genbench check: {result.title}", "", f"{result.summary}.", ""]
    failing = result.to_sheet()
    if failing.rows:
        lines += [*markdown_lines(failing), ""]
    lines += [f"- {markdown_text(' '.join(note.split()))}" for note in result.notes]
    lines += ["", f"<details><summary>all {len(result.rows)} rows</summary>", ""]
    lines += [*markdown_lines(result.to_sheet(result.rows)), "", "</details>"]
    return "\n".join(lines) + "\n"


def to_junit(result: GateResult) -> str:
    """Returns the result as JUnit XML, one test case per row."""
    counts = Counter("skipped" if _skipped(row) else row.bad for row in result.rows)
    suite = ElementTree.Element(
        "testsuite",
        name="genbench check",
        tests=str(len(result.rows)),
        failures=str(counts[True]),
        errors="0",
        skipped=str(counts["skipped"]),
    )
    for row in result.rows:
        name = f"{row.column} [{row.protocol}]" if row.column else "cell"
        place = _clean(f"{row.dataset}.{row.model}")
        case = ElementTree.SubElement(suite, "testcase", classname=place, name=_clean(name))
        if row.bad or _skipped(row):
            kind = "failure" if row.bad else "skipped"
            message = _clean(f"{row.verdict}: {row.why}")
            child = ElementTree.SubElement(case, kind, message=message)
            if row.bad:
                child.set("type", row.verdict)
                child.text = _clean("\n".join(map(": ".join, zip(HEADS, row.cells, strict=False))))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, "unicode")}\n'


def _skipped(row: GateRow) -> bool:
    return row.verdict in ("not compared", "too few seeds")


def _clean(text: str) -> str:
    return _CONTROL.sub("�", text)
