"""The options that `tuned: true` takes, or why there are none and what to type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genbench.core.errors import SpecError
from genbench.core.model import MODELS, Density
from genbench.core.options import resolve
from genbench.core.spec import Budget, Training, canonical
from genbench.store.tuned import (
    FILE,
    OTHER_PLAN,
    TunedChoice,
    TunedEntry,
    data_of,
    find_file,
    find_outdated,
    read_all_tuned,
    read_tuned,
)


class UnusableTuning(SpecError):
    """Options were chosen that may not be taken; defaults may not stand in for them unsaid."""


class OutdatedTuning(UnusableTuning):
    """Options were chosen for another version of a model or of a data set."""


class HiddenTuning(UnusableTuning):
    """Options are shipped that were not tuned together with those of the working folder's file."""


def find_tuned(
    model: str,
    dataset: str,
    budget: Budget,
    batch: int,
    criterion: str,
    path: Path | None = None,
    *,
    dataset_options: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], Training | None]:
    """Returns the options of a model and its training, as tuned on a data set.

    They are those of the same budget and minibatch, or else of the nearest budget of the same kind, by its
    ratio.

    Raises:
        OutdatedTuning: If it was tuned at another version of the model or of the data set alone, or its
            options are not those of the model now.
        HiddenTuning: If the working folder's file has entries of the data set, and the shipped one those of
            the model.
        SpecError: If the model was not tuned there, or not by this criterion.
    """
    wanted = _Wanted(model, dataset, canonical(dict(dataset_options or {})), budget, criterion)
    entries = [entry for entry in read_tuned(path).entries if wanted.is_met(entry)]
    if not entries:
        if any(map(wanted.is_met, read_all_tuned(path))):
            raise HiddenTuning(wanted.explain_hidden(path or FILE))
        raise SpecError(wanted.explain_absence(read_tuned(path).entries))
    near = sorted((_distance(entry, budget, batch), k) for k, entry in enumerate(entries))
    nearest = [entries[k] for _, k in near]
    entry = next((entry for entry in nearest if not find_outdated(entry)), None)
    if entry is None:
        raise OutdatedTuning(
            f"{model} was tuned on {dataset} at {find_outdated(nearest[0])}; type: {wanted.command}"
        )
    choice = entry.choices[criterion]
    wanted.check_options(choice, find_file(entry, path))
    return dict(choice.options), Training(**choice.training) if choice.training else None


def _distance(entry: TunedEntry, budget: Budget, batch: int) -> tuple[float, float]:
    """How far an entry's budget and minibatch are, where the kind of budget is the same."""
    kind, amount = _split(budget.model_dump(exclude_none=True))
    return abs(math.log(entry.budget[kind] / amount)), abs(math.log(entry.batch / batch))


def _split(budget: Mapping[str, Any]) -> tuple[str, Any]:
    ((kind, amount),) = budget.items()
    return kind, amount


@dataclass(frozen=True)
class _Wanted:
    """What somebody asks the file of tuned options for.

    Arguments:
        model: The model.
        dataset: The data set.
        of_data: Its options, as text.
        budget: Of the cells.
        criterion: What should have chosen: `samples` or `density`.
    """

    model: str
    dataset: str
    of_data: str
    budget: Budget
    criterion: str

    @property
    def data(self) -> str:
        """The data set with its options, for people."""
        return self.dataset if self.of_data == "{}" else f"{self.dataset} with {self.of_data}"

    @property
    def kind(self) -> str:
        """The kind of the budget."""
        return _split(self.budget.model_dump(exclude_none=True))[0]

    @property
    def command(self) -> str:
        """What tunes the model there."""
        words = f"-m {self.model} -d {self.dataset}"
        return f"genbench tune {words}, then genbench tune --accept {OTHER_PLAN}"

    def is_met(self, entry: TunedEntry) -> bool:
        """Whether an entry has options for this, whatever their number of rounds and their minibatch."""
        own = entry.model == self.model and self._is_of_data(entry)
        return own and self.criterion in entry.choices and self.kind in entry.budget

    def _is_of_data(self, entry: TunedEntry) -> bool:
        return data_of(entry) == (self.dataset, self.of_data)

    def explain_hidden(self, path: Path) -> str:
        """Returns why shipped options do not count."""
        return (
            f"{self.model} was not tuned on {self.data} by {self.criterion} together with the models of "
            f"{path}, whose entries of {self.dataset} stand in place of all that genbench ships; tune it "
            f"alike: {self.command}; or delete these entries, and those that are shipped count"
        )

    def explain_absence(self, entries: Iterable[TunedEntry]) -> str:
        """Returns why entries have nothing for this, and what to type."""
        of_data = [entry for entry in entries if self._is_of_data(entry)]
        of_kind = [entry for entry in of_data if self.kind in entry.budget]
        missing = f"{self.model} was not tuned on {self.data} by {self.criterion}"
        if self.criterion == "density" and not self._has_density():
            return (
                f"{missing}: it has no likelihood; say tuned: true for it, or --tuned-by samples, which "
                "takes those by samples"
            )
        if not of_data:
            return (
                f"{missing}, and nothing else was tuned there; give the data a plan under tuning in the "
                f"suite file, if it has none, and type: {self.command}"
            )
        if not of_kind:
            kinds = ", ".join(sorted({_split(entry.budget)[0] for entry in of_data}))
            return (
                f"{missing} at a budget of {self.kind}, but of {kinds} alone; give the cells a budget of "
                f"{kinds} or the plan of {self.dataset} one of {self.kind} and type: {self.command}"
            )
        others = {name for e in of_kind if e.model == self.model for name in e.choices}
        if others:
            other = ", ".join(sorted(others))
            return (
                f"{missing}, but by {other} alone; say tuned: {other} (--tuned-by {other}), or give the "
                f"plan of {self.dataset} the criterion {self.criterion} and type: {self.command}"
            )
        return (
            f"{missing}, where others were; type: {self.command}; if that says that no trial was scored "
            f"to the end, name the model in cells without tuned, or in a run without --tuned-by"
        )

    def _has_density(self) -> bool:
        return self.model in MODELS and issubclass(MODELS.get(self.model), Density)

    def check_options(self, choice: TunedChoice, path: Path) -> None:
        """Refuses options that the model does not have, though its version is that of the choice.

        Raises:
            OutdatedTuning: Naming the file and the option.
        """
        try:
            resolve(
                MODELS.get(self.model),
                choice.options,
                who=f"{path}, {self.model} on {self.dataset}: the model",
            )
        except SpecError as error:
            raise OutdatedTuning(
                f"{error}; give it the option back, or raise its version and type: {self.command}"
            ) from None
