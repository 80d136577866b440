"""The public leaderboard: one page and one Markdown file, with the provenance of every number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genbench.core.files import write_bytes
from genbench.report import readme, text
from genbench.report.groups import Group
from genbench.report.site import templating
from genbench.report.site.pages import board
from genbench.report.tables import Table
from genbench.store import Record

BEGIN, END = readme.markers("leaderboard")
#: models a data set that the README shows
MOST = 10
#: what tells one source of numbers from another, in the order it is said
ORIGIN = ("genbench", "git", "torch", "device", "gpu", "cpu", "platform")


def write_leaderboard(tables: Sequence[Table], out: Path, *, title: str) -> Path:
    """Writes index.html, leaderboard.md and what the page needs; returns the path of index.html.

    Arguments:
        tables: The leaderboards.
        out: The folder; it is made if need be.
        title: The page's title.
    """
    out = Path(out)
    write_bytes(out / "leaderboard.md", f"# {text.plain(title)}\n\n{markdown(tables)}".encode())
    for name in ("style.css", "script.js"):
        write_bytes(out / name, templating.asset(name).encode())
    write_bytes(out / "index.html", page(tables, title))
    return out / "index.html"


def page(tables: Sequence[Table], title: str) -> bytes:
    """Returns the page: all tables, and where their numbers come from."""
    records = [r for t in tables for g in t.groups for r in g.records]
    boards = [{"id": f"data-{i}", **board(table)} for i, table in enumerate(tables)]
    marks = _marks(tables)
    for row in (row for b in boards for row in b["rows"]):
        place = _from(row["group"], marks)
        row["costs"].append(("from", place, place))
    links = [("index.html", title)]
    links += [(f"#{b['id']}-section", b["table"].name) for b in boards]
    return templating.render(
        "leaderboard.html",
        title=title,
        heading="Leaderboard",
        ranks=text.RANKS,
        here="index.html",
        links=[*links, ("#provenance", "Provenance")],
        boards=boards,
        finished=max((r.finished for r in records if r.finished), default=""),
        sources=[(marks[source], source, n) for source, n in sources(tables)],
    )


def markdown(tables: Sequence[Table], *, most: int | None = None) -> str:
    """Returns the headline columns of every table in Markdown, protocols and sources below.

    Arguments:
        tables: The leaderboards.
        most: How many models a table shows, reference rows apart; all without it.
    """
    marks = _marks(tables)
    parts = [
        f"Mean over seeds ± half the 95 % interval (bootstrap-t). {text.RANKS} **Bold**: best mean. "
        "*Reference* rows do not compete; the floor is what real points score against real points."
    ]
    for table in tables:
        parts += ["", f"### {text.plain(table.name)}", "", *_table(table, marks, most)]
    if marks:
        parts += ["", "Sources (column *from*):"]
        parts += [f"- {marks[s]} {text.plain(s)}, {n} runs" for s, n in sources(tables)]
    return "\n".join(parts) + "\n"


def sources(tables: Sequence[Table]) -> list[tuple[str, int]]:
    """Returns where the numbers come from, and how many runs each gave, most first."""
    groups = [group for table in tables for group in table.groups]
    count = Counter(origin(r) for g in groups for r in g.records)
    return sorted(count.items(), key=lambda item: (-item[1], item[0]))


def origin(record: Record) -> str:
    """Returns the code and the machine that a record comes from, as its environment says."""
    known = record.environment
    said = [f"{key} {known[key]}" for key in ORIGIN if known.get(key) not in (None, "", {})]
    return ", ".join(said) or "an unknown environment"


def into_readme(path: Path, tables: Sequence[Table]) -> bool:
    """Writes the leaderboard between the markers of a Markdown file; returns whether it changed.

    Raises:
        DataError: If the file cannot be read or has no pair of markers.
    """
    return readme.into(path, "leaderboard", markdown(tables, most=MOST))


def _table(table: Table, marks: dict[str, str], most: int | None) -> list[str]:
    running = [g for g in table.groups if not g.reference]
    columns = [
        c for c in table.columns if c.headline and any(table.cell(g, c).values for g in running)
    ]
    kept = {g.id for g in (running if most is None else running[:most])}
    heads = [f"{text.plain(c.heading)} ({i})" for i, c in enumerate(columns, 1)]
    costs = ["parameters", "training", "ok", "from"]
    lines = [text.line(["model", *heads, *costs]), text.line(["---"] * (5 + len(columns)))]
    for group in table.groups:
        if group.reference or group.id in kept:
            lines.append(text.line(_row(table, group, columns, marks)))
    floors = [text.number(table.floor(column)) for column in columns]
    lines.append(text.line(["*floor*", *floors, *[""] * 4]))
    lines += ["", *(f"{i}. {text.plain(f'{c.id}: {c.about}')}" for i, c in enumerate(columns, 1))]
    left = len(running) - len(kept)
    return [*lines, "", f"{left} more rows: see `genbench report`."] if left else lines


def _row(table: Table, group: Group, columns: Sequence[Any], marks: dict[str, str]) -> list[str]:
    name = text.plain(group.label)
    row = [f"*{name}* (reference)" if group.reference else name]
    for column in columns:
        cell = table.cell(group, column)
        shown = f"**{cell.text}**" if cell.best else cell.text
        few = "(too few seeds)" if cell.values and cell.estimate.too_few else ""
        row.append(f"{shown} {text.rank_text(cell.rank, cell.last)} {few}")
    costs = group.costs
    return [*row, costs["parameters"], costs["training"], costs["ok"], _from(group, marks)]


def _marks(tables: Sequence[Table]) -> dict[str, str]:
    """A short mark for every source."""
    return {source: f"[{i}]" for i, (source, _) in enumerate(sources(tables), 1)}


def _from(group: Group, marks: dict[str, str]) -> str:
    return " ".join(sorted({marks[origin(record)] for record in group.records}))
