"""What the overview answers first: which family or row leads on every data set, how sure, at what cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from genbench.core.dataset import DataSpec, open_named
from genbench.core.model import MODELS
from genbench.report import reproduce, text
from genbench.report.columns import Cell, TableColumn
from genbench.report.contenders import competes
from genbench.report.groups import Group
from genbench.report.site.frontier import find_cost
from genbench.report.site.panorama import make_panel
from genbench.report.site.site import Page, Site
from genbench.report.standings import Entrant, Standings
from genbench.report.tables import Table
from genbench.report.winners import MARKS, UNTUNED, WHY_LAX, describe_column, name_entrant

#: panels of the first screen, three lines of five
PANELS = 15


def make_front(site: Site) -> dict[str, Any]:
    """Returns what the first screen shows: the verdict, a panel and a ranked table per data set."""
    boards = [make_ranked(site, page) for page in site.pages if page.table.contests]
    default = max(boards, key=lambda b: (b["size"], b["rows_in_all"]), default=None)
    panels = [
        {**panel, "page": page.file, "short": site.short_names[page.table.name]}
        for page in put_families_first(site.pages)
        if (panel := make_panel(page.table)) is not None
    ]
    first, rest = split_panels(panels)
    families = list_families(site)
    answer, of_rows = (
        summarise([t for t in site.tables if ranks_rows(t) is by_row], site.short_names)
        for by_row in (False, True)
    )
    return {
        "answer": answer,
        "of_rows": of_rows,
        "boards": boards,
        "default": default and default["name"],
        "panels": first,
        "more_panels": rest,
        "families": families,
        "colours": {family: i % 10 for i, family in enumerate(families)},
    }


def ranks_rows(table: Table) -> bool:
    """Returns whether the rows of a table stand for themselves, as on data of pairs, and not for families."""
    return any(standings.by_row for standings in table.contests)


def put_families_first(pages: Sequence[Page]) -> list[Page]:
    """Returns pages in their order, but last those of data sets on which no families compete."""
    return sorted(pages, key=lambda page: ranks_rows(page.table))


def split_panels(
    panels: Sequence[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Returns the panels that leave the first screen room for the answers, and the rest, in their order.

    Those that compare no two entrants are the first to go, then the last.
    """
    order = sorted(range(len(panels)), key=lambda i: (len(panels[i]["points"]) < 2, i))
    first = set(order[:PANELS])
    both = [(i in first, panel) for i, panel in enumerate(panels)]
    return [p for chosen, p in both if chosen], [p for chosen, p in both if not chosen]


def list_families(site: Site) -> list[str]:
    """Returns the families that compete, in the order of their names."""
    return sorted({g.family for t in site.tables for g in t.groups if not g.reference})


def summarise(
    tables: Sequence[Table], names: Mapping[str, str]
) -> dict[str, list[tuple[str, list[str]]]]:
    """Returns the data sets that each family or row leads, the one with most first.

    By "sure" where it is significantly better than all that pass, "alone" where no other passes, "shared"
    elsewhere.
    """
    led: dict[str, dict[str, list[str]]] = {"sure": {}, "alone": {}, "shared": {}}
    for table in tables:
        standings = table.standings
        if standings is None or standings.first is None or len(standings.entrants) < 2:
            continue
        kind = "alone" if standings.alone else "sure" if standings.sure else "shared"
        led[kind].setdefault(standings.first.name, []).append(names[table.name])
    return {
        kind: sorted(rows.items(), key=lambda item: (-len(item[1]), item[0]))
        for kind, rows in led.items()
    }


def make_ranked(site: Site, page: Page) -> dict[str, Any]:
    """Returns the ranked entrants of a data set, with what each costs and how it is made again."""
    table = page.table
    main = table.standings or table.labelled
    assert main is not None
    tables = [
        _league(site, table, standings, "" if standings is table.standings else "with labels")
        for standings in table.contests
    ]
    return {
        "name": table.name,
        "page": page.file,
        "leagues": tables,
        "size": len(main.entrants),
        "rows_in_all": len(table.groups),
        "absent": find_absent(site, table),
    }


def list_pictures(site: Site) -> list[dict[str, Any]]:
    """Returns, by data set, the pictures of entrants that there are; of the first also why there is none."""
    sheets = []
    for page in put_families_first(site.pages):
        panels, absent = [], []
        for standings, e in ((s, e) for s in page.table.contests for e in s.entrants):
            panel = page.panel(e.group)
            if panel.drawn or e is standings.first:
                family, label = ("", e.name) if standings.by_row else (e.family, e.group.model)
                panels.append((family, replace(panel, label=label)))
            else:
                absent.append(name_entrant(e))
        if panels:
            head = {"name": page.table.name, "page": page.file, "centres": page.gallery.centres}
            head |= {"by_row": ranks_rows(page.table)}
            complete = not absent and all(panel.drawn for _, panel in panels)
            sheets.append({**head, "panels": panels, "absent": absent, "complete": complete})
    return sheets


def list_beside(table: Table, standings: Standings) -> dict[str, TableColumn | None]:
    """Returns what stands beside the column that decides, by id; None where it was not measured.

    What must be passed, with what that is never printed without.
    """
    columns: dict[str, TableColumn | None] = {}
    for check in standings.checks:
        columns[check.beside.column] = check.column
        if check.column is not None:
            columns |= {c.id: c for c in table.beside(check.column) if c != standings.column}
    return columns


def _league(site: Site, table: Table, standings: Standings, about: str) -> dict[str, Any]:
    cost, price = find_cost(table)
    latency = cost.startswith("latency")
    first = standings.first
    return {
        "about": about,
        "by": describe_column(standings),
        "by_row": standings.by_row,
        "protocol": standings.column.about,
        "floor": standings.floor,
        "beside": list_beside(table, standings),
        "lax": {check.beside.column for check in standings.checks if check.lax},
        "why_lax": WHY_LAX,
        "how_sure": standings.how_sure,
        "sure": standings.sure,
        "rivals": len(standings.rivals),
        "cost": cost if latency else "",
        "rows": [
            _row(site, table, standings, e, price(e.group).mean if latency else None)
            for e in standings.entrants
        ],
        "command": reproduce.command_of(first.group, site.folder) if first is not None else "",
        "command_note": reproduce.Rerun(first.group).note if first is not None else "",
        "first": first and (first.name if standings.by_row else first.group.label),
        "margin": standings.quality.margin,
    }


def _row(
    site: Site, table: Table, standings: Standings, entrant: Entrant, latency: float | None
) -> dict[str, Any]:
    group = entrant.group
    passes = {c.beside.column: c.passes for c in standings.checks}
    cells = {
        id: table.cell(group, column) if column else Cell({})
        for id, column in list_beside(table, standings).items()
    }
    return {
        "entrant": entrant,
        "page": site.models[group.model],
        "beside": [
            (cell, passes[id](cell) if id in passes else None) for id, cell in cells.items()
        ],
        "latency": latency,
        "training": table.training(group).text,
        "budget": group.costs["budget"],
        "rank": text.rank_text(*_ends(standings, entrant)),
        "untuned": MARKS[UNTUNED] if entrant in standings.untuned else "",
    }


def _ends(standings: Standings, entrant: Entrant) -> tuple[int | None, int | None]:
    """The ranks among the entrants that the seeds leave open."""
    ids = [e.group.id for e in standings.entrants]
    above = standings.ranking.above
    if entrant.group.id not in above:
        return None, None
    better = [i for i in ids if i in above[entrant.group.id]]
    worse = [i for i in ids if i in above and entrant.group.id in above[i]]
    return 1 + len(better), len(ids) - len(worse)


def find_absent(site: Site, table: Table) -> list[tuple[str, str]]:
    """Returns the families without an entrant, and whether they were not run, refused or failed.

    Where rows stand for themselves, the rows without a score.
    """
    if ranks_rows(table):
        return _absent_rows(table)
    entered = {e.family for s in table.contests for e in s.entrants}
    rows: dict[str, list[Group]] = {}
    for group in table.groups:
        rows.setdefault(group.family, []).append(group)
    spec = spec_of(table)
    members = {g.model: g.family for t in site.tables for g in t.groups if not g.reference}
    return [
        (family, explain_absence(rows.get(family, []), table, family, members, spec))
        for family in list_families(site)
        if family not in entered
    ]


def _absent_rows(table: Table) -> list[tuple[str, str]]:
    entered = {e.group.id for s in table.contests for e in s.entrants}
    return [
        (group.label, explain_absence([group], table, group.family, {}, None))
        for group in table.groups
        if not group.reference and group.id not in entered
    ]


def explain_absence(
    rows: Sequence[Group],
    table: Table,
    family: str,
    members: Mapping[str, str],
    spec: DataSpec | None,
) -> str:
    """Returns why a family has no entrant: refused, failed, not measured by the column, or not run."""
    if rows:
        bad = next((r for g in rows for r in g.records if r.status != "ok"), None)
        if bad is not None and not any(g.ok for g in rows):
            return (
                f"{'refused' if bad.status == 'skipped' else 'failed'}: {bad.reason or bad.status}"
            )
        if not any(competes(g, labels) for g in rows for labels in (False, True)):
            return "run with a part of the labels alone"
        column = table.contests[0].column if table.contests else None
        if column is None:
            return "not measured"
        other = any(
            c.id == column.id and table.cell(g, c).values for g in rows for c in table.columns
        )
        return f"{column.id} by another protocol" if other else f"not measured by {column.id}"
    reasons = [_refusal(name, spec) for name, own in members.items() if own == family]
    if reasons and all(reasons):
        return f"refused: {reasons[0]}"
    return "not run"


def spec_of(table: Table) -> DataSpec | None:
    """Returns what models are told of a table's data set; None where it is not installed."""
    try:
        options = table.groups[0].first.spec.dataset_options
        return open_named(table.dataset, offline=True, **options).spec
    except Exception:  # a plugin of another machine, or one that is broken: the report goes on
        return None


def _refusal(model: str, spec: DataSpec | None) -> str | None:
    if spec is None or model not in MODELS:
        return None
    try:
        return MODELS.get(model).refuses(spec)
    except Exception:  # a broken plugin: the report goes on
        return None
