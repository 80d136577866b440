"""What tuning found: expected best after so many trials, by model and by family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from shlex import quote

from genbench.core.catalogue import family_of
from genbench.core.errors import StoreError, nearest
from genbench.report.tuning_groups import group_by_rule
from genbench.running.tuning_rule import counted_scores, is_finished, last_score
from genbench.statistics.best_of import ExpectedBest, expected_best_curve
from genbench.store.tuning import DRAWN, TuningFile, TuningRule
from genbench.store.tunings import Tunings

NOTE = (
    "Expected best validation score after k trials drawn at random from the search space, without "
    "the default, with the 95 % interval over trials; of a family, trials of all of its models alike. "
    "A trial that was stopped at a rung counts with its score there, one that diverged as the worst "
    "of the data set, defaults included. Bold: the best family, or model, after so many."
)
#: what is said of lines with trials that may go on, whose scores at a share of the budget may be better
UNFINISHED = "(unfinished)"
OF_UNFINISHED = (
    "Unfinished: trials of a search that has not ended count with scores at a share of the budget that "
    "those of others have passed; such a model is never bold, and in no family of which others' searches "
    "have ended."
)
IN_ORDER = (
    "Best validation score so far after k trials, in the order in which the sampler proposed them, without "
    "the default: each trial depends on those before, so that there is no interval, and no family's curve."
)


@dataclass(frozen=True)
class Line:
    """The trials of a model, or of all models of a family, on a data set by one criterion.

    Arguments:
        name: The model's or the family's.
        family: The family.
        values: A score per trial, without the default's, in the column's own direction; not a number where
            all trials of the data set diverged.
        default: The default's score at the whole budget, or None; of a family its best model's.
        lost: How many trials diverged or failed.
        seconds: What all trials took.
        curve: The expected best after 1, 2, … trials; none where all trials of the data set diverged.
        tried: How many trials there were, with the defaults.
        finished: Whether the search has ended; of a family, which has the trials of searches that have,
            whether any has.
    """

    name: str
    family: str
    values: tuple[float, ...]
    default: float | None
    lost: int
    seconds: float
    curve: tuple[ExpectedBest, ...]
    tried: int
    finished: bool

    @property
    def shown(self) -> str:
        """The name, with a word where the search has not ended."""
        return self.name if self.finished else f"{self.name} {UNFINISHED}"


@dataclass(frozen=True)
class Search:
    """The searches on one data set by one criterion, under one budget.

    Arguments:
        dataset: The data set.
        criterion: What chooses: `samples` or `density`.
        column: The column.
        better: Its direction.
        budget: The budget of a trial, as text.
        floor: What training points score, or None.
        models: A line per model.
        families: A line per family; none where trials depend on one another.
        sampler: Where trials came from.
        about: In what its rule differs from that of a search with the same heading; or "".
    """

    dataset: str
    criterion: str
    column: str
    better: str
    budget: str
    floor: float | None
    models: tuple[Line, ...]
    families: tuple[Line, ...]
    sampler: str = DRAWN
    about: str = ""

    @property
    def heading(self) -> str:
        """The data set, the column and its direction, the budget, and what else tells it from others."""
        arrow = "↓" if self.better == "lower" else "↑"
        rest = [] if self.drawn else [f"trials by {self.sampler}"]
        rest += [self.about] if self.about else []
        head = f"{self.dataset}: {self.column} {arrow} on the validation split, {self.budget}"
        return ", ".join([head, *rest])

    @property
    def drawn(self) -> bool:
        """Whether trials were drawn at random, so that the order in which they were made tells nothing."""
        return self.sampler == DRAWN

    @property
    def note(self) -> str:
        """What its numbers are."""
        own = NOTE if self.drawn else IN_ORDER
        whole = all(line.finished for line in (*self.models, *self.families))
        return own if whole else f"{own} {OF_UNFINISHED}"


def read_searches(
    root: Path, models: Sequence[str] = (), datasets: Sequence[str] = ()
) -> list[Search]:
    """Returns all searches of a results folder, by data set, budget and criterion, samples first.

    Arguments:
        root: The folder.
        models: Only these and their families, if any are named; their numbers are as beside all others.
        datasets: Only these, if any are named.
    """
    groups = group_by_rule(Tunings(root).files(datasets=datasets))
    order = sorted(groups, key=lambda g: (g.rule.data, _budget(g.rule), g.criterion != "samples"))
    searches = (make_search(group.files, group.criterion, group.about) for group in order)
    if not models:
        return [*searches]
    return [part for search in searches if (part := _leave_only(search, models)).models]


def _leave_only(search: Search, models: Sequence[str]) -> Search:
    """A search without the lines of other models and of families that have none of these."""
    named = tuple(line for line in search.models if line.name in models)
    families = {line.family for line in named}
    whole = tuple(line for line in search.families if line.name in families)
    return replace(search, models=named, families=whole)


def make_search(files: Sequence[TuningFile], criterion: str, about: str = "") -> Search:
    """Returns the lines of files of one rule, a model each, by one criterion.

    Arguments:
        files: The files.
        criterion: What chooses.
        about: As in `Search`.
    """
    rule = files[0].rule
    better, drawn = rule.criteria[criterion].better, rule.sampler == DRAWN
    sign = 1.0 if better == "lower" else -1.0
    worst = max(
        (v for file in files for v in _all_scores(file, criterion).values() if math.isfinite(v)),
        default=math.nan,
    )
    by_family: dict[str, list[TuningFile]] = {}
    for file in files:
        by_family.setdefault(family_of(file.rule.model), []).append(file)

    def line(name: str, family: str, some: Sequence[TuningFile]) -> Line:
        scores = [v for file in some for v in _scores(file, criterion)]
        lost = sum(not math.isfinite(v) for v in scores)
        finite = [v if math.isfinite(v) else worst for v in scores]
        curve = [] if math.isnan(worst) else _make_curve(finite, drawn)
        defaults = [d for file in some if math.isfinite(d := _default(file, criterion))]
        return Line(
            name,
            family,
            tuple(sign * v for v in finite),
            sign * min(defaults) if defaults else None,
            lost,
            sum(file.seconds for file in some),
            tuple(_turned(one, sign) for one in curve),
            sum(len(file.trials) for file in some),
            all(is_finished(file) for file in some),
        )

    floors = (file.floors.get(criterion) for file in files)
    families = sorted(by_family.items()) if drawn else []
    return Search(
        rule.data,
        criterion,
        rule.criteria[criterion].column,
        better,
        _budget(rule),
        next((floor for floor in floors if floor is not None), None),
        tuple(line(f.rule.model, family_of(f.rule.model), [f]) for f in files),
        tuple(line(name, name, _leave_whole(some)) for name, some in families),
        rule.sampler,
        about,
    )


def _leave_whole(files: Sequence[TuningFile]) -> Sequence[TuningFile]:
    """The searches of a family that have ended, or all where none has."""
    return [file for file in files if is_finished(file)] or files


def _make_curve(scores: Sequence[float], drawn: bool) -> list[ExpectedBest]:
    """The expected best after 1, 2, … trials; of trials that depend on one another the best so far."""
    if not drawn:
        best = accumulate(scores, min)
        return [ExpectedBest(k, value, value, value) for k, value in enumerate(best, 1)]
    return expected_best_curve(scores, range(1, len(scores) + 1)) if scores else []


def _budget(rule: TuningRule) -> str:
    ((kind, amount),) = rule.budget.model_dump(exclude_none=True).items()
    return f"{amount:g} {kind}, batch {rule.batch}"


def require(
    searches: Sequence[Search],
    root: Path,
    models: Sequence[str] = (),
    datasets: Sequence[str] = (),
) -> Sequence[Search]:
    """Returns the searches of a results folder that were asked for.

    Arguments:
        searches: The searches.
        root: The folder.
        models: The models that were named, if any.
        datasets: The data sets that were named, if any.

    Raises:
        StoreError: If there are none, or none of something that was named.
    """
    rules = [file.rule for file in Tunings(root).files()]
    found = {rule.model for rule in rules}, {rule.dataset for rule in rules}
    for names, there in zip((models, datasets), found, strict=True):
        for name in names if there else ():
            if name not in there:
                raise StoreError(f"{root}/tuning has no trials of {name!r}{nearest(name, there)}")
    if not searches:
        named = " of these models on these data sets" if rules else ""
        raise StoreError(
            f"{root}/tuning has no trials{named}; make some with: genbench tune -o {quote(str(root))}"
        )
    return searches


def _scores(file: TuningFile, criterion: str) -> list[float]:
    """Each trial's last score that counts but the default's, the lower the better."""
    scores = _all_scores(file, criterion)
    return [scores[trial.k] for trial in file.trials if trial.k > 0]


def _all_scores(file: TuningFile, criterion: str) -> dict[int, float]:
    """The same of all trials, by number, the default's among them."""
    return dict(counted_scores(file.rule, file.by_number, criterion))


def _default(file: TuningFile, criterion: str) -> float:
    trial = file.by_number.get(0)
    whole = trial is not None and len(trial.rungs) == len(file.rule.rungs)
    return last_score(file.rule, trial, criterion) if trial is not None and whole else math.inf


def _turned(one: ExpectedBest, sign: float) -> ExpectedBest:
    low, high = sorted((sign * one.low, sign * one.high))
    return ExpectedBest(one.k, sign * one.value, low, high)
