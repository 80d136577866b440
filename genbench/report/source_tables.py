"""Tables of what the sources of this project name, beside what answers it here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genbench.report import readme
from genbench.report.sheet import Entry, Heading, Sheet, to_markdown
from genbench.report.sources import (
    KINDS,
    TITLES,
    WORDS,
    Kind,
    answer_of,
    list_unnamed,
    read_sources,
    said_by,
    title_of,
)


def make_sheet(kind: Kind) -> Sheet:
    """Returns the rows of a kind as a table."""
    items = [item for item in read_sources().items if item.kind == kind]
    heads = ["the sources say", "named by", "here", "missing", "command that would run it"]
    rows = [
        [
            Entry(text)
            for text in (
                title_of(item),
                said_by(item),
                answer_of(item) or "–",
                item.missing,
                item.command,
            )
        ]
        for item in items
    ]
    if not any(item.missing for item in items):
        heads, rows = heads[:3], [row[:3] for row in rows]
    return Sheet([Heading(head) for head in heads], rows, title=TITLES[kind])


def make_rest_sheet() -> Sheet:
    """Returns the plugins that no source names as a table."""
    rows = [
        [Entry(WORDS.get(kind, kind)), Entry(", ".join(names) or "none")]
        for kind, names in list_unnamed(read_sources()).items()
    ]
    return Sheet(
        [Heading("kind"), Heading("here, and named by none of the sources")],
        rows,
        title="Beyond the sources",
    )


def describe() -> list[dict[str, Any]]:
    """Returns one JSON-ready object per row."""
    return [
        {
            "name": title_of(item),
            "kind": item.kind,
            "said": said_by(item),
            "here": answer_of(item),
            "missing": item.missing,
            "command": item.command,
        }
        for item in read_sources().items
    ]


def count_rows() -> str:
    """Returns how many rows there are, of each kind and in part or wholly missing, as a sentence."""
    items = read_sources().items
    kinds = ", ".join(
        f"{sum(item.kind == kind for item in items)} {TITLES[kind].lower()}" for kind in KINDS
    )
    part = sum(bool(item.missing and item.here) for item in items)
    whole = sum(not item.here for item in items)
    return (
        f"{len(items)} rows: {kinds}. {part} are answered in part and {whole} not at all; their rows say "
        "what is missing."
    )


def list_documents() -> str:
    """Returns what the words for documents stand for, as a sentence."""
    words = (f"{name}: {text}" for name, text in read_sources().documents.items())
    return f"Named by, where it is known: {'; '.join(words)}."


def to_page() -> str:
    """Returns all tables in Markdown."""
    lines = [count_rows(), "", list_documents(), ""]
    for sheet in (*map(make_sheet, KINDS), make_rest_sheet()):
        lines += [f"## {sheet.title}", "", *to_markdown(sheet), ""]
    return "\n".join(lines[:-1]) + "\n"


def update_page(path: Path) -> bool:
    """Writes the tables between a file's markers `sources`; returns whether it changed.

    Raises:
        DataError: If the file cannot be read or has no pair of markers.
    """
    return readme.update(path, {"sources": to_page})
