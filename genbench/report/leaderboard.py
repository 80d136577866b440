"""The public leaderboard: one page and one Markdown file, with the provenance of every number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genbench.core.errors import SpecError, unknown
from genbench.core.files import RUNS, write_bytes
from genbench.report import compact, formats, readme, text, winners
from genbench.report.groups import TRAINING, Group
from genbench.report.sheet import Heading, markdown_text, to_html
from genbench.report.sheet import to_markdown as markdown_lines
from genbench.report.site import templating
from genbench.report.site.pages import make_board
from genbench.report.tables import Table, make_leaderboards
from genbench.running.cells import groups_of
from genbench.running.scale import SCALES
from genbench.store import Record, Store
from genbench.store.absent import no_records
from genbench.store.suites import find_suite
from genbench.store.tuned import find_damaged_choices
from genbench.store.validate import find_damaged_trials

if TYPE_CHECKING:
    import pandas

BEGIN, END = readme.markers("leaderboard")
#: models per data set that the README shows
MOST = 10
#: what a row cost, and the budget that it had
COSTS = ("parameters", TRAINING, "budget", "ok")
#: what tells one source of numbers from another, in the order it is said
ORIGIN = ("genbench", "git", "torch", "device", "gpu", "cpu", "platform")


@dataclass(frozen=True, repr=False)
class Leaderboard:
    """Records as leaderboards, one per data set; notebooks show it as tables.

    Arguments:
        records: The records.
        problems: A sentence for every file that is not a record.
        scale: Which scale of the claims' budgets is shown, as `make_leaderboards` has it.
        store: The folder that they were read of, where samples and trials lie.
    """

    records: tuple[Record, ...] = field(repr=False)
    problems: tuple[str, ...] = ()
    scale: str = "default"
    store: Store = field(default_factory=lambda: Store(RUNS))

    @cached_property
    def tables(self) -> list[Table]:
        """The tables, in the order of data sets."""
        return make_leaderboards(self.records, scale=self.scale)

    def to_frame(self) -> pandas.DataFrame:
        """Returns one row per (data set, model, column), with means, intervals and ranks."""
        return formats.make_frame(self.tables)

    def to_dict(self) -> dict[str, Any]:
        """Returns everything with one value per seed, as `leaderboard.json` of a report has it."""
        return formats.to_dict(self.tables)

    def to_markdown(self) -> str:
        """Returns what decides and the headlines in Markdown, as `genbench leaderboard` prints them."""
        return to_markdown(self.tables)

    def write(self, folder: Path | str, *, title: str = "genbench leaderboard") -> Path:
        """Writes a page and leaderboard.md to a folder; returns the path of the page."""
        return write_leaderboards(self.tables, Path(folder), title=title)

    def __repr__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        marks = _marks(self.tables)
        return "\n".join(to_html(_compact_sheet(table, marks)[0]) for table in self.tables)


def load_leaderboard(
    results: Path | str = RUNS,
    *,
    suite: str | None = None,
    config: Path | None = None,
    scale: str = "default",
    curves: bool = True,
) -> Leaderboard:
    """Reads the leaderboards of a results folder.

    Arguments:
        results: The folder.
        suite: Show this suite's cells alone, whatever their seeds.
        config: The suite file; by default benchmarks.yaml here, else the one that genbench ships.
        scale: Which scale of the claims' budgets to show, as `make_leaderboards` has it.
        curves: Whether records keep their learning curves, which no table shows.

    Raises:
        StoreError: If the folder holds no records.
        UnknownName: If there is no such suite, or no such scale.
        SpecError: If there is a suite file, and no suite.
    """
    if config is not None and suite is None:
        raise SpecError(
            "config needs a suite, got none; name one of its suites, or leave config out"
        )
    if scale not in (*SCALES, "all"):
        raise unknown("scale", scale, (*SCALES, "all"))
    groups = groups_of(find_suite(suite, config)) if suite else None
    board = read_leaderboard(Store(results, groups=groups), scale, curves=curves)
    if not board.records:
        raise no_records(results, suite)
    return board


def read_leaderboard(store: Store, scale: str = "default", *, curves: bool = True) -> Leaderboard:
    """Returns the leaderboards of an open folder, which may be empty."""
    records, problems = store.load(curves=curves)
    problems += [*find_damaged_trials(store.root), *find_damaged_choices()]
    return Leaderboard(tuple(records), tuple(problems), scale, store)


def write_leaderboards(tables: Sequence[Table], out: Path, *, title: str) -> Path:
    """Writes index.html, leaderboard.md and what the page needs; returns the path of index.html.

    Arguments:
        tables: The leaderboards.
        out: The folder; it is made if need be.
        title: The page's title.
    """
    body = f"# {markdown_text(title)}\n\n{to_markdown(tables)}"
    write_bytes(out / "leaderboard.md", body.encode())
    for name in ("style.css", "script.js"):
        write_bytes(out / name, templating.read_asset(name).encode())
    write_bytes(out / "index.html", render_page(tables, title))
    return out / "index.html"


def render_page(tables: Sequence[Table], title: str) -> bytes:
    """Returns the page: all tables, and where their numbers come from."""
    records = [r for t in tables for g in t.groups for r in g.records]
    boards = [{"id": f"data-{i}", **make_board(table)} for i, table in enumerate(tables)]
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
        links=[links[0], ("#provenance", "Provenance")],
        datasets=links[1:],
        boards=boards,
        finished=max((r.finished for r in records if r.finished), default=""),
        sources=[(marks[source], source, n) for source, n in count_sources(tables)],
    )


def to_markdown(tables: Sequence[Table], *, most: int | None = None, whole: bool = False) -> str:
    """Returns what decides and the headlines of every table in Markdown, protocols and sources below.

    Arguments:
        tables: The leaderboards.
        most: How many models a table shows, reference rows apart; all without it.
        whole: Show every column.
    """
    marks = _marks(tables)
    parts = [
        f"Mean over seeds ± half the 95 % interval (bootstrap-t). {text.RANKS} **Bold**: best mean. "
        "*Reference* rows do not compete; the floor is what real points score against real points."
    ]
    for table in tables:
        sheet, rest = _compact_sheet(table, marks, most, whole=whole)
        parts += ["", f"### {markdown_text(table.name)}", "", *markdown_lines(sheet), ""]
        parts += [f"{i}. {markdown_text(note)}" for i, note in enumerate(sheet.notes, 1)]
        parts += ["", f"{rest} more rows: see `genbench report`."] if rest else []
    if marks:
        parts += ["", "Sources (column *from*):"]
        parts += [f"- {marks[s]} {markdown_text(s)}, {n} runs" for s, n in count_sources(tables)]
    return "\n".join(parts) + "\n"


def count_sources(tables: Sequence[Table]) -> list[tuple[str, int]]:
    """Returns where the numbers come from, and how many runs each gave, most first."""
    groups = [group for table in tables for group in table.groups]
    count = Counter(origin(r) for g in groups for r in g.records)
    return sorted(count.items(), key=lambda item: (-item[1], item[0]))


def origin(record: Record) -> str:
    """Returns the code and the machine that a record comes from, as its environment says."""
    environment = record.environment
    facts = [
        f"{key} {environment[key]}" for key in ORIGIN if environment.get(key) not in (None, "", {})
    ]
    return ", ".join(facts) or "an unknown environment"


def update_readme(path: Path, tables: Sequence[Table]) -> bool:
    """Writes the leaderboard, the winners or both between a Markdown file's markers; returns if it changed.

    Raises:
        DataError: If the file cannot be read or has no pair of markers.
    """
    bodies = {
        "leaderboard": lambda: to_markdown(tables, most=MOST),
        "winners": lambda: winners.to_markdown(tables),
    }
    return readme.update(path, bodies)


def _compact_sheet(
    table: Table, marks: dict[str, str], most: int | None = None, *, whole: bool = False
) -> tuple[formats.Sheet, int]:
    """The columns to show of the first models, and how many models are left out."""
    running = [g for g in table.groups if not g.reference]
    columns = compact.whole_columns(table) if whole else compact.filled_columns(table)
    first = {g.id for g in running[:most]}
    heads = [f"{c.heading} ({i})" for i, c in enumerate(columns, 1)]
    sheet = formats.make_sheet(
        table,
        columns,
        groups=[g for g in table.groups if g.reference or g.id in first],
        heads=[Heading(head) for head in (*heads, *COSTS, "from")],
        costs=lambda g: (*map(table.costs(g).__getitem__, COSTS), _from(g, marks)),
        after=lambda cell: f" {cell.rank_text}",
        notes=[f"{c.id}: {table.about(c)}" for c in columns],
    )
    return sheet, len(running) - len(first)


def _marks(tables: Sequence[Table]) -> dict[str, str]:
    """A short mark for every source."""
    return {source: f"[{i}]" for i, (source, _) in enumerate(count_sources(tables), 1)}


def _from(group: Group, marks: dict[str, str]) -> str:
    return " ".join(sorted({marks[origin(record)] for record in group.records}))
