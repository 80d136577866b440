"""Findings and caveats: sentences computed from the tables, none of them typed in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from genbench.report.columns import TableColumn
from genbench.report.tables import Table
from genbench.report.text import budget_text, interval
from genbench.statistics.intervals import ENOUGH
from genbench.store import Record

PER_TABLE = 3
LISTED = 8


@dataclass(frozen=True)
class Finding:
    """Who is best in one column.

    Arguments:
        dataset: The table's name.
        column: The column.
        best: The labels that share the best mean.
        value: The best mean with its interval.
        rest: What follows it, as a sentence.
    """

    dataset: str
    column: TableColumn
    best: str
    value: str
    rest: str

    @property
    def sentence(self) -> str:
        """The finding as one sentence."""
        head = f"Best {self.column.id} on {self.dataset}: {self.best} {self.value}"
        return f"{head}; {self.rest}"


def find_winners(tables: Iterable[Table]) -> list[Finding]:
    """Returns the winners of the first few headline columns of every table."""
    winners = []
    for table in tables:
        columns = [c for c in table.columns if c.headline and c.better != "none"]
        findings = [finding for c in columns if (finding := _finding(table, c)) is not None]
        winners += findings[:PER_TABLE]
    return winners


def _finding(table: Table, column: TableColumn) -> Finding | None:
    running = [(g, table.cell(g, column)) for g in table.groups if not g.reference]
    running = [(g, c) for g, c in running if c.values]
    best = [(g, c) for g, c in running if c.best]
    if len(running) < 2 or not best:
        return None
    names = ", ".join(g.label for g, _ in best)
    sign = 1.0 if column.better == "lower" else -1.0
    others = sorted(
        ((g, c) for g, c in running if not c.best),
        key=lambda gc: sign * (gc[1].estimate.mean or 0),
    )
    top = best[0][1]
    if not others:
        return Finding(table.name, column, names, interval(top.estimate), "all are equal")
    rest = f"next: {others[0][0].label} {interval(others[0][1].estimate)}"
    alike = table.rankings[column].alike(best[0][0].id) if top.rank is not None else []
    tied = [g.label for g, _ in others if g.id in alike]
    if any(c.estimate.too_few for _, c in (*best, others[0])):
        rest += ", too few seeds to tell"
    elif tied:
        first, also = tied[0] == others[0][0].label, tied[tied[0] == others[0][0].label :]
        rest += ", which cannot be distinguished" if first else ""
        verb = "nor can" if first else "cannot be distinguished"
        rest += f"; {verb}: {_listed(also)}" if also else ""
    return Finding(table.name, column, names, interval(top.estimate), rest)


def find_caveats(tables: Sequence[Table], problems: Sequence[str] = ()) -> list[str]:
    """Returns what a reader must bear in mind, one sentence each.

    Arguments:
        tables: The leaderboards.
        problems: Sentences about files that are not records (`Store.problems`).
    """
    sentences = [*_few_seeds(tables), *_failed(tables)]
    for table in tables:
        sentences += [*_budgets(table), *_protocols(table), *_data(table), *_missing(table)]
        sentences += _not_judged(table)
    sentences += _environments(tables)
    return [*sentences, *(f"Not read: {problem}" for problem in problems)]


def count_environments(records: Iterable[Record]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Returns, for every key of the environments, its values and how many records have each."""
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        for key, value in _flat(record.environment):
            values[key][value] += 1
    return [(key, counter.most_common()) for key, counter in sorted(values.items())]


def _few_seeds(tables: Sequence[Table]) -> list[str]:
    few = [
        f"{g.label} on {t.name} ({len(g.ok)})"
        for t in tables
        for g in t.groups
        if 0 < len(g.ok) < ENOUGH
    ]
    return [f"Too few seeds to tell (fewer than {ENOUGH}): {_listed(few)}."] if few else []


def _failed(tables: Sequence[Table]) -> list[str]:
    rows = [(t, g) for t in tables for g in t.groups if len(g.ok) < len(g.records)]
    if not rows:
        return []
    bad = sum(len(g.records) - len(g.ok) for _, g in rows)
    all_ = sum(len(g.records) for t in tables for g in t.groups)
    named = _listed([f"{g.label} on {t.name} ({len(g.ok)}/{len(g.records)} ok)" for t, g in rows])
    return [
        f"{bad} of {all_} runs did not complete. Means are over those that did, which flatters "
        f"models whose bad runs fail: {named}."
    ]


def _budgets(table: Table) -> list[str]:
    budgets = {budget_text(g.first.spec.budget) for g in table.groups if not g.reference}
    if len(budgets) < 2:
        return []
    return [f"Budgets differ on {table.name}: {_listed(sorted(budgets))}."]


def _protocols(table: Table) -> list[str]:
    kinds = Counter((c.id, c.split) for c in table.columns)
    several = [f"{id} ({n} columns)" for (id, split), n in kinds.items() if n > 1]
    if not several:
        return []
    return [
        f"On {table.name} these have several protocols or kinds, not to be compared with each "
        f"other: {_listed(several)}."
    ]


def _not_judged(table: Table) -> list[str]:
    """One sentence for the headlines by which a row that has learned nothing counts as good."""
    closed = [c for c in table.columns if c.headline and not table.judges(c)]
    reasons = {f"{c.id} ({table.gates[c].reason})": None for c in closed}
    if not reasons:
        return []
    return [f"Not judged on {table.name}, as null rows pass: {_listed(list(reasons))}."]


def _data(table: Table) -> list[str]:
    digests: dict[str, set[str]] = defaultdict(set)
    for group in table.groups:
        for record in group.records:
            for split, digest in record.data_hashes.items():
                digests[split].add(digest)
    mixed = [split for split, several in digests.items() if len(several) > 1]
    if not mixed:
        return []
    return [f"Records of {table.name} were made on different data ({_listed(sorted(mixed))})."]


def _missing(table: Table) -> list[str]:
    """One sentence per reason: columns that the same rows lack for the same reason stand together."""
    by_id: dict[str, dict[str, str]] = defaultdict(dict)
    labels = {g.id: g.label for g in table.groups}
    for (group, id, _), reasons in table.reasons.items():
        by_id[id][labels[group]] = reasons[0]
    alike: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for id, rows in by_id.items():
        alike[tuple(sorted(rows.items()))].append(id)
    return [_absent(table, ids, dict(rows)) for rows, ids in alike.items()]


def _absent(table: Table, ids: list[str], rows: dict[str, str]) -> str:
    several = "e.g. " if len(set(rows.values())) > 1 else ""
    why = f"({several}{Counter(rows.values()).most_common(1)[0][0]})"
    if len(rows) == len(table.groups):
        return f"Nothing on {table.name} has {_listed(ids)} {why}."
    return f"On {table.name}, seeds of {_listed(list(rows))} have no {_listed(ids)} {why}."


def _environments(tables: Sequence[Table]) -> list[str]:
    records = [r for t in tables for g in t.groups for r in g.records]
    several = [key for key, values in count_environments(records) if len(values) > 1]
    if not several:
        return []
    return [
        f"Numbers come from several environments (differing in {_listed(several)}); compare times "
        "within one only."
    ]


def _flat(value: Any, key: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        return [
            row
            for name, inner in value.items()
            for row in _flat(inner, f"{key}.{name}" if key else str(name))
        ]
    return [(key, str(value))] if key else []


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:LISTED]) + (
        f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    )
