"""Null rows that the gates of claims need: uniform noise and Gaussians, which train nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from genbench.core.catalogue import is_null
from genbench.core.claim import Claim, Run
from genbench.core.dataset import DATASETS
from genbench.core.metric import Metric
from genbench.core.model import MODELS
from genbench.running.claim_cells import find_metric, specs_of
from genbench.running.dependencies import list_judged_columns
from genbench.running.null_gates import ABILITIES
from genbench.running.scale import Scale
from genbench.statistics.null_rows import make_bar
from genbench.store import Store


def make_null_runs(claim: Claim, scale: Scale, store: Store) -> list[Run]:
    """Returns the null rows by which the columns that a claim judges are checked, as runs.

    They are the machinery's and no part of the claim: its terms do not name them, and it lacks nothing
    without them. Budgets make no difference to what trains nothing, so that the cells are those that are
    there of any, else those of the claim's own budget.

    Arguments:
        claim: The claim.
        scale: How many seeds.
        store: Where there may be cells of null rows already.
    """
    runs: list[Run] = []
    for run, column in list_judged_columns(claim):
        metric = find_metric(run, column)
        exempt = column in claim.null_exemptions
        if metric is None or exempt or not can_be_checked(metric, column):
            continue
        asked = replace(
            run,
            metrics=(metric.name,),
            metric_options={m: o for m, o in run.metric_options.items() if m == metric.name},
            seeds=scale.count(run.seeds),
            options={},
            labelled=None,
            tuned=False,
            untuned="refuse",
        )
        spec = DATASETS.get(run.dataset)(**run.dataset_options).spec
        names = [n for n in MODELS.names() if is_null(n) and MODELS.get(n).refuses(spec) is None]
        for null in (_reuse_cells(replace(asked, model=name), store) for name in names):
            runs += [null] if null not in runs else []
    return runs


def can_be_checked(metric: Metric, column: str) -> bool:
    """Returns whether null rows have a column, and there is a bar for it once real points are measured."""
    meaning = metric.columns[column]
    bar = make_bar(meaning.better, meaning.ideal, 1.0, meaning.unit)
    return metric.view not in ABILITIES and bar is not None


def _reuse_cells(run: Run, store: Store) -> Run:
    """The run with the rounds and the minibatch that most cells of the null row have."""
    spec = specs_of(run)[0]
    about = (spec.model_version, spec.dataset_version, spec.dataset_options)
    budgets = Counter(
        (r.spec.budget.steps, r.spec.batch)
        for r in store.of(run.dataset, run.model)
        if r.status == "ok"
        and (r.spec.model_version, r.spec.dataset_version, r.spec.dataset_options) == about
        and r.spec.budget.steps is not None
    )
    if not budgets:
        return run
    (steps, batch), _ = budgets.most_common(1)[0]
    return replace(run, steps=steps or run.steps, batch=batch)
