"""What tuning gained: models with their tuned options beside the same with their defaults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from genbench.core.effect import Effect, difference
from genbench.core.errors import SpecError
from genbench.report.sheet import Emphasis, Entry, Heading, Sheet
from genbench.report.text import MISSING, number
from genbench.report.tuned_sides import Side, count_failed, match_sides, read_scores
from genbench.running.tuning_choice import make_entry
from genbench.running.tuning_rule import specs_of_trial
from genbench.statistics.contests import LEAST
from genbench.statistics.decisions import decide_by
from genbench.statistics.intervals import LEVEL
from genbench.store import Store
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
    "trial; the best of many is lucky there. Test: means over the completed seeds of cells with just these "
    "options, at the same budget, ± half the 95 % interval or [its ends], as in leaderboards; better or "
    "worse as the interval of the difference has it. Both hold what test set and extractor leave uncertain, "
    "where that was measured. Seeds that failed count as the worst that either has, and options with which "
    "more of them fail are not said to be better; those that failed elsewhere, in runs that did not ask for "
    "the column, count nowhere. Each row is of the options that its own column chose: those chosen by "
    "samples and by likelihood are cells apart, unless one trial was the best by both."
)
#: what is said of many verdicts side by side
UNCORRECTED = (
    "Each of the {count} verdicts, better, worse or not distinguished, is made at 95 % for itself: they are "
    "not corrected together, so that where tuning changes nothing one of 20 says that it does."
)
#: what stands in place of a verdict where there are no test scores of enough seeds
NO_VERDICT: tuple[Gain, ...] = ("few seeds", "not run", "all seeds failed")


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
        sides: How tables tell the two; none without any.
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
    sides: tuple[Side, ...] = ()

    @property
    def gain(self) -> Gain:
        """Whether tuned options have the better test scores."""
        if not (self.default and self.tuned):
            return "not run"
        if min(len(self.default), len(self.tuned)) < LEAST:
            return "few seeds"
        default, tuned = map(count_failed, (self.default, self.tuned))
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
    shown = [row for row in rows if dataset in (None, row.dataset)]
    title, lines = "What tuning gained", [_line(row) for row in shown]
    count = sum(row.gain not in NO_VERDICT for row in shown)
    notes = [NOTE, UNCORRECTED.format(count=count)] if count > 1 else [NOTE]
    if dataset is not None:
        title = f"{title} on {dataset}"
        heads, lines = heads[:1] + heads[2:], [line[:1] + line[2:] for line in lines]
    return Sheet(heads, lines, title=title, notes=notes)


def _line(row: TunedScore) -> list[Entry]:
    sides = [side.text for side in row.sides] or [MISSING, MISSING]
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
            "failed_elsewhere": {
                name: side.elsewhere
                for name, side in zip(("default", "tuned"), row.sides, strict=False)
                if side.elsewhere
            },
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
        budget, before, after = match_sides(
            *(read_scores(records, like, choice.column, better) for like in (default, tuned))
        )
        yield TunedScore(
            file.rule.model,
            file.rule.data,
            choice,
            better,
            entry.trials,
            file.seconds,
            budget,
            before.scores,
            after.scores,
            (before, after),
        )
