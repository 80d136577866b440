"""The page of the sources: what they name, beside what answers it here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genbench.report import source_tables, sources
from genbench.report.site import templating

if TYPE_CHECKING:
    from genbench.report.site.site import Site

PAGE = "sources.html"


def make_files(site: Site) -> dict[str, bytes]:
    """Returns the page by its name."""
    items = sources.read_sources().items
    sections = [
        {
            "title": sources.TITLES[kind],
            "id": kind,
            "rows": [_view(site, item) for item in items if item.kind == kind],
        }
        for kind in sources.KINDS
    ]
    page = templating.render(
        PAGE,
        **site.header(PAGE, "What the sources say"),
        sections=sections,
        about=f"{source_tables.count_rows()} {source_tables.list_documents()}",
        rest=source_tables.make_rest_sheet(),
    )
    return {PAGE: page}


def _view(site: Site, item: sources.Item) -> dict[str, Any]:
    """A row, with links to the pages that this report has."""
    verdicts = {card.claim.name: card.verdict_text for card in site.claims}
    answers = {
        kind: [
            {
                "label": reference.label,
                "href": _link(site, reference),
                "absent": reference.absent,
                "verdict": verdicts.get(reference.name, "") if reference.kind == "claim" else "",
            }
            for reference in many
        ]
        for kind, many in sources.group_answers(item).items()
    }
    return {
        "title": sources.title_of(item),
        "said": sources.said_by(item),
        "answers": answers,
        "missing": item.missing,
        "command": item.command,
    }


def _link(site: Site, reference: sources.PluginReference) -> str:
    if reference.kind == "model":
        return site.models.get(reference.name, "")
    ids = {card.claim.name: card.claim.id for card in site.claims}
    is_listed = reference.kind == "claim" and reference.name in ids
    return templating.file_name("claim", ids[reference.name]) if is_listed else ""
