"""Suites that are changed by hand: other cells, sizes, options and metrics than a file says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, get_args

from genbench.core.asked import require_counts
from genbench.core.errors import SpecError
from genbench.core.spec import MOST_SEEDS, Budget, Cells, Criterion, Part, Suite, parse_part


def find_pairs(
    suite: Suite, models: Sequence[str], datasets: Sequence[str]
) -> tuple[list[Part], list[Part]]:
    """Returns the models and data sets of a comparison for which no suite was named.

    Both are as they were named; of one kind alone, the other is the suite's, and what the suite has keeps
    the options that it has there, unless others are named.

    Arguments:
        suite: Whose settings hold.
        models: Names, perhaps with options ("gan:lr=0.003"), perhaps none.
        datasets: Likewise.
    """
    own_models = {part.name: part for cells in suite.cells for part in cells.models}
    own_datasets = {part.name: part for cells in suite.cells for part in cells.datasets}
    named = [parse_part(model) for model in models], [parse_part(data) for data in datasets]
    if bool(models) == bool(datasets):
        return named
    if models:
        return _as_there(named[0], own_models), list(own_datasets.values())
    return list(own_models.values()), _as_there(named[1], own_datasets)


def _as_there(named: Sequence[Part], own: Mapping[str, Part]) -> list[Part]:
    """What was named, with a suite's options where no others are."""
    return [part if part.options else own.get(part.name, part) for part in named]


def _find_cells(suite: Suite, model: Part, dataset: Part) -> Cells:
    """The cells of one pair, trained as where a suite has it, else by what holds for all of the suite."""
    own = (cells for cells in suite.cells if model in cells.models and dataset in cells.datasets)
    found = next(own, None)
    if found is None:
        return Cells(models=[model], datasets=[dataset])
    return found.model_copy(update={"models": [model], "datasets": [dataset]})


def change_suite(
    suite: Suite,
    models: Sequence[Part] = (),
    datasets: Sequence[Part] = (),
    *,
    seeds: int | None = None,
    steps: int | None = None,
    labelled: int | None = None,
    tuned_by: Criterion | None = None,
    metrics: Sequence[Part] = (),
) -> Suite:
    """Returns a suite with other cells or settings.

    Arguments:
        suite: The suite.
        models: With `datasets`, the cells are all pairs of these in place of the suite's own; a pair that the
            suite has keeps how it is trained there: budget, minibatch, tuned options.
        datasets: See `models`.
        seeds: So many seeds, from 0 on.
        steps: Every cell trains for so many rounds.
        labelled: Every seed sees only so many training labels.
        tuned_by: All cells take the options that tuning chose so, of models that can be tuned.
        metrics: Measured in place of the suite's own.

    Raises:
        SpecError: If one of the numbers is less than 1, or nothing chooses so.
    """
    require_counts(steps=steps, labelled=labelled)
    require_counts(most=MOST_SEEDS, seeds=seeds)
    if tuned_by is not None and tuned_by not in get_args(Criterion):
        raise SpecError(
            f"tuned_by needs one of {', '.join(get_args(Criterion))}, got {tuned_by!r}"
        )
    changes: dict[str, Any] = {"seeds": int(seeds)} if seeds else {}
    cells = suite.cells
    if models and datasets:
        cells = [_find_cells(suite, *pair) for pair in product(models, datasets)]
    about: dict[str, Any] = {"labelled": int(labelled)} if labelled else {}
    about |= {"tuned": tuned_by} if tuned_by else {}
    if steps:
        changes["budget"] = about["budget"] = Budget(steps=int(steps))
    if metrics:
        changes["metrics"] = list(metrics)
    changes["cells"] = [part.model_copy(update=about) for part in cells]
    return suite.model_copy(update=changes)
