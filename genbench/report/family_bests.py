"""The entrants of a family beside the tuned model of it with the best validation score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from genbench.core.catalogue import family_of, uses_labels
from genbench.core.dataset import DATASETS, open_named
from genbench.core.entrants import kind_of, list_models, read_entrants
from genbench.core.errors import GenbenchError
from genbench.core.metric import find
from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.text import number
from genbench.store.equal_tuning import describe_beside, describe_place, split_alike
from genbench.store.tuned import TunedEntry, data_of, read_tuned

NOTE = (
    "Validation scores of the tuned options in baselines/tuned.yaml. The entrants were laid down before "
    "these trials; where another model of the family scores better, it is bold, and the entrant stays, "
    "since claims are registered with it. Models that are told the class of every point are left out."
)


@dataclass(frozen=True)
class FamilyBest:
    """A family's entrants on a data set, and its best tuned model.

    Arguments:
        dataset: The data set.
        budget: The budget of a trial, as text.
        family: The family.
        column: By what they are compared, on the validation split.
        entrants: The entrants' scores, by model; None where one was not tuned.
        best: The tuned model of the family with the best score.
        value: Its score.
        about: How these were tuned, where others of the data set were tuned otherwise; or "".
    """

    dataset: str
    budget: str
    family: str
    column: str
    entrants: dict[str, float | None]
    best: str
    value: float
    about: str = ""

    @property
    def overtaken(self) -> bool:
        """Whether the best is not an entrant."""
        return self.best not in self.entrants

    @property
    def untuned(self) -> list[str]:
        """The entrants that were not tuned, so that nothing compares them with the best."""
        return [model for model, value in self.entrants.items() if value is None]


def compare_entrants(entries: Iterable[TunedEntry] | None = None) -> list[FamilyBest]:
    """Returns, by data set and family with entrants, these beside the best tuned model.

    Arguments:
        entries: Tuned options; None takes those of the file at hand, none where there is no file.
    """
    if entries is None:
        try:
            entries = read_tuned().entries
        except GenbenchError:
            return []
    fields: dict[tuple[str, str], list[TunedEntry]] = {}
    for entry in entries:
        fields.setdefault(data_of(entry), []).append(entry)
    return [row for field in fields.values() for row in _compare_alike(field)]


def _compare_alike(field: list[TunedEntry]) -> Iterator[FamilyBest]:
    """The rows of a data set, of models that were tuned alike each."""
    groups = split_alike(field)
    for rivals in groups:
        about = describe_beside(rivals[0], field) if len(groups) > 1 else ""
        for row in _compare(rivals):
            yield replace(row, about=about)


def make_sheet(rows: Iterable[FamilyBest]) -> Sheet:
    """Returns the table of families' entrants beside their best."""
    heads = [Heading(name) for name in ("data set", "family", "by")]
    heads += [Heading("entrants, laid down before"), Heading("best of the family")]
    lines = [
        [
            Entry(f"{row.dataset}, {row.about}" if row.about else row.dataset),
            Entry(row.family),
            Entry(row.column),
            Entry(", ".join(f"{m} {number(v)}" for m, v in row.entrants.items())),
            Entry(f"{row.best} {number(row.value)}", "best" if row.overtaken else ""),
        ]
        for row in rows
    ]
    return Sheet(heads, lines, title="Entrants beside their families' best", notes=[NOTE])


def _compare(rivals: list[TunedEntry]) -> Iterator[FamilyBest]:
    """The rows of the models that were tuned on one data set at one budget."""
    first = rivals[0]
    if first.dataset not in DATASETS:
        return
    kind = kind_of(open_named(first.dataset, offline=True, **first.dataset_options).spec)
    column = read_entrants().kinds[kind].criterion
    scores = {
        entry.model: choice.validation
        for entry in rivals
        if not uses_labels(entry.model)
        for choice in entry.choices.values()
        if choice.column == column
    }
    listed = list_models(kind)
    if not scores.keys() & listed.keys():
        return  # data of pairs, on which translators compete
    lower = find([column])[0].columns[column].better == "lower"
    for family in dict.fromkeys(family_of(model) for model in listed):
        own = {model: v for model, v in scores.items() if family_of(model) == family}
        if own:
            best = (min if lower else max)(own, key=own.__getitem__)
            entrants = {m: scores.get(m) for m in listed if family_of(m) == family}
            place = describe_place(first)
            yield FamilyBest(first.dataset, place, family, column, entrants, best, own[best])
