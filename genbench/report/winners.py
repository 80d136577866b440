"""Which family wins where, by the column that a data set declares; on data of pairs, which row."""

from __future__ import annotations

from collections.abc import Sequence

from genbench.report import sheet
from genbench.report.columns import DAGGER, TableColumn
from genbench.report.contenders import headline, stand_apart
from genbench.report.failed_seeds import NOTE
from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.standings import FEW, Entrant, Standings
from genbench.report.tables import Table

RULE = (
    "One row per family, its entrant (genbench/entrants.json; else its best row), by the column the data set "
    "declares; a row whose whole interval fails one beside it is never first. Mean over seeds ± half the "
    "95 % interval or [its ends]. Clear, and bold: significantly better than every other that passes; alone: "
    "no other was measured, or passes."
)
ALONE = "On data of pairs every row stands for itself."
UNTUNED = "§"
#: with so many families models that are shown labels have a row of their own
RIVALS = 2
MARKS = {
    UNTUNED: "untuned beside a tuned rival: no clear win",
    "‡": "a simple fit (kde, a Gaussian, noise, a copy …) is significantly better",
    "?": "the column beside the primary one has not been measured",
}
LAX = "°"
#: stands behind the names of columns
NOT_MEASURED = " not measured"
WHY_LAX = "a null row passes this column, too, so passing says little"


def quality_column(table: Table) -> TableColumn | None:
    """Returns what stands for quality: what decides the standings, else the first headline that is judged."""
    if table.standings is not None:
        return table.standings.column
    return headline([c for c in table.columns if table.judges(c)])


def contests_of(tables: Sequence[Table]) -> list[tuple[str, Table, Standings]]:
    """Returns the standings of every data set by a name that says where labels were shown.

    With labels a family that has no rival there is left out: it wins or loses against nobody.
    """
    rows = []
    for table in tables:
        for standings in table.contests:
            own = standings is table.standings
            if not own and len(standings.entrants) < RIVALS:
                continue
            rows.append((table.name if own else f"{table.name}, with labels", table, standings))
    return rows


def make_sheet(tables: Sequence[Table]) -> Sheet:
    """Returns a line a data set: what decides, the first family, the next, and how sure that is."""
    heads = [Heading(name) for name in ("data set", "by", "first", "next", "clear?")]
    rows = []
    for name, _, standings in contests_of(tables):
        first = standings.first
        others = [e for e in standings.entrants if e is not first]
        rows.append(
            [
                Entry(name),
                Entry(describe_column(standings)),
                Entry(
                    describe(first, standings),
                    "best" if standings.sure and not standings.alone else "",
                )
                if first is not None
                else Entry("none passes"),
                Entry(describe(others[0], standings) if others else "–"),
                Entry(standings.clear),
            ]
        )
    alone = [ALONE] if any(stand_apart(table.groups) for table in tables) else []
    notes = [RULE, *alone, *explain_marks(tables)]
    return Sheet(heads, rows, title="Which family wins where", notes=notes)


def to_markdown(tables: Sequence[Table]) -> str:
    """Returns the lines for a README: of families; data on which translators compete are named."""
    families = [table for table in tables if not stand_apart(table.groups)]
    whole = make_sheet(families)
    pairs = dict.fromkeys(f"`{t.dataset}`" for t in tables if stand_apart(t.groups))
    others = "Translators compete on other data, in the whole table: "
    notes = [*whole.notes, *([f"{others}{', '.join(pairs)}."] if pairs else [])]
    return "\n".join([*sheet.to_markdown(whole), "", " ".join(notes)]) + "\n"


def explain_marks(tables: Sequence[Table]) -> list[str]:
    """Returns what the marks behind entrants mean, of those that there are."""
    marks = {
        m
        for _, _, standings in contests_of(tables)
        for e in standings.entrants
        for m in marks_of(e, standings)
    }
    failed = any(
        e.cell.failed for _, _, standings in contests_of(tables) for e in standings.entrants
    )
    notes = [f"{DAGGER} Seeds failed: {NOTE}."] if failed else []
    if any(check.lax for _, _, standings in contests_of(tables) for check in standings.checks):
        notes.append(f"{LAX} {WHY_LAX}.")
    return [*notes, *(f"{mark} {text}." for mark, text in MARKS.items() if mark in marks)]


def describe_column(standings: Standings) -> str:
    """Returns what decides, e.g. "fid ↓ with recall"; of data sets without a declaration it says so."""
    beside = ", ".join(c.beside.column + LAX * c.lax for c in standings.checks)
    words = standings.column.heading + (f" with {beside}" if beside else "")
    return words if standings.declared else f"{words} (not declared)"


def describe(entrant: Entrant, standings: Standings) -> str:
    """Returns an entrant as words, e.g. "flow: realnvp 0.79 ± 0.06"."""
    fails = f" (fails {', '.join(entrant.failed)})" if entrant.failed else ""
    score = f"{entrant.cell.text}{marks_of(entrant, standings)}"
    return f"{name_entrant(entrant)} {score}{FEW * entrant.too_few}{fails}"


def name_entrant(entrant: Entrant) -> str:
    """Returns a family with its model, e.g. "flow: realnvp"; a row that stands for itself by its name."""
    if entrant.name == entrant.family:
        return f"{entrant.family}: {entrant.group.model}"
    return entrant.name


def marks_of(entrant: Entrant, standings: Standings) -> str:
    """Returns the marks behind an entrant."""
    own = UNTUNED * (entrant in standings.untuned)
    return own + ("‡" if entrant.loses_to else "") + ("?" if entrant.unchecked else "")
