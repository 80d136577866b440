"""The tables of tuning that documents have between markers: what it took and gained, and families' best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genbench.report import family_bests, readme, tuning_costs, tuning_gains
from genbench.report.sheet import Sheet, to_markdown
from genbench.report.tuned_scores import read_tuned_scores
from genbench.report.tuning import Search
from genbench.store import Store


def update_readme(path: Path, searches: Sequence[Search], store: Store) -> bool:
    """Rewrites the tables of tuning in a document; returns whether it changed.

    Arguments:
        path: A Markdown file with the markers `tuning`, `gains` or `entrants`, or several of them.
        searches: What tuning found.
        store: The folder, whose cells say what tuning gained.

    Raises:
        DataError: If the file cannot be read or has no markers.
    """
    bodies = {
        "tuning": lambda: _body(tuning_costs.make_sheet(tuning_costs.sum_costs(searches))),
        "gains": lambda: _body(tuning_gains.make_sheet(read_tuned_scores(store))),
        "entrants": lambda: _body(family_bests.make_sheet(family_bests.compare_entrants())),
    }
    return readme.update(path, bodies)


def _body(sheet: Sheet) -> str:
    return "\n".join([*to_markdown(sheet), "", *sheet.notes, ""])
