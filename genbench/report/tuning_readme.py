"""The tables of tuning that documents have between markers: what it took, and who is best in a family."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genbench.report import family_bests, readme, tuning_costs
from genbench.report.sheet import Sheet, to_markdown
from genbench.report.tuning import Search


def update_readme(path: Path, searches: Sequence[Search]) -> bool:
    """Rewrites the tables of tuning in a document; returns whether it changed.

    Arguments:
        path: A Markdown file with the markers `tuning`, `entrants`, or both.
        searches: What tuning found.

    Raises:
        DataError: If the file cannot be read or has no markers.
    """
    bodies = {
        "tuning": lambda: _body(tuning_costs.make_sheet(tuning_costs.sum_costs(searches))),
        "entrants": lambda: _body(family_bests.make_sheet(family_bests.compare_entrants())),
    }
    return readme.update(path, bodies)


def _body(sheet: Sheet) -> str:
    return "\n".join([*to_markdown(sheet), "", *sheet.notes, ""])
