"""One picture for a document: quality against cost where most families compete, as SVG that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from genbench.core.files import write_bytes
from genbench.report.site.panorama import HEIGHT, LETTER, WIDTH, make_panel, name_briefly
from genbench.report.site.templating import read_asset, render
from genbench.report.tables import Table

#: panels in all and in a line, and pixels between them
MOST, ACROSS, GAP = 6, 3, 8
#: pixels of a line of the legend
LINE = 18
#: what marks of rows that do not pass, or perhaps not, mean
SIGNS = {False: "does not pass", None: "not measured by what must be passed"}
#: what ends the rules of style.css that a panel needs
END = "/* above: what pictures of panels need alone */"


def draw_picture(tables: Sequence[Table]) -> bytes:
    """Returns the panels of the data sets on which most families compete, with the families' marks."""
    names = name_briefly(tables)
    all_panels: list[dict[str, Any]] = [
        panel for table in tables if (panel := make_panel(table)) is not None
    ]
    order = sorted(range(len(all_panels)), key=lambda i: (*_count(all_panels[i]["points"]), i))
    panels: list[dict[str, Any]] = [
        {**all_panels[i], "short": names[all_panels[i]["name"]]}
        | {"left": k % ACROSS * (WIDTH + GAP), "top": k // ACROSS * (HEIGHT + GAP)}
        for k, i in enumerate(sorted(order[:MOST]))
    ]
    every = sorted({g.family for t in tables for g in t.groups if not g.reference})
    families = [f for f in every if any(f == q["family"] for p in panels for q in p["points"])]
    wide = ACROSS * (WIDTH + GAP) - GAP
    checks = {q["passes"] for p in panels for q in p["points"]}
    entries = [(f, True, f) for f in families] + [
        (w, c, "") for c, w in SIGNS.items() if c in checks
    ]
    legend = _place_legend(entries, wide, -(-len(panels) // ACROSS) * (HEIGHT + GAP))
    return render(
        "picture.svg",
        wide=wide,
        high=max((one["top"] for one in legend), default=0) + LINE,
        words="; ".join(p["words"] for p in panels),
        style=Markup(read_asset("style.css").partition(END)[0]),
        panels=panels,
        legend=legend,
        colours={family: i % 10 for i, family in enumerate(every)},
    ).lstrip()


def update_picture(path: Path, tables: Sequence[Table]) -> bool:
    """Writes the picture to a file; returns whether it changed.

    Raises:
        WriteError: If it cannot be written.
    """
    content = draw_picture(tables)
    if path.is_file() and path.read_bytes() == content:
        return False
    write_bytes(path, content)
    return True


def _count(points: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """How many families compete, then how many entrants, negative: the fullest panel sorts first."""
    return -len({point["family"] for point in points}), -len(points)


def _place_legend(
    entries: Sequence[tuple[str, bool | None, str]], wide: int, top: int
) -> list[dict[str, Any]]:
    """Where what marks mean stands below the panels, line by line: words, whether it passes, a family."""
    rows, left = [], 8.0
    for words, passes, family in entries:
        own = 15 + LETTER * 1.1 * len(words) + 14
        if left + own > wide and left > 8:
            left, top = 8.0, top + LINE
        about = {"words": words, "passes": passes, "family": family}
        rows.append({**about, "left": round(left, 1), "top": top})
        left += own
    return rows
