"""A check's result for a terminal, a pull request's comment and a CI server."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
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
    """Prints scores that fail (or all) and that are better, what was not compared by reason, and the summary.

    Arguments:
        console: Where to print.
        result: What `check` returned.
        everything: Print rows that pass too.
    """
    from rich.padding import Padding
    from rich.text import Text

    rows = [row for row in result.rows if everything or row.bad]
    compared = [row for row in rows if row.candidate is not None and row.worse is not None]
    if compared:
        print_sheet(console, result.to_lines(compared), names=max(24, console.width - 52))
    for (verdict, why), members in _by_reason(row for row in rows if row not in compared).items():
        style = "bold red" if members[0].bad else "bold"
        count = f"{len(members)} {'row' if len(members) == 1 else 'rows'}"
        console.print(Text.assemble((verdict, style), f", {count}: {why}"))
        console.print(Padding(Text(", ".join(map(_place, members)), style="dim"), (0, 0, 0, 2)))
    better = result.better
    if better:
        console.print(f"{_count(len(better), 'better than')}:", highlight=False)
        print_sheet(console, result.to_lines(better), names=max(24, console.width - 52))
    passed = sum(row.verdict == "ok" for row in result.rows) - len(better)
    if passed and not everything:
        text = f"{_count(passed, 'as good as')}: --all lists them"
        console.print(text, highlight=False)
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
    if better := result.better:
        lines += [f"{_count(len(better), 'better than')}:", ""]
        lines += [*markdown_lines(result.to_lines(better)), ""]
    lines += [f"- {markdown_text(' '.join(note.split()))}" for note in result.notes]
    lines += ["", f"<details><summary>all {len(result.rows)} rows</summary>", ""]
    lines += [*markdown_lines(result.to_sheet(result.rows)), "", "</details>"]
    return "\n".join(lines) + "\n"


def to_junit(result: GateResult) -> str:
    """Returns the result as JUnit XML, one test case per row; one more where it fails without a bad row."""
    counts = Counter("skipped" if _skipped(row) else row.bad for row in result.rows)
    whole = not result.ok and not counts[True]  # what a server that reads no exit code would miss
    suite = ElementTree.Element(
        "testsuite",
        name="genbench check",
        tests=str(len(result.rows) + whole),
        failures=str(counts[True] + whole),
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
    if whole:
        case = ElementTree.SubElement(suite, "testcase", classname="genbench", name="check")
        child = ElementTree.SubElement(case, "failure", message=_clean(result.summary))
        child.text = _clean("\n".join(result.notes))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, "unicode")}\n'


def _count(n: int, how: str) -> str:
    return (
        f"{n} {'score is' if n == 1 else 'scores are'} {how} {'it was' if n == 1 else 'they were'}"
    )


def _by_reason(rows: Iterable[GateRow]) -> dict[tuple[str, str], list[GateRow]]:
    """Rows that were not compared, by their verdict and its reason, failures first."""
    groups: dict[tuple[str, str], list[GateRow]] = {}
    for row in sorted(rows, key=lambda row: not row.bad):
        groups.setdefault((row.verdict, row.why), []).append(row)
    return groups


def _place(row: GateRow) -> str:
    return " · ".join(part for part in (row.dataset, row.model, row.column) if part)


def _skipped(row: GateRow) -> bool:
    return row.verdict in ("not compared", "too few seeds")


def _clean(text: str) -> str:
    return _CONTROL.sub("�", text)
