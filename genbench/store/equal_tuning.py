"""Equal tuning: what entries of the file of tuned options that a suite may compare must have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from genbench.core.spec import canonical
from genbench.store.tuned import TunedEntry, rivals_of


@dataclass(frozen=True)
class Inequality:
    """Entries of one data set that were not tuned alike.

    Arguments:
        entries: All entries that a suite may compare, those that are alike among them.
        terms: The names of what differs: `trials`, `sampler`, `budget`, `batch`, or a field of the rule.
    """

    entries: tuple[TunedEntry, ...]
    terms: tuple[str, ...]

    def describe(self, entry: TunedEntry) -> str:
        """Returns how an entry was tuned, as far as others were tuned otherwise."""
        own = _terms(entry)
        several = len({rivals_of(other) for other in self.entries}) > 1
        place = f" at {describe_place(entry)}" if several else ""
        rest = [f"{term} {own.get(term, 'unknown')}" for term in self.terms if term not in OPENING]
        return ", ".join([f"{entry.trials} trials by {entry.sampler}{place}", *rest])


#: terms with which every description begins, as far as they differ
OPENING = ("trials", "sampler", "budget", "batch")


def describe_place(entry: TunedEntry) -> str:
    """Returns an entry's budget and minibatch, for people."""
    ((kind, amount),) = entry.budget.items()
    return f"{amount:g} {kind}, batch {entry.batch}"


def describe_beside(entry: TunedEntry, others: Sequence[TunedEntry]) -> str:
    """Returns how an entry was tuned, as far as others were tuned otherwise."""
    return Inequality(tuple(others), tuple(_find_differing(others))).describe(entry)


def find_inequalities(entries: Iterable[TunedEntry]) -> list[Inequality]:
    """Returns where models of one data set had other trials, samplers, budgets, minibatches or rules.

    Several budgets or minibatches are equal tuning where every model was tuned at all of them. Criteria are
    compared where models share them; of entries without their rule it is unknown, and fits any.
    """
    return [
        Inequality(tuple(group), tuple(terms))
        for group in _group(entries)
        if (terms := _find_differing(group))
    ]


def split_alike(entries: Iterable[TunedEntry]) -> list[list[TunedEntry]]:
    """Returns entries in groups that were tuned alike, in their order."""
    groups: list[list[TunedEntry]] = []
    for entry in entries:
        group = next((some for some in groups if not _find_differing([*some, entry])), None)
        if group is None:
            groups.append([entry])
        else:
            group.append(entry)
    return groups


def _group(entries: Iterable[TunedEntry]) -> Iterator[list[TunedEntry]]:
    """Entries that a suite may compare: those of one data set with one set of options.

    Where all of its models were tuned at all of the budgets that are there, a suite takes one and the same
    for each, and every budget is a group; else it takes one model's of one budget and another's of another.
    """
    by_data: dict[tuple[Any, ...], list[TunedEntry]] = {}
    for entry in entries:
        by_data.setdefault(rivals_of(entry)[:3], []).append(entry)
    for some in by_data.values():
        places: dict[str, set[Any]] = {}
        by_place: dict[Any, list[TunedEntry]] = {}
        for entry in some:
            places.setdefault(entry.model, set()).add(rivals_of(entry))
            by_place.setdefault(rivals_of(entry), []).append(entry)
        if all(own == by_place.keys() for own in places.values()):
            yield from by_place.values()
        else:
            yield some


def _find_differing(entries: Sequence[TunedEntry]) -> list[str]:
    values: dict[str, set[str]] = {}
    for entry in entries:
        for term, value in _terms(entry).items():
            values.setdefault(term, set()).add(value)
    return [term for term, various in values.items() if len(various) > 1]


def _terms(entry: TunedEntry) -> dict[str, str]:
    """What must be equal, as text by name, as far as it is known and applies."""
    *_, kind, amount, batch = rivals_of(entry)
    terms = {"trials": str(entry.trials), "sampler": entry.sampler}
    terms |= {"budget": f"{amount!r} {kind}", "batch": str(batch)}
    if entry.rule is None:
        return terms
    rule = entry.rule.model_dump(mode="json")
    criteria, version = rule.pop("criteria"), rule.pop("version")
    if version is not None:
        terms["version"] = str(version)
    terms |= {name: canonical(value) for name, value in rule.items()}
    return terms | {f"criterion {name}": canonical(value) for name, value in criteria.items()}
