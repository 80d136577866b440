"""Caveats: sentences computed from the tables, none of them typed in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from genbench.report.compact import key_columns
from genbench.report.tables import Table
from genbench.report.text import budget_text
from genbench.statistics.intervals import ENOUGH
from genbench.store import Record

LISTED = 8


def find_caveats(tables: Sequence[Table], problems: Sequence[str] = ()) -> list[str]:
    """Returns what a reader must bear in mind, one sentence each.

    Arguments:
        tables: The leaderboards.
        problems: Sentences about files that are not records (`Store.problems`).
    """
    sentences = [*_few_seeds(tables), *_failed(tables)]
    for table in tables:
        sentences += [*_budgets(table), *_protocols(table), *_data(table), *_sources(table)]
        sentences += _missing(table)
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
    rows = [(t, g) for t in tables for g in t.groups if g.failed]
    if not rows:
        return []
    bad = sum(len(g.failed) for _, g in rows)
    all_ = sum(len(g.tried) for t in tables for g in t.groups)
    named = _listed([f"{g.label} on {t.name} ({len(g.ok)}/{len(g.tried)} ok)" for t, g in rows])
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
    several = [
        f"{id}{'' if split == 'test' else f' on {split}'} ({n} columns)"
        for (id, split), n in kinds.items()
        if n > 1
    ]
    if not several:
        return []
    return [
        f"On {table.name} these have several protocols or kinds, not to be compared with each "
        f"other: {_listed(several)}."
    ]


def _not_judged(table: Table) -> list[str]:
    """One sentence for the headlines by which a row that has learned nothing counts as good."""
    closed = [c for c in key_columns(table) if not table.judges(c)]
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


def _sources(table: Table) -> list[str]:
    """One sentence for the rows whose seeds were trained by several sources of a user's model."""
    counts = {
        g.label: len({r.environment.get("source") for r in g.ok} - {None}) for g in table.groups
    }
    mixed = [f"{label} ({count} sources)" for label, count in counts.items() if count > 1]
    if not mixed:
        return []
    return [
        f"On {table.name}, rows mix seeds that were trained by several sources of their model's file: "
        f"{_listed(mixed)}; train them anew (genbench run --force), or raise the model's version."
    ]


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
    counted = [row for row in count_environments(records) if row[0] != "source"]  # of models
    several = [key for key, values in counted if len(values) > 1]
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
