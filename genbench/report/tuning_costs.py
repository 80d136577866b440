"""What tuning took: core-hours by data set, from the seconds that trials recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.text import number
from genbench.report.tuning import Search

NOTE = (
    "Core-hours are the seconds that trials recorded, training and scoring, of one worker each, with rounds "
    "that were made anew since their checkpoint was lost, as far as recorded seconds show it; trials that "
    "were stopped at a rung took less than a whole one."
)
#: what is said of searches that do not count as such
UNFINISHED = (
    "Models and trials are of searches that have ended; core-hours hold those of others, too"
)


@dataclass(frozen=True)
class CampaignCost:
    """What the trials of a data set took.

    Arguments:
        dataset: The data set with its options.
        budget: What a whole trial may take, as text.
        models: How many models were tuned to the end.
        trials: Trials of these models, their defaults among them.
        seconds: What all trials took, training and scoring.
        unfinished: Trials of every model whose search has not ended, by its name.
    """

    dataset: str
    budget: str
    models: int
    trials: int
    seconds: float
    unfinished: Mapping[str, int] = field(default_factory=dict)


def sum_costs(searches: Iterable[Search]) -> list[CampaignCost]:
    """Returns what the trials of every data set took, each trial once whatever its criteria."""
    by_data: dict[str, list[Search]] = {}
    for search in searches:
        if search.criterion == "samples":  # which every rule has
            by_data.setdefault(search.dataset, []).append(search)
    return [_sum(dataset, some) for dataset, some in by_data.items()]


def _sum(dataset: str, searches: Sequence[Search]) -> CampaignCost:
    lines = [line for search in searches for line in search.models]
    ended = [line for line in lines if line.finished]
    return CampaignCost(
        dataset,
        "; ".join(dict.fromkeys(search.budget for search in searches)),
        len({line.name for line in ended}),
        sum(line.tried for line in ended),
        sum(line.seconds for line in lines),
        {line.name: line.tried for line in lines if not line.finished},
    )


def make_sheet(costs: Iterable[CampaignCost]) -> Sheet:
    """Returns the table of what tuning took, with its sum."""
    costs = [*costs]
    heads = [Heading("data set"), Heading("a whole trial")]
    heads += [Heading(name, align="right") for name in ("models", "trials", "core-hours")]
    rows = [
        [
            Entry(cost.dataset),
            Entry(cost.budget),
            *(Entry(str(count), value=count) for count in (cost.models, cost.trials)),
            _hours(cost.seconds),
        ]
        for cost in costs
    ]
    trials, seconds = sum(cost.trials for cost in costs), sum(cost.seconds for cost in costs)
    foot = [Entry("all"), Entry(), Entry(), Entry(str(trials), value=trials), _hours(seconds)]
    others = [
        f"{model} on {cost.dataset} ({count} trials)"
        for cost in costs
        for model, count in cost.unfinished.items()
    ]
    notes = [NOTE, f"{UNFINISHED}: {', '.join(others)}."] if others else [NOTE]
    return Sheet(heads, rows, foot, title="What tuning took", notes=notes)


def _hours(seconds: float) -> Entry:
    return Entry(number(seconds / 3600), value=seconds / 3600)
