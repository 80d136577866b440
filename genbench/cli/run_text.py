"""What `genbench run` prints beside progress: expected time, best rows, what to type next. Imports torch."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

import click
from rich.console import Console
from rich.text import Text

from genbench.cli.carried import carry_plugins
from genbench.cli.execution import ConsoleListener
from genbench.cli.progress import clock_text
from genbench.core.catalogue import is_baseline
from genbench.core.claim import find
from genbench.core.errors import SpecError
from genbench.core.model import MODELS
from genbench.core.names import built_in
from genbench.report.columns import DAGGER, TableColumn
from genbench.report.compact import asked_columns, compact_columns
from genbench.report.counts import count_text
from genbench.report.groups import Group
from genbench.report.sheet import Entry, Heading, Sheet, print_sheet
from genbench.report.standings import Check
from genbench.report.tables import Table, make_leaderboards
from genbench.running.cell_costs import Expected, expect, known_costs
from genbench.running.registration import find_standing
from genbench.running.run_result import RunResult
from genbench.store import Record
from genbench.store.registration_history import read_history
from genbench.store.registrations import read_registrations
from genbench.store.suites import CLAIMS

#: rows of a data set that are shown after a run
BEST = 3
#: data sets of which rows are shown
MOST = 4


def refuse_impossible(result: RunResult) -> None:
    """Refuses a run of which no cell can be, with the reason.

    Raises:
        SpecError: If models refuse all of its data sets.
    """
    plans = result.plans
    if plans and all(plan.cells and len(plan.skipped) == len(plan.cells) for plan in plans):
        reasons = dict.fromkeys(reason for plan in plans for reason in plan.refusals)
        raise SpecError(f"run needs a model that can do the data set: {'; '.join(reasons)}")


def tell_untuned(result: RunResult, tuned_by: str | None) -> None:
    """Names on stderr the models of a tuned run that are trained, and have nothing to tune."""
    models = {spec.model: MODELS.get(spec.model) for plan in result.plans for spec in plan.cells}
    own = sorted(
        name for name, one in models.items() if not one.search and one.taxonomy != "reference"
    )
    if tuned_by and own:
        text = f"trained with their own options, as they have nothing to tune: {', '.join(own)}"
        click.echo(text, err=True)


def tell_exploratory(suite: str | None, names: Sequence[str], listener: ConsoleListener) -> None:
    """Says of the claims that are named, or else of those of plugins, why verdicts will be exploratory.

    Arguments:
        suite: What is run; of others than `claims` nothing is said.
        names: The claims.
        listener: Shows the run.
    """
    if suite != CLAIMS:
        return
    standard = built_in("claim")
    claims = {id: one for id, one in find(names).items() if names or one.name not in standard}
    registrations, history = read_registrations(), read_history() if claims else None
    for id, one in claims.items():
        standing = find_standing(one, listener.store, registrations, history)
        if text := standing.foretell(id):
            listener.print(f"{id}: registered: {text}")


def expect_time(result: RunResult) -> Expected:
    """Returns how long a plan takes by what was recorded: in the folder, else in the committed results."""
    return expect(result.plans, known_costs(result.store))


def list_expected(result: RunResult, workers: int) -> list[str]:
    """Returns how long a planned run will take, or that there is nothing to do where no plan says so."""
    if not any(plan.jobs or plan.cells for plan in result.plans):
        return ["nothing to do"]
    text = expected_text(expect_time(result), workers)
    return [text] if text else []


def expected_text(expected: Expected, workers: int) -> str:
    """Returns how long a run will take, in a sentence that says where that is known from."""
    jobs, unknown = sum(expected.sources.values()), expected.sources["nothing"]
    if not jobs:
        return ""
    if unknown == jobs:
        return "expected time: unknown, as nothing like this has been recorded"
    guesses = [
        f"{expected.sources[source]} of {jobs} jobs guessed from {source}"
        for source in ("other options", "other data", "other models")
        if expected.sources[source]
    ]
    lacks = [f"{unknown} of {jobs} jobs unknown"] if unknown else []
    side = f"about {clock_text(expected.wall(workers))} with {workers} side by side, "
    alone = f"about {clock_text(expected.seconds)} one after the other"
    times = f"{side if workers > 1 else ''}{alone}"
    basis = "; ".join(["from recorded seconds", *guesses, *lacks])
    return f"expected time: {times} ({basis})"


def print_best(console: Console, result: RunResult) -> None:
    """Prints the three best rows of every data set of a run, by what decides there."""
    tables = make_leaderboards(read_records(result))
    ordered = [(table, column) for table in tables if (column := find_leading(table)) is not None]
    rows = [row for table, column in ordered[:MOST] for row in list_best(table, column)]
    if not rows:
        return
    heads = [
        Heading("data set"),
        Heading("best first"),
        Heading("score"),
        Heading("completed", align="right"),
    ]
    print_sheet(console, Sheet(heads, rows), fold=True)
    for table, column in ordered[:MOST]:
        for line in explain_marks(table, column):
            console.print(Text(f"{table.name}: {line}", style="dim"))
    if len(ordered) > MOST:
        rest = f"and {len(ordered) - MOST} more data sets"
        text = f"{rest}; all rows: genbench leaderboard -o {quote(str(result.store.root))}"
        console.print(Text(carry_plugins(text), style="dim"))


def read_records(result: RunResult) -> list[Record]:
    """Returns the records of a run's cells, those of earlier runs too."""
    newest = {record.cell: record for record in result.records}
    specs = {spec.cell: spec for plan in result.plans for spec in plan.cells}
    records = (newest.get(cell) or result.store.read(spec) for cell, spec in specs.items())
    return [record for record in records if record is not None]


def find_leading(table: Table) -> TableColumn | None:
    """Returns the column that decides, else the first that has a direction, and is judged if any is."""
    if table.contests:
        return table.contests[0].column
    columns = [c for c in compact_columns(table) if c.better != "none" and not c.is_cost]
    return next(iter([*filter(table.judges, columns), *columns]), None)


def explain_marks(table: Table, column: TableColumn) -> list[str]:
    """Returns what the daggers in the best rows mean."""
    columns = [column, *list_beside(table, column)]
    notes = table.explain_daggers(find_best(table, column), columns)
    return [note for note in notes if note.startswith(DAGGER)]


def list_best(table: Table, column: TableColumn) -> Iterator[list[Entry]]:
    """Yields the rows of what is shown of a table: data set, name, score and completed runs."""
    groups = find_best(table, column)
    first = next((group for group in groups if not group.reference), None)
    for i, group in enumerate(groups):
        best = group is first and table.judges(column) and not find_failed(table, group)
        yield [
            Entry(table.name if i == 0 else ""),
            Entry(group.label, "best" if best else "", " (reference)" if group.reference else ""),
            Entry(score_text(table, group, column)),
            Entry(group.costs["ok"]),
        ]


def find_best(table: Table, column: TableColumn) -> list[Group]:
    """Returns the best models that compete, and before them the best simple fit that beats them.

    Those that pass what must be passed beside the column come first.
    """
    sign = -1.0 if column.better == "higher" else 1.0

    def place(group: Group) -> tuple[bool, float]:
        return bool(find_failed(table, group)), sign * (
            table.cell(group, column).standing.mean or 0.0
        )

    measured = sorted((g for g in table.groups if table.cell(g, column).values), key=place)
    running = [g for g in measured if not g.reference]
    simple = [g for g in measured if g.reference and is_baseline(g.model)]
    better = [g for g in simple[:1] if running and place(g) < place(running[0])]
    return [*better, *running[:BEST]]


def find_failed(table: Table, group: Group) -> list[str]:
    """Returns the columns beside the deciding one that a row does not pass."""
    return [
        column.id
        for column, check in list_checks(table).items()
        if check.passes(table.cell(group, column)) is False
    ]


def list_checks(table: Table) -> dict[TableColumn, Check]:
    """Returns what must be passed beside the deciding column, by the column that it was measured by."""
    return {c.column: c for s in table.contests[:1] for c in s.checks if c.column is not None}


def list_beside(table: Table, column: TableColumn) -> list[TableColumn]:
    """Returns the columns printed behind one: what it is read with, checks, and what was asked for."""
    more = dict.fromkeys((*table.beside(column), *list_checks(table), *asked_columns(table)))
    return [other for other in more if other != column]


def score_text(table: Table, group: Group, column: TableColumn) -> str:
    """Returns a score with its column and its possible ranks, e.g. "fid ↓ 16.8 ± 6.7 #1–2".

    What it is never printed without stands behind it, then what must be passed and what was asked for.
    """
    cell = table.cell(group, column)
    ranks = cell.rank_text if table.judges(column) else "(no ranks: null rows pass)"
    failed = find_failed(table, group)
    others = [
        f"{c.heading} {own.text}{count_text(group, own)}{', too low' if c.id in failed else ''}"
        for c in _list_measured(table, group, list_beside(table, column))
        for own in (table.cell(group, c),)
    ]
    score = f"{column.heading} {cell.text}{count_text(group, cell)} {ranks}"
    return ", ".join([" ".join(score.split()), *others])


def _list_measured(
    table: Table, group: Group, columns: Sequence[TableColumn]
) -> Iterator[TableColumn]:
    """Yields, of columns with one heading (one score by several protocols), those that a row has values in.

    One of them where it has none, so that its lack is seen.
    """
    for heading in dict.fromkeys(column.heading for column in columns):
        alike = [column for column in columns if column.heading == heading]
        yield from [c for c in alike if table.cell(group, c).values] or alike[:1]


def next_command(claims: Sequence[str] | None, root: Path) -> str:
    """Returns what to type after a run.

    Arguments:
        claims: Of `run claims`, the words after `genbench claims`; None of a suite.
        root: The results folder.
    """
    if claims is not None:
        words = shlex.join(["genbench", "claims", *claims, "-o", str(root)])
        text = f"verdicts: {words}"
    else:
        text = f"records: {root}/   next: genbench report -o {quote(str(root))}"
    return carry_plugins(text)
