"""What tuning took: core-hours by data set, from the seconds that trials recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from genbench.report.sheet import Entry, Heading, Sheet
from genbench.report.text import number
from genbench.report.tuning import Search

NOTE = (
    "Core-hours are the seconds that trials recorded, training and scoring, of one worker each; trials that "
    "were stopped at a rung took less than a whole one."
)


@dataclass(frozen=True)
class CampaignCost:
    """What the trials of a data set took.

    Arguments:
        dataset: The data set with its options.
        budget: What a whole trial may take, as text.
        models: How many models were tuned.
        trials: Trials of all models, their defaults among them.
        seconds: What these took, training and scoring.
    """

    dataset: str
    budget: str
    models: int
    trials: int
    seconds: float


def sum_costs(searches: Iterable[Search]) -> list[CampaignCost]:
    """Returns what the trials of every data set took, each trial once whatever its criteria."""
    by_data: dict[str, list[Search]] = {}
    for search in searches:
        if search.criterion == "samples":  # which every rule has
            by_data.setdefault(search.dataset, []).append(search)
    return [
        CampaignCost(
            dataset,
            "; ".join(dict.fromkeys(search.budget for search in some)),
            len({line.name for search in some for line in search.models}),
            sum(len(line.values) + 1 for search in some for line in search.models),
            sum(line.seconds for search in some for line in search.models),
        )
        for dataset, some in by_data.items()
    ]


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
    return Sheet(heads, rows, foot, title="What tuning took", notes=[NOTE])


def _hours(seconds: float) -> Entry:
    return Entry(number(seconds / 3600), value=seconds / 3600)
