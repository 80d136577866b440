"""A report before it is written: its tables with their pictures, page names and colours."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from genbench.core.claim import CLAIMS
from genbench.core.errors import GenbenchError
from genbench.report.cards import Card, make_cards
from genbench.report.claim_readme import group_by_verdict
from genbench.report.groups import Group
from genbench.report.site import figures, samples, sheets
from genbench.report.site.panorama import name_briefly
from genbench.report.site.samples import Gallery, Panel
from genbench.report.site.templating import file_name
from genbench.report.tables import Table
from genbench.report.tuned_scores import TunedScore, describe_unused, read_tuned_scores
from genbench.report.tuning import Search, read_searches
from genbench.store import Record, Store
from genbench.store.absent import list_absent_claims
from genbench.store.cached import CachedStore

#: pixels of all sheets of images together, so that a report of many data sets stays below 15 MB
PIXELS = 6_000_000
SMALLEST = 16 * 28 * 28
#: points of all scatters together, likewise, and the fewest of one
DOTS, FEWEST = 100_000, 150


@dataclass(frozen=True)
class Page:
    """A data set's page: its table with all that is drawn of it.

    Arguments:
        file: The name of the page's file.
        table: The leaderboard.
        gallery: Pictures of the samples.
    """

    file: str
    table: Table
    gallery: Gallery

    def panel(self, group: Group) -> Panel:
        """Returns the picture of a row's samples; pictures of real data come before the rows."""
        first = len(self.gallery.panels) - len(self.table.groups)
        return self.gallery.panels[first + self.table.groups.index(group)]

    @cached_property
    def curves(self) -> list[dict[str, Any]]:
        """The learning curves of all rows."""
        return figures.make_learning_curves(self.table)


@dataclass(frozen=True)
class Site:
    """All that the pages of a report are made from.

    Arguments:
        title: The report's title.
        pages: One per data set.
        problems: Sentences about files that are not records.
        pictures: Files of images by name.
        claims: The claims, if anything has been measured of any.
        searches: What tuning found, if anything was tuned.
        tuned_scores: What it gained.
        unused_trials: Sentences about files of trials that are no part of that.
        folder: Where the pages go, from which commands name files.
    """

    title: str
    pages: tuple[Page, ...]
    problems: tuple[str, ...]
    pictures: dict[str, bytes]
    claims: tuple[Card, ...] = ()
    searches: tuple[Search, ...] = ()
    tuned_scores: tuple[TunedScore, ...] = ()
    unused_trials: tuple[str, ...] = ()
    folder: Path = Path("report")

    @property
    def tables(self) -> list[Table]:
        """The leaderboards."""
        return [page.table for page in self.pages]

    @cached_property
    def records(self) -> list[Record]:
        """Every record that a row holds."""
        return [r for t in self.tables for g in t.groups for r in g.records]

    @property
    def finished(self) -> str:
        """When the last run finished."""
        return max((r.finished for r in self.records if r.finished), default="")

    @cached_property
    def short_names(self) -> dict[str, str]:
        """The names of data sets without their options, where that leaves them apart, by the whole name."""
        return name_briefly(self.tables)

    @cached_property
    def models(self) -> dict[str, str]:
        """The page of every model, by its name."""
        names = sorted({g.model for t in self.tables for g in t.groups})
        return {name: file_name("model", name) for name in names}

    @cached_property
    def labels(self) -> list[str]:
        """The labels of all rows: those that compete first, then those that stand in most tables."""
        count = Counter(g.label for t in self.tables for g in t.groups)
        competing = {g.label for t in self.tables for g in t.groups if not g.reference}
        return sorted(count, key=lambda label: (label not in competing, -count[label], label))

    def rows(self, model: str) -> list[tuple[Page, list[Group]]]:
        """Returns a model's rows, by data set."""
        rows: dict[int, list[Group]] = defaultdict(list)
        for i, table in enumerate(self.tables):
            for group in table.groups:
                if group.model == model:
                    rows[i].append(group)
        return [(self.pages[i], groups) for i, groups in rows.items()]

    def header(self, here: str, heading: str) -> dict[str, Any]:
        """Returns what the head of every page asks for: title, heading and navigation."""
        links = [("index.html", self.title)]
        links += [("claims.html", "Claims")] if self.claims else []
        links += [("compare.html", "Compare")] if self.pages else []
        links += [("fairness.html", "How it is fair")] if self.pages else []
        links += [("tuning.html", "Tuning")] if self.searches else []
        links += [("sources.html", "Sources")]
        links += [("failures.html", "Failures"), ("environment.html", "Environment")]
        datasets = [(page.file, self.short_names[page.table.name]) for page in self.pages]
        about = {"title": self.title, "heading": heading, "here": here, "links": links}
        return {**about, "datasets": datasets, "claims": group_by_verdict(self.claims)}


def make_site(
    store: Store,
    tables: Sequence[Table],
    problems: Sequence[str],
    title: str,
    folder: Path = Path("report"),
) -> Site:
    """Returns a report's contents; reads the samples that lie beside the records."""
    count = sum(len(table.groups) + 1 for table in tables)
    pixels = max(SMALLEST, min(samples.SHEET, PIXELS // max(1, count)))
    dots = max(FEWEST, min(samples.POINTS, DOTS // max(1, count)))
    pictures: dict[str, bytes] = {}
    pages = []
    for table in tables:
        gallery = samples.make_gallery(
            store,
            table,
            pixels=pixels,
            dots=dots,
            absent=partial(_kept_picture, store),
            kept=partial(sheets.read_images, store),
            written=partial(sheets.read_lines, store),
        )
        panels = tuple(_move_to_file(panel, pictures) for panel in gallery.panels)
        pages.append(Page(file_name("data", table.name), table, replace(gallery, panels=panels)))
    cards, broken = make_claim_cards(store, tables)
    searches = tuple(read_searches(store.root)) if store.groups is None else ()
    gains = tuple(read_tuned_scores(store)) if searches else ()
    unused = tuple(describe_unused(store)) if searches else ()
    about = (*problems, *broken)
    found = cards, searches, gains, unused
    return Site(title, tuple(pages), about, pictures, *found, folder)


def make_claim_cards(store: Store, tables: Sequence[Table]) -> tuple[tuple[Card, ...], list[str]]:
    """Returns the claims if anything has been measured of any, and what keeps them from being shown.

    A report of one suite has none: its records are not all that the claims rest on.
    """
    if store.groups is not None:
        return (), []
    cached = CachedStore(store.root, (r for t in tables for g in t.groups for r in g.records))
    cards, broken = [], list_absent_claims(store)
    for name in CLAIMS.names():
        try:
            cards += make_cards(cached, [name])
        except GenbenchError as error:  # a claim's file that cannot be used: the others go on
            broken.append(f"claim {name}: {error}")
    return (tuple(cards) if any(card.known for card in cards) else ()), broken


def _kept_picture(store: Store, group: Group, why: str) -> Panel:
    """The picture that is kept beside the records, where there is one."""
    try:
        path = sheets.find_picture(store, group)
    except GenbenchError as error:
        return Panel(group.label, str(error))
    return Panel(group.label, why) if path is None else sheets.read_picture(path, group.label)


def _move_to_file(panel: Panel, pictures: dict[str, bytes]) -> Panel:
    """The panel with its sheet in a file of its own, which several pages may show."""
    if not panel.png:
        return panel
    head, _, body = panel.png.partition(",")
    content = base64.b64decode(body)
    suffix = "webp" if "webp" in head else "png"
    name = f"pictures/{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
    pictures[name] = content
    return replace(panel, png=name)
