"""What tuning gained: models with their tuned options beside the same with their defaults."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

from genbench.core.effect import Effect, Scores, difference
from genbench.core.errors import SpecError
from genbench.core.metric import column_of
from genbench.core.spec import CellSpec, canonical
from genbench.report.sheet import Emphasis, Entry, Heading, Sheet
from genbench.report.text import number, plus_minus
from genbench.running.tuning_choice import make_entry
from genbench.running.tuning_rule import specs_of_trial
from genbench.statistics.contests import LEAST
from genbench.statistics.decisions import decide_by
from genbench.statistics.intervals import LEVEL, mean_interval
from genbench.store import Record, Store
from genbench.store.measurement_error import read_measurement_errors
from genbench.store.record import finite
from genbench.store.tuned import TunedChoice, find_outdated
from genbench.store.tuning import TuningFile
from genbench.store.tunings import Tunings

Gain = Literal[
    "better",
    "worse",
    "not distinguished",
    "better but fails more often",
    "worse but fails less often",
    "few seeds",
    "not run",
    "all seeds failed",
]
NOTE = (
    "From defaults to tuned options. Validation: what options were chosen by, means over the seeds of a "
    "trial; the best of many is lucky there. Test: means over the seeds of cells with just these options, "
    "at the same budget, with 95 % intervals; better or worse as the interval of the difference has it, "
    "with what test set and extractor leave uncertain, where that was measured; seeds that failed count as "
    "the worst that either has, and options with which more of them fail are not said to be better. Each row "
    "is of the options that its own column chose: those chosen by samples and by likelihood are cells apart, "
    "unless one trial was the best by both."
)


@dataclass(frozen=True)
class TunedScore:
    """What tuning gained a model on a data set, by one criterion.

    Arguments:
        model: The model.
        dataset: The data set with its options.
        choice: What was chosen, with its validation scores.
        better: The column's better direction.
        trials: How many trials there were.
        seconds: What they took.
        budget: The rounds of the cells that are compared, as text; "" without any.
        default: The default's test scores, by seed; infinite on the side that is worse where one failed.
        tuned: Those of the tuned options.
    """

    model: str
    dataset: str
    choice: TunedChoice
    better: str
    trials: int
    seconds: float
    budget: str
    default: Mapping[int, float]
    tuned: Mapping[int, float]

    @property
    def gain(self) -> Gain:
        """Whether tuned options have the better test scores."""
        if not (self.default and self.tuned):
            return "not run"
        if min(len(self.default), len(self.tuned)) < LEAST:
            return "few seeds"
        default, tuned = map(_count_failed, (self.default, self.tuned))
        if default == len(self.default) and tuned == len(self.tuned):
            return "all seeds failed"
        sign = 1.0 if self.better == "higher" else -1.0
        gap = decide_by(Effect("", difference(self.tuned, self.default)), LEVEL)
        if gap.low is None or gap.high is None or gap.low <= 0.0 <= gap.high:
            return "not distinguished"
        if sign * (gap.mean or 0.0) > 0:
            return "better but fails more often" if tuned > default else "better"
        return "worse but fails less often" if tuned < default else "worse"


def read_tuned_scores(
    store: Store, models: Sequence[str] = (), datasets: Sequence[str] = ()
) -> list[TunedScore]:
    """Returns what tuning gained every model that was tuned to the end, by data set and model.

    Trials that `describe_unused` names are left out.

    Test scores are those of the results folder's cells that have all of the trial's options, of the same
    versions of model and data set and the same arithmetic, at the same budget and by the same protocol; of
    several budgets that with the most seeds of both counts,
    then that with the most of the tuned options.

    Arguments:
        store: The folder.
        models: Only these, if any are named.
        datasets: Only these, if any are named.
    """
    files = Tunings(store.root).files(models, datasets)
    rows = [
        row for file in files if _find_hindrance(file) is None for row in _compare(file, store)
    ]
    return sorted(rows, key=lambda row: (row.dataset, row.model, row.choice.column))


def describe_unused(
    store: Store, models: Sequence[str] = (), datasets: Sequence[str] = ()
) -> list[str]:
    """Returns a sentence for every file of trials whose options the installed models cannot have been given.

    Arguments:
        store: The folder.
        models: Only these, if any are named.
        datasets: Only these, if any are named.
    """
    files = Tunings(store.root).files(models, datasets)
    return [
        f"Left out of what tuning gained: tuning/{file.rule.file}, {why}."
        for file in files
        if (why := _find_hindrance(file)) is not None
    ]


def _find_hindrance(file: TuningFile) -> str | None:
    """Why the trials of a file cannot be compared with cells, or None."""
    if outdated := find_outdated(file.rule):
        return f"tuned at {outdated}"
    try:
        for trial in file.trials:
            specs_of_trial(file.rule, trial)
    except SpecError as error:  # another space of the same version
        return str(error)
    return None


def make_sheet(rows: Iterable[TunedScore], dataset: str | None = None) -> Sheet:
    """Returns the table of what tuning gained; of one data set without its name in every line."""
    heads = [Heading(name) for name in ("model", "data set", "by")]
    heads += [Heading(name, align="right") for name in ("validation", "test")]
    heads += [Heading("test scores are")]
    heads += [Heading(name, align="right") for name in ("trials", "core-minutes")]
    heads += [Heading("cells compared")]
    title, lines = "What tuning gained", [_line(r) for r in rows if dataset in (None, r.dataset)]
    if dataset is not None:
        title = f"{title} on {dataset}"
        heads, lines = heads[:1] + heads[2:], [line[:1] + line[2:] for line in lines]
    return Sheet(heads, lines, title=title, notes=[NOTE])


def _line(row: TunedScore) -> list[Entry]:
    sides = [_describe(values) for values in (row.default, row.tuned)]
    emphasis: dict[str, Emphasis] = {"better": "best", "worse": "bad"}
    return [
        Entry(row.model),
        Entry(row.dataset),
        Entry(row.choice.column),
        Entry(f"{number(row.choice.default)} → {number(row.choice.validation)}"),
        Entry(" → ".join(sides)),
        Entry(row.gain, emphasis.get(row.gain, "")),
        Entry(str(row.trials)),
        Entry(number(row.seconds / 60)),
        Entry(row.budget),
    ]


def _describe(values: Mapping[int, float]) -> str:
    """The mean of completed seeds, and how many of them failed."""
    failed = _count_failed(values)
    mean = plus_minus(mean_interval([*values.values()]))
    return f"{mean} ({failed} of {len(values)} failed)" if failed else mean


def _count_failed(values: Mapping[int, float]) -> int:
    return sum(not math.isfinite(value) for value in values.values())


def to_rows(rows: Iterable[TunedScore]) -> list[dict[str, Any]]:
    """Returns the same as JSON objects; seeds that failed have null."""
    return [
        {
            "model": row.model,
            "dataset": row.dataset,
            "column": row.choice.column,
            "trials": row.trials,
            "seconds": round(row.seconds, 1),
            "validation_default": row.choice.default,
            "validation_tuned": row.choice.validation,
            "budget": row.budget,
            "test_default": {seed: finite(value) for seed, value in row.default.items()},
            "test_tuned": {seed: finite(value) for seed, value in row.tuned.items()},
            "gain": row.gain,
        }
        for row in rows
    ]


def _compare(file: TuningFile, store: Store) -> Iterator[TunedScore]:
    """The rows of a file of trials, one per criterion; none before a trial was trained to the end."""
    entry, first = make_entry(file), file.by_number.get(0)
    if entry is None or first is None:
        return
    records = [*store.of(file.rule.dataset, file.rule.model)]
    default = specs_of_trial(file.rule, first)[0]
    for name, choice in entry.choices.items():
        tuned = specs_of_trial(file.rule, file.by_number[choice.trial])[0]
        better = file.rule.criteria[name].better
        budget, before, after = _match(
            *(_read(records, like, choice.column, better) for like in (default, tuned))
        )
        yield TunedScore(
            file.rule.model,
            file.rule.data,
            choice,
            better,
            entry.trials,
            file.seconds,
            budget,
            _scores(before, file.rule.dataset, choice),
            _scores(after, file.rule.dataset, choice),
        )


#: rounds and minibatch as text, and the protocol
Setting = tuple[str, str]


@dataclass
class TestScores:
    """The test scores of cells with a trial's options.

    Arguments:
        scores: By setting and seed.
        failures: What seeds that failed count as, infinite on the side that is worse, by budget and seed: of
            what was not measured there is no protocol.
    """

    scores: dict[Setting, dict[int, float]] = field(default_factory=dict)
    failures: dict[str, dict[int, float]] = field(default_factory=dict)

    def at(self, setting: Setting) -> dict[int, float]:
        """Returns the scores of a setting by seed, with the seeds that failed at its budget."""
        return self.scores.get(setting, {}) | self.failures.get(setting[0], {})


def _read(records: Iterable[Record], like: CellSpec, column: str, better: str) -> TestScores:
    rows, worst = TestScores(), -math.inf if better == "higher" else math.inf
    own_setting = _setting(like)
    for record in records:
        spec = record.spec
        if _setting(spec) != own_setting:
            continue
        ((kind, amount),) = spec.budget.model_dump(exclude_none=True).items()
        budget = f"{amount:g} {kind}, batch {spec.batch}"
        if record.status not in ("ok", "skipped"):
            rows.failures.setdefault(budget, {})[spec.seed] = worst
        for m in record.metrics:
            if (m.id, m.split) == (column, "test"):
                about = column_of(m.metric, m.id)
                lost = m.value is None and about is not None and about.is_worst(m.reason)
                if lost or m.value is not None:
                    own = rows.scores.setdefault((budget, m.protocol), {})
                    own[spec.seed] = worst if m.value is None else m.value
    return rows


def _setting(spec: CellSpec) -> str:
    """All that decides a cell but its budget, its minibatch and its seed, as text."""
    parts = spec.model_dump(exclude_none=True, exclude={"budget", "batch", "seed"})
    return canonical({**parts, "training": parts.get("training") or {}})


def _match(
    before: TestScores, after: TestScores
) -> tuple[str, dict[int, float], dict[int, float]]:
    """The budget with the most seeds of both, else of the tuned options, and the scores there."""
    measured = {*before.scores, *after.scores}
    unmeasured = {*before.failures, *after.failures} - {budget for budget, _ in measured}
    settings = sorted(
        {*measured, *((budget, "") for budget in unmeasured)},
        key=lambda s: (_amount(s), s),
        reverse=True,
    )
    if not settings:
        return "", {}, {}

    def count(setting: Setting) -> tuple[int, int, int]:
        sizes = len(before.at(setting)), len(after.at(setting))
        return min(sizes), sizes[1], sizes[0]

    best = max(settings, key=count)
    return best[0], before.at(best), after.at(best)


def _amount(setting: Setting) -> float:
    return float(setting[0].split()[0])


def _scores(values: Mapping[int, float], dataset: str, choice: TunedChoice) -> Scores:
    completed = [value for value in values.values() if math.isfinite(value)]
    level = fmean(completed) if completed else 0.0
    noise = read_measurement_errors().noise(dataset, choice.column, level)
    return Scores(values, noise, independent=True)
