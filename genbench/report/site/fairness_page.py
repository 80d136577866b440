"""The page that says how the comparison is made fair, and what is not fair yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from genbench.core.entrants import EntrantField, read_entrants
from genbench.report.fairness import MATCHED
from genbench.report.family_bests import FamilyBest, compare_entrants, make_sheet
from genbench.report.groups import TRAINING
from genbench.report.sheet import to_html
from genbench.report.site import templating
from genbench.report.standings import Standings
from genbench.report.text import count_range, counted, number
from genbench.report.winners import WHY_LAX, contests_of, describe_column

if TYPE_CHECKING:
    from genbench.report.site.site import Site
    from genbench.report.tables import Table

PAGE = "fairness.html"


def make_files(site: Site) -> dict[str, bytes]:
    """Returns the page by its name; nothing where there are no records."""
    if not site.pages:
        return {}
    pages = {page.table.name: page.file for page in site.pages}
    contests = [
        {"name": name, "page": pages[table.name], **describe_contest(table, standings)}
        for name, table, standings in contests_of(site.tables)
    ]
    closed = [
        (table.name, column.heading, table.gates[column].reason)
        for table in site.tables
        for column in table.columns
        if column.headline and not table.judges(column)
    ]
    bests = compare_entrants()
    page = templating.render(
        PAGE,
        **site.header(PAGE, "How the comparison is made fair"),
        contests=contests,
        kinds=[(kind, list_entrants(field), field) for kind, field in _kinds()],
        closed=closed,
        searches=[
            (s.heading, len(s.models), count_range([len(m.values) for m in s.models]))
            for s in site.searches
        ],
        exploratory=[card for card in site.claims if card.exploratory],
        registered=[card for card in site.claims if card.known and not card.exploratory],
        unfair=[*list_unfair(site), *map(Remark, describe_overtaken(bests))],
        bests=Markup(to_html(make_sheet(bests))) if bests else "",
        matched=MATCHED,
        training=TRAINING,
    )
    return {PAGE: page}


def describe_contest(table: Table, standings: Standings) -> dict[str, Any]:
    """Returns what decides a data set and what every entrant was given."""
    weights = [w for e in standings.entrants if (w := e.group.parameters)]
    middle = median(weights) if weights else None
    rows = []
    for entrant in standings.entrants:
        own = entrant.group.parameters
        ratio = own / middle if own and middle else None
        rows.append(
            {
                "family": entrant.family,
                "label": entrant.group.label,
                "listed": entrant.listed or standings.by_row,
                "tuned": {True: "yes", False: "no", None: "–"}[entrant.group.tuned],
                "budget": entrant.group.costs["budget"],
                "parameters": entrant.group.costs["parameters"],
                "ratio": ratio,
                "matched": ratio is None or abs(ratio - 1) <= MATCHED,
                "training": table.training(entrant.group).text,
                "seeds": entrant.cell.seeds_text,
            }
        )
    checks = [
        f"{c.beside.column} whose interval reaches {c.beside.share:.0%} of what real points score"
        + ("" if c.bar is None else f" ({number(c.bar)})")
        + ("" if c.column is not None else ", not measured here")
        + (f"; {WHY_LAX}" if c.lax else "")
        for c in standings.checks
    ]
    return {
        "by": describe_column(standings),
        "protocol": standings.column.about,
        "checks": checks,
        "rows": rows,
        "margin": standings.quality.margin,
    }


def list_entrants(field: EntrantField) -> list[dict[str, Any]]:
    """Returns the entrants for a kind of data, with what is not their default."""
    return [
        {
            "family": family,
            "model": one.model,
            "options": ", ".join(f"{k}={json.dumps(v)}" for k, v in one.options.items()),
            "steps": one.steps or field.steps,
            "batch": one.batch or field.batch,
        }
        for family, many in field.families.items()
        for one in many
    ]


#: what is said of rows that pass with a mean below the bar
NARROW = (
    "A row fails what must be passed only where its whole interval lies below the bar, so that wide "
    "intervals pass more easily; these pass with a mean below it."
)


@dataclass(frozen=True)
class Remark:
    """What is not fair yet.

    Arguments:
        sentence: What holds of these records.
        rows: Of which rows, where they are many.
    """

    sentence: str
    rows: tuple[str, ...] = ()


def list_unfair(site: Site) -> list[Remark]:
    """Returns what is not fair yet."""
    untuned = [kind for kind, field in _kinds() if not field.tuned]
    remarks = [
        Remark(
            "Of several entrants of a family the best by these scores stands for it, and ranks do not pay "
            "for that choice; intervals of claims do."
        )
    ]
    if untuned:
        remarks.append(
            Remark(
                f"Entrants for {', '.join(untuned)} have their default options: tuning, the same for all, "
                "has not ended."
            )
        )
    remarks += _remark_rows(site)
    machines = {str(r.environment.get("cpu") or r.environment.get("device")) for r in site.records}
    if len(machines) > 1:
        remarks.append(
            Remark(
                f"Times come from {len(machines)} kinds of machine, and are only as comparable as those."
            )
        )
    return remarks


def _remark_rows(site: Site) -> list[Remark]:
    """What is not fair of rows that stand for families or for themselves."""
    contests = contests_of(site.tables)
    unlisted = tuple(
        f"{e.group.label} on {name}"
        for name, _, standings in contests
        for e in standings.entrants
        if not e.listed and not standings.by_row
    )
    untuned = tuple(
        f"{e.group.label} on {name}" for name, _, standings in contests for e in standings.untuned
    )
    remarks = []
    if unlisted:
        remarks.append(
            Remark(
                f"{counted(len(unlisted), 'row', 'stands for its family', 'stand for their families')} "
                "without being on the list of entrants for that data, or at another budget.",
                unlisted,
            )
        )
    if untuned:
        remarks.append(
            Remark(
                "Rows without tuned options are compared with rivals that have them; what wins there is not "
                "called clear.",
                untuned,
            )
        )
    if narrow := _list_narrow(contests):
        remarks.append(Remark(NARROW, narrow))
    return remarks


def _list_narrow(contests: Sequence[tuple[str, Table, Standings]]) -> tuple[str, ...]:
    """The rows that pass with a mean below the bar."""
    return tuple(
        f"{e.group.label} on {name}: {check.beside.column} {cell.text}, bar {number(check.bar)}"
        for name, table, standings in contests
        for e in standings.entrants
        for check in standings.checks
        if check.column is not None
        and check.passes_by_interval(cell := table.cell(e.group, check.column))
    )


def describe_overtaken(rows: Sequence[FamilyBest]) -> list[str]:
    """Returns a sentence where entrants of a family score worse than another model, or were not tuned."""
    overtaken = [
        f"{row.best} on {row.dataset} ({number(row.value)} in {row.column}; "
        f"{', '.join(f'{model} {number(value)}' for model, value in row.entrants.items())})"
        for row in rows
        if row.overtaken
    ]
    untuned = [f"{model} on {row.dataset}" for row in rows for model in row.untuned]
    sentences = []
    if overtaken:
        sentences.append(
            "Entrants were laid down before tuning; by validation scores another model is the best of its "
            f"family: {'; '.join(overtaken)}."
        )
    if untuned:
        sentences.append(
            f"Not tuned, where others of the family are: {', '.join(untuned)}; these have their defaults."
        )
    return sentences


def _kinds() -> list[tuple[str, EntrantField]]:
    return list(read_entrants().kinds.items())
