"""The cells of a suite: their specs, options checked and filled in, and which of them cannot be."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from typing import Any

from genbench.core import options
from genbench.core.dataset import Dataset, resolve_options, version_of
from genbench.core.errors import ContractError, writable
from genbench.core.model import MODELS
from genbench.core.spec import Cells, CellSpec, Part, Suite, Training
from genbench.store.tuned_options import UnusableTuning, find_tuned


def cell_specs(
    suite: Suite,
    cells: Cells,
    model: Part,
    dataset: Part,
    autocast: bool,
    compiled: bool = False,
) -> list[CellSpec]:
    """Returns the cells of one model on one data set, one per seed, options checked and filled in."""
    model_class = MODELS.get(model.name)
    budget, batch = cells.budget or suite.budget, cells.batch or suite.batch
    tuned: dict[str, Any] = {}
    training = cells.training
    extra = resolve_options(dataset.name, dataset.options)
    if cells.tuned and model_class.search:
        criterion = "samples" if cells.tuned is True else cells.tuned
        tuned, own_training = find_tuned(
            model.name, dataset.name, budget, batch, criterion, dataset_options=extra
        )
        training = _join_training(own_training, training)
    named = {**tuned, **model.options}
    chosen = options.resolve(model_class, named, who=f"model {model.name}")
    return [
        CellSpec(
            model=model.name,
            model_version=model_class.version,
            options=chosen,
            dataset=dataset.name,
            dataset_version=version_of(dataset.name, extra),
            dataset_options=extra,
            budget=budget,
            batch=batch,
            labelled=cells.labelled,
            precision=suite.precision,
            autocast="bf16" if autocast else None,
            compiled="inductor" if compiled else None,
            training=training,
            seed=seed,
        )
        for seed in suite.seed_list
    ]


def _join_training(tuned: Training | None, named: Training | None) -> Training | None:
    """Tuned ways of training, in which those that are named hold, of step sizes player by player."""
    if tuned is None or named is None:
        return named or tuned
    rates = {**(tuned.rates or {}), **(named.rates or {})}
    fields = {**tuned.model_dump(exclude_none=True), **named.model_dump(exclude_none=True)}
    return Training(**{**fields, "rates": rates or None})


def groups_of(suite: Suite) -> set[str]:
    """Returns the groups of a suite's cells, whatever their seeds."""
    one = suite.model_copy(update={"seeds": [0]})
    groups: set[str] = set()
    for cells in suite.cells:
        for dataset, model in product(cells.datasets, cells.models):
            with suppress(UnusableTuning):  # of whose options there can be no cells
                specs = cell_specs(one, cells, model, dataset, autocast=False)
                groups |= {spec.group for spec in specs}
    return groups


def find_refusal(spec: CellSpec, dataset: Dataset) -> str | None:
    """Returns why a cell cannot be, or None."""
    if spec.labelled is not None and dataset.spec.classes is None:
        return f"labelled needs a data set with labels, {spec.dataset} has none"
    reason = MODELS.get(spec.model).refuses(dataset.spec)
    if reason is not None and not isinstance(reason, str):
        raise ContractError(
            f"model {spec.model!r} needs to return None or a sentence from refuses, got {reason!r:.80}"
        )
    return None if reason is None else writable(reason)
