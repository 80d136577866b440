"""What tuning found: expected best after so many trials, by model and by family, as curves and a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genbench.core.catalogue import family_of
from genbench.core.errors import StoreError
from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.text import number
from genbench.running.tuning_rule import last_score
from genbench.statistics.best_of import ExpectedBest, expected_best_curve
from genbench.store.tuning import TuningFile, TuningRule, Tunings

#: trials at which tables have a column; curves have every number
COLUMNS = (1, 2, 4, 8, 16)
NOTE = (
    "Expected best validation score after k trials drawn at random from the search space, without "
    "the default, with the 95 % interval over trials; of a family, trials of all of its models alike. "
    "A trial that was stopped at a rung counts with its score there, one that diverged as the worst "
    "of the data set. Bold: the best family, or model, after so many."
)


@dataclass(frozen=True)
class Line:
    """The trials of a model, or of all models of a family, on a data set by one criterion.

    Arguments:
        name: The model's or the family's.
        family: The family.
        values: A score per trial, without the default's, in the column's own direction.
        default: The default's score at the whole budget, or None; of a family its best model's.
        lost: How many trials diverged or failed.
        seconds: What all trials took.
        curve: The expected best after 1, 2, … trials.
    """

    name: str
    family: str
    values: tuple[float, ...]
    default: float | None
    lost: int
    seconds: float
    curve: tuple[ExpectedBest, ...]


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
        families: A line per family.
    """

    dataset: str
    criterion: str
    column: str
    better: str
    budget: str
    floor: float | None
    models: tuple[Line, ...]
    families: tuple[Line, ...]

    @property
    def heading(self) -> str:
        """The data set, the column and its direction, the budget."""
        arrow = "↓" if self.better == "lower" else "↑"
        return f"{self.dataset}: {self.column} {arrow} on the validation split, {self.budget}"


def read_searches(
    root: Path, models: Sequence[str] = (), datasets: Sequence[str] = ()
) -> list[Search]:
    """Returns all searches of a results folder, by data set, budget and criterion, samples first.

    Arguments:
        root: The folder.
        models: Only these, if any are named.
        datasets: Only these, if any are named.
    """
    groups: dict[tuple[str, ...], list[TuningFile]] = {}
    for file in Tunings(root).files():
        rule = file.rule
        if (models and rule.model not in models) or (datasets and rule.dataset not in datasets):
            continue
        ((kind, amount),) = rule.budget.model_dump(exclude_none=True).items()
        budget = f"{amount:g} {kind}, batch {rule.batch}"
        for name, criterion in rule.criteria.items():
            key = _label(rule), budget, name, criterion.column, criterion.better
            groups.setdefault(key, []).append(file)
    order = sorted(groups.items(), key=lambda group: (*group[0][:2], group[0][2] != "samples"))
    return [make_search(key, files) for key, files in order]


def _label(rule: TuningRule) -> str:
    own = ", ".join(f"{k}={v}" for k, v in sorted(rule.dataset_options.items()))
    return f"{rule.dataset} ({own})" if own else rule.dataset


def make_search(key: tuple[str, ...], files: Sequence[TuningFile]) -> Search:
    """Returns the lines of files of one data set, budget and criterion."""
    dataset, budget, criterion, column, better = key
    sign = 1.0 if better == "lower" else -1.0
    worst = max(
        (v for file in files for v in _scores(file, criterion) if math.isfinite(v)), default=0.0
    )
    by_family: dict[str, list[TuningFile]] = {}
    for file in files:
        by_family.setdefault(family_of(file.rule.model), []).append(file)

    def line(name: str, family: str, some: Sequence[TuningFile]) -> Line:
        scores = [v for file in some for v in _scores(file, criterion)]
        lost = sum(not math.isfinite(v) for v in scores)
        finite = [v if math.isfinite(v) else worst for v in scores]
        defaults = [d for file in some if math.isfinite(d := _default(file, criterion))]
        curve = expected_best_curve(finite, range(1, len(finite) + 1)) if finite else []
        return Line(
            name,
            family,
            tuple(sign * v for v in finite),
            sign * min(defaults) if defaults else None,
            lost,
            sum(file.seconds for file in some),
            tuple(_turned(one, sign) for one in curve),
        )

    floors = (file.floors.get(criterion) for file in files)
    return Search(
        dataset,
        criterion,
        column,
        better,
        budget,
        next((floor for floor in floors if floor is not None), None),
        tuple(line(f.rule.model, family_of(f.rule.model), [f]) for f in files),
        tuple(line(name, name, some) for name, some in sorted(by_family.items())),
    )


def make_sheet(search: Search) -> Sheet:
    """Returns the table of a search: families, then models."""
    heads = [Heading("family or model"), Heading("default", align="right")]
    heads += [Heading(f"best of {k}", align="right") for k in COLUMNS]
    heads += [Heading(name, align="right") for name in ("trials", "lost", "core-minutes")]
    rows = [
        *_rows(search.families, search.better, lambda line: line.name),
        *_rows(
            sorted(search.models, key=lambda line: (line.family, line.name)),
            search.better,
            lambda line: f"  {line.name}",
        ),
    ]
    floor = [] if search.floor is None else [f"Training points score {number(search.floor)}."]
    return Sheet(heads, rows, title=search.heading, notes=[NOTE, *floor])


def to_rows(searches: Iterable[Search]) -> list[dict[str, Any]]:
    """Returns the documented JSON objects of curves."""
    return [
        {
            "dataset": search.dataset,
            "criterion": search.criterion,
            "column": search.column,
            "budget": search.budget,
            "kind": kind,
            "name": line.name,
            "family": line.family,
            "default": line.default,
            "trials": len(line.values),
            "lost": line.lost,
            "seconds": round(line.seconds, 1),
            "expected_best": [[one.k, one.value, one.low, one.high] for one in line.curve],
        }
        for search in searches
        for kind, lines in (("family", search.families), ("model", search.models))
        for line in lines
    ]


def require(searches: Sequence[Search], root: Path) -> Sequence[Search]:
    """Returns searches.

    Raises:
        StoreError: If there are none.
    """
    if not searches:
        raise StoreError(f"{root}/tuning has no trials; make some with: genbench tune -o {root}")
    return searches


def _rows(lines: Sequence[Line], better: str, name: Any) -> Iterator[list[Entry]]:
    best = {}
    for k in COLUMNS:
        values = [line.curve[k - 1].value for line in lines if k <= len(line.curve)]
        if values:
            best[k] = min(values) if better == "lower" else max(values)
    for line in lines:
        cells = [_cell(line, k, best.get(k)) for k in COLUMNS]
        tail = (str(len(line.values)), str(line.lost), number(line.seconds / 60))
        default = Entry(number(line.default), value=line.default)
        yield [Entry(name(line), value=line.name), default, *cells, *map(Entry, tail)]


def _cell(line: Line, k: int, best: float | None) -> Entry:
    if k > len(line.curve):
        return Entry("–")
    one = line.curve[k - 1]
    after = f" [{number(one.low)}, {number(one.high)}]"
    return Entry(number(one.value), "best" if one.value == best else "", after, one.value)


def _scores(file: TuningFile, criterion: str) -> list[float]:
    """Each trial's last score but the default's, the lower the better."""
    return [last_score(file.rule, trial, criterion) for trial in file.trials if trial.k > 0]


def _default(file: TuningFile, criterion: str) -> float:
    trial = file.by_number.get(0)
    whole = trial is not None and len(trial.rungs) == len(file.rule.rungs)
    return last_score(file.rule, trial, criterion) if trial is not None and whole else math.inf


def _turned(one: ExpectedBest, sign: float) -> ExpectedBest:
    low, high = sorted((sign * one.low, sign * one.high))
    return ExpectedBest(one.k, sign * one.value, low, high)
